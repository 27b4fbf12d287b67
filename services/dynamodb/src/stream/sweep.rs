//! Background: removes records that are more than a day old, and streams of which none are left.

use bytes::Bytes;
use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_store::{Commit, Key, KeyBuilder, Read, Space, Stamp, Store, Stored as StoredRecord};

use super::record::Stored;
use super::{RETENTION, STREAMS, Stream, log};
use crate::DynamoDb;

const STREAMS_AT_ONCE: u32 = 100;
const ROWS_AT_ONCE: u32 = 1_000;
const BYTES_AT_ONCE: u32 = 4_000_000;

/// Up to which stamp the records of a shard have been removed.
pub(super) async fn trimmed(store: &dyn Store, log: &Key) -> Result<Option<Stamp>, ApiError> {
    let found = store.get(&trim(log)).await?;
    Ok(found.and_then(|row| row.value.as_ref().try_into().ok()).map(Stamp))
}

fn trim(log: &Key) -> Key {
    KeyBuilder::new(Space::Meta).text("dynamodb.stream-trimmed").bytes(&log.bytes).done()
}

impl DynamoDb {
    pub(crate) async fn sweep_streams(&self) -> Result<(), ApiError> {
        let mut after: Option<Key> = None;
        loop {
            let prefix = STREAMS.key().done();
            let page = STREAMS.scan(self.store(), &prefix, after.as_ref(), STREAMS_AT_ONCE).await?;
            for stored in &page.items {
                self.sweep_stream(stored).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn sweep_stream(&self, stored: &StoredRecord<Stream>) -> Result<(), ApiError> {
        let oldest = self.clock.now() - RETENTION;
        let stream = &stored.record;
        let over = stream.closed.is_some_and(|(closed, _)| closed < oldest);
        let mut commit = Commit::new();
        for shard in 0..stream.shards {
            let log = log(&stream.table_id, &stream.label, shard);
            while self.trim_page(&log, oldest).await? {}
            commit = commit.delete(trim(&log));
        }
        if over {
            // All records were written before the end, so none is left.
            self.store().commit(STREAMS.remove(commit, stored)).await?.done()?;
        }
        Ok(())
    }

    /// Removes some records that are too old; whether there may be more.
    async fn trim_page(&self, log: &Key, oldest: Timestamp) -> Result<bool, ApiError> {
        let (lo, hi) = log.prefix_range();
        let read =
            Read::Range { lo: lo.clone(), hi, limit: ROWS_AT_ONCE, bytes: BYTES_AT_ONCE, reverse: false };
        let found = self.store().rows(read).await?;
        // A row that does not decode here is an old image, which goes with the row before it.
        let is_old = |value: &Bytes| Stored::decode(value).map_or(true, |stored| stored.created < oldest);
        let count = found.rows.iter().take_while(|row| is_old(&row.value)).count();
        let Some(last) = count.checked_sub(1).map(|at| &found.rows[at]) else { return Ok(false) };
        // The whole commit goes: its records were written at one moment.
        let behind = KeyBuilder::under(log).stamp(last.stamp).done().prefix_range().1;
        let trimmed = Bytes::copy_from_slice(&last.stamp.0);
        let commit = Commit::new().clear_range(lo, behind).put(trim(log), trimmed);
        self.store().commit(commit).await?.done()?;
        Ok(found.more && count == found.rows.len())
    }
}
