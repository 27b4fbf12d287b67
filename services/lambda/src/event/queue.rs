//! The queue: an event under the time at which it is due, its payload in rows beside it.

use bytes::{Bytes, BytesMut};
use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_store::tuple::{self, Element};
use pagoda_store::{Commit, Key, KeyBuilder, Read, Record, Space, Store, StoreError, Stored, Table};
use serde::{Deserialize, Serialize};

use crate::name::FunctionId;
use crate::page;

/// The largest event, in bytes.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1_048_576;
/// What one row holds of a payload.
const CHUNK_BYTES: usize = 512 * 1024;
const CHUNKS_MAX: u32 = 4;
const PAYLOADS: &str = "lambda.event-payload";

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) request_id: String,
    /// As the caller named it.
    pub(crate) function_arn: String,
    pub(crate) queued: Timestamp,
    /// How often the function has failed it.
    pub(crate) failures: u32,
    /// How often there was no room for it since.
    pub(crate) delays: u32,
    pub(crate) client_context: Option<String>,
    /// The trace header that it came with.
    #[serde(default)]
    pub(crate) trace: Option<String>,
}

const EVENTS: Table<Event> = Table::new(Space::Queue);

impl Record for Event {
    const KIND: &str = "lambda.event";
    const VERSION: u8 = 2;

    /// Those of version 1 have no trace.
    fn migrate(_version: u8, body: &[u8]) -> Result<Self, StoreError> {
        Self::read(Self::VERSION, body)
    }
}

/// Adds a new event that is due at once.
pub(super) fn add(
    commit: Commit,
    id: &FunctionId,
    event: &Event,
    payload: &Bytes,
) -> Result<Commit, StoreError> {
    let mut commit = EVENTS.put(commit, &key(id, event.queued, &event.request_id), event)?;
    for (number, chunk) in payload.chunks(CHUNK_BYTES).enumerate() {
        commit = commit
            .put(payload_key(id, &event.request_id).u64(number as u64).done(), payload.slice_ref(chunk));
    }
    Ok(commit)
}

/// Lets the event wait until `due`; `event` is what it has become.
pub(super) fn delay(
    commit: Commit,
    id: &FunctionId,
    stored: &Stored<Event>,
    event: &Event,
    due: Timestamp,
) -> Result<Commit, StoreError> {
    EVENTS.put(EVENTS.remove(commit, stored), &key(id, due, &event.request_id), event)
}

/// Takes an event out.
pub(super) fn remove(commit: Commit, id: &FunctionId, stored: &Stored<Event>) -> Commit {
    let (first, end) = payload_key(id, &stored.record.request_id).done().prefix_range();
    EVENTS.remove(commit, stored).clear_range(first, end)
}

/// Up to `limit` events that are due at `now`, and when the next one will be.
pub(super) async fn due(
    store: &dyn Store,
    id: &FunctionId,
    now: Timestamp,
    limit: u32,
) -> Result<(Vec<Stored<Event>>, Option<Timestamp>), ApiError> {
    let page = EVENTS.scan(store, &prefix(id).done(), None, limit).await?;
    let mut ready = Vec::new();
    for stored in page.items {
        let due = due_of(&stored.key)?;
        if due > now {
            return Ok((ready, Some(due)));
        }
        ready.push(stored);
    }
    Ok((ready, None))
}

/// The functions that have events.
pub(super) async fn functions(store: &dyn Store) -> Result<Vec<FunctionId>, ApiError> {
    let mut found = Vec::new();
    let mut after: Option<Key> = None;
    loop {
        let page = EVENTS.scan(store, &EVENTS.key().done(), after.as_ref(), 1).await?;
        let Some(stored) = page.items.first() else { return Ok(found) };
        let id = page::function_in(&stored.key)?;
        after = Some(prefix(&id).u64(u64::MAX).done());
        found.push(id);
    }
}

/// The event's payload.
pub(super) async fn payload(store: &dyn Store, id: &FunctionId, request_id: &str) -> Result<Bytes, ApiError> {
    let (lo, hi) = payload_key(id, request_id).done().prefix_range();
    let bytes = (PAYLOAD_BYTES_MAX + 2 * CHUNK_BYTES) as u32;
    let found = store.rows(Read::Range { lo, hi, limit: CHUNKS_MAX, bytes, reverse: false }).await?;
    let mut rows = found.rows.into_iter();
    let first = rows.next().map(|row| row.value).unwrap_or_default();
    let mut all = BytesMut::from(first);
    rows.for_each(|row| all.extend_from_slice(&row.value));
    Ok(all.freeze())
}

fn prefix(id: &FunctionId) -> KeyBuilder {
    EVENTS.key().text(id.account.as_str()).text(id.region.as_str()).text(&id.name)
}

fn key(id: &FunctionId, due: Timestamp, request_id: &str) -> Key {
    prefix(id).u64(due.as_millisecond().cast_unsigned()).text(request_id).done()
}

fn payload_key(id: &FunctionId, request_id: &str) -> KeyBuilder {
    let key = KeyBuilder::new(Space::Queue).text(PAYLOADS).text(id.account.as_str());
    key.text(id.region.as_str()).text(&id.name).text(request_id)
}

fn due_of(key: &Key) -> Result<Timestamp, ApiError> {
    let elements = tuple::decode(&key.bytes).map_err(|_| ApiError::internal())?;
    match elements.as_slice() {
        [.., Element::U64(millis), Element::Text(_)] => {
            Timestamp::from_millisecond(millis.cast_signed()).map_err(|_| ApiError::internal())
        }
        _ => Err(ApiError::internal()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pagoda_base::{SignedDuration, SystemClock};

    use super::*;

    fn id(name: &str) -> FunctionId {
        FunctionId {
            account: "123456789012".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            name: name.into(),
        }
    }

    fn event(request_id: &str) -> Event {
        Event {
            request_id: request_id.into(),
            function_arn: "arn".into(),
            queued: Timestamp::UNIX_EPOCH,
            failures: 0,
            delays: 0,
            client_context: None,
            trace: None,
        }
    }

    #[tokio::test]
    async fn events_wait_in_the_order_in_which_they_are_due() {
        let store = pagoda_store::memory(Arc::new(SystemClock)).unwrap();
        let large = Bytes::from(vec![b'x'; PAYLOAD_BYTES_MAX]);
        for (function, name, payload) in
            [("f", "a", &large), ("f", "b", &Bytes::from_static(b"{}")), ("g", "c", &large)]
        {
            let commit = add(Commit::new(), &id(function), &event(name), payload).unwrap();
            store.commit(commit).await.unwrap().done().unwrap();
        }
        assert_eq!(functions(&*store).await.unwrap(), [id("f"), id("g")]);
        assert_eq!(payload(&*store, &id("f"), "a").await.unwrap(), large);
        let (ready, next) = due(&*store, &id("f"), Timestamp::UNIX_EPOCH, 10).await.unwrap();
        assert_eq!((ready.len(), next), (2, None));
        let later = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(60);
        let commit = delay(Commit::new(), &id("f"), &ready[0], &ready[0].record, later).unwrap();
        store.commit(commit).await.unwrap().done().unwrap();
        let (ready, next) = due(&*store, &id("f"), Timestamp::UNIX_EPOCH, 10).await.unwrap();
        assert_eq!((ready[0].record.request_id.as_str(), ready.len(), next), ("b", 1, Some(later)));
        store.commit(remove(Commit::new(), &id("f"), &ready[0])).await.unwrap().done().unwrap();
        assert_eq!(payload(&*store, &id("f"), "b").await.unwrap(), "");
        let (ready, _) = due(&*store, &id("f"), later, 10).await.unwrap();
        assert_eq!(ready[0].record.request_id, "a");
    }
}
