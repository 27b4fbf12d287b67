//! GetLogEvents
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html>

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::tuple::{self, Element};
use pagoda_store::{Key, Read, Record, Row, Space, StoreError};

use crate::generated as g;
use crate::table::{self, Event, STREAMS};
use crate::{Logs, Scope, group, stream, token};

/// Events of one answer.
pub(crate) const EVENTS_MAX: u32 = 10_000;
/// Bytes of one answer.
pub(crate) const BYTES_MAX: u32 = 1_048_576;

/// An event with the key it was read from.
pub(crate) struct Found {
    pub(crate) key: Key,
    pub(crate) millis: i64,
    /// Unique, and ordered as events are.
    pub(crate) id: String,
    pub(crate) event: Event,
}

impl Found {
    pub(crate) fn of(row: Row) -> Result<Self, StoreError> {
        let event = Event::decode(&row.value)?;
        let elements =
            tuple::decode(&row.key.bytes).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        match &elements[..] {
            [_kind, _incarnation, Element::I64(millis), Element::Stamp(stamp), Element::U64(index)] => {
                let id = format!("{millis:026}{:024}{index:06}", stamp.as_u128());
                Ok(Self { key: row.key, millis: *millis, id, event })
            }
            _ => Err(StoreError::Corrupt("an event's key is not one".into())),
        }
    }
}

/// The keys of a stream's events from `start` (inclusive) to `end` (exclusive), in milliseconds.
pub(crate) fn between(incarnation: &str, start: Option<i64>, end: Option<i64>) -> (Key, Key) {
    let (first, last) = table::events(incarnation).prefix_range();
    let at = |millis| table::events_at(incarnation, millis);
    (start.map_or(first, at), end.map_or(last, at))
}

pub(crate) async fn get(
    logs: &Logs,
    cx: &Context,
    input: g::GetLogEventsRequest,
) -> Result<g::GetLogEventsResponse, ApiError> {
    let scope = Scope::of(cx);
    let name = group::named(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    group::load(logs, &scope, &name).await?;
    let key = table::stream(&scope, &name, &input.log_stream_name);
    let stream = STREAMS.get(logs.store(), &key).await?.ok_or_else(stream::missing)?.record;
    let limit = input.limit.map_or(EVENTS_MAX, |limit| limit.clamp(1, EVENTS_MAX as i32) as u32);
    let (mut lo, mut hi) = between(&stream.incarnation, input.start_time, input.end_time);
    let mut forward = input.start_from_head.unwrap_or(false);
    let mut place = None;
    if let Some(text) = input.next_token {
        let (direction, bytes) = position(&text)?;
        let key = Key::raw(Space::Log, bytes);
        forward = direction == FORWARD;
        if forward {
            lo = lo.max(key.successor());
        } else {
            hi = hi.min(key.clone());
        }
        place = Some(key);
    }
    let read = Read::Range { lo: lo.clone(), hi, limit, bytes: BYTES_MAX, reverse: !forward };
    let mut found =
        logs.store().rows(read).await?.rows.into_iter().map(Found::of).collect::<Result<Vec<_>, _>>()?;
    if !forward {
        found.reverse();
    }
    // An empty page keeps its place: the same tokens come back until something new is written.
    let place = place.unwrap_or(lo);
    let first = found.first().map_or(&place, |found| &found.key);
    let last = found.last().map_or(&place, |found| &found.key);
    let (forward, backward) = (written(FORWARD, last), written(BACKWARD, first));
    let events = found.into_iter().map(|found| g::OutputLogEvent {
        timestamp: Some(found.millis),
        message: Some(found.event.message),
        ingestion_time: Some(found.event.ingestion_millis),
    });
    Ok(g::GetLogEventsResponse {
        events: Some(events.collect()),
        next_forward_token: Some(forward),
        next_backward_token: Some(backward),
    })
}

const FORWARD: char = 'f';
const BACKWARD: char = 'b';

fn written(direction: char, key: &Key) -> String {
    format!("{direction}/{}", token::write(&key.bytes.as_ref()))
}

fn position(text: &str) -> Result<(char, Vec<u8>), ApiError> {
    match text.split_once('/') {
        Some(("f", rest)) => Ok((FORWARD, token::read(rest)?)),
        Some(("b", rest)) => Ok((BACKWARD, token::read(rest)?)),
        _ => Err(g::InvalidParameterException::new("The specified nextToken is invalid.").into()),
    }
}
