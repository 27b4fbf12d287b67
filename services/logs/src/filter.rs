//! FilterLogEvents: the events of many streams, merged in the order of their time.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Key, Read};
use serde::{Deserialize, Serialize};

use crate::event::{BYTES_MAX, EVENTS_MAX, Found, between};
use crate::generated as g;
use crate::pattern::Pattern;
use crate::table::Stream;
use crate::{Logs, Scope, group, stream, token};

/// Events that are looked at for one answer; a pattern that matches few of them continues by its token.
const SCANNED_MAX: usize = 20_000;
/// Events of one stream that are read ahead.
const AHEAD: u32 = 256;

/// Where the next page begins: behind this event.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    millis: i64,
    stream: String,
    key: Vec<u8>,
}

pub(crate) async fn filter(
    logs: &Logs,
    cx: &Context,
    input: g::FilterLogEventsRequest,
) -> Result<g::FilterLogEventsResponse, ApiError> {
    let scope = Scope::of(cx);
    let name = group::named(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let pattern = Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default())?;
    let wanted = wanted(input.log_stream_names, input.log_stream_name_prefix)?;
    let limit = input.limit.map_or(EVENTS_MAX, |limit| limit.clamp(1, EVENTS_MAX as i32) as u32) as usize;
    let after = input.next_token.map(|text| token::read::<Position>(&text)).transpose()?;
    // `endTime` is inclusive here, and `startTime` too.
    let (start, end) = (input.start_time, input.end_time.map(|end| end.saturating_add(1)));
    group::load(logs, &scope, &name).await?;

    let streams = stream::all(logs, &scope, &name).await?.into_iter().filter(|stream| {
        wanted(&stream.name)
            && start.is_none_or(|start| stream.last_event_millis.is_some_and(|last| last >= start))
            && end.is_none_or(|end| stream.first_event_millis.is_some_and(|first| first < end))
    });
    let mut merged = Merged::of(logs, streams, start, end, after.as_ref()).await?;
    let (mut events, mut scanned, mut bytes, mut last) = (Vec::new(), 0, 0, None);
    while events.len() < limit && scanned < SCANNED_MAX && bytes < BYTES_MAX as usize {
        let Some((name, found)) = merged.next(logs).await? else {
            return Ok(answer(events, None));
        };
        scanned += 1;
        last = Some(Position { millis: found.millis, stream: name.clone(), key: found.key.bytes.to_vec() });
        if pattern.matches(&found.event.message) {
            bytes += found.event.message.len();
            events.push(describe(name, found));
        }
    }
    Ok(answer(events, last.map(|position| token::write(&position))))
}

fn wanted(names: Option<Vec<String>>, prefix: Option<String>) -> Result<impl Fn(&str) -> bool, ApiError> {
    if names.is_some() && prefix.is_some() {
        let message = "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.";
        return Err(g::InvalidParameterException::new(message).into());
    }
    Ok(move |stream: &str| {
        names.as_ref().is_none_or(|names| names.iter().any(|name| name == stream))
            && prefix.as_deref().is_none_or(|prefix| stream.starts_with(prefix))
    })
}

fn answer(events: Vec<g::FilteredLogEvent>, next_token: Option<String>) -> g::FilterLogEventsResponse {
    g::FilterLogEventsResponse { events: Some(events), searched_log_streams: Some(Vec::new()), next_token }
}

fn describe(stream: String, found: Found) -> g::FilteredLogEvent {
    g::FilteredLogEvent {
        log_stream_name: Some(stream),
        timestamp: Some(found.millis),
        message: Some(found.event.message),
        ingestion_time: Some(found.event.ingestion_millis),
        event_id: Some(found.id),
    }
}

/// The events of several streams, the earliest first; at the same time, by stream.
struct Merged {
    heads: BinaryHeap<Reverse<(i64, String, Key, usize)>>,
    cursors: Vec<Cursor>,
}

impl Merged {
    async fn of(
        logs: &Logs,
        streams: impl Iterator<Item = Stream>,
        start: Option<i64>,
        end: Option<i64>,
        after: Option<&Position>,
    ) -> Result<Self, ApiError> {
        let mut merged = Self { heads: BinaryHeap::new(), cursors: Vec::new() };
        for stream in streams {
            let (mut lo, hi) = between(&stream.incarnation, start, end);
            if let Some(position) = after {
                lo = lo.max(resumed(&stream, position));
            }
            merged.cursors.push(Cursor { name: stream.name, lo, hi, ahead: VecDeque::new(), more: true });
        }
        for index in 0..merged.cursors.len() {
            merged.peek(logs, index).await?;
        }
        Ok(merged)
    }

    async fn next(&mut self, logs: &Logs) -> Result<Option<(String, Found)>, ApiError> {
        let Some(Reverse((_, name, _, index))) = self.heads.pop() else { return Ok(None) };
        let found = self.cursors[index].ahead.pop_front();
        self.peek(logs, index).await?;
        Ok(found.map(|found| (name, found)))
    }

    /// Puts the cursor's next event among the heads.
    async fn peek(&mut self, logs: &Logs, index: usize) -> Result<(), ApiError> {
        let cursor = &mut self.cursors[index];
        cursor.fill(logs).await?;
        if let Some(found) = cursor.ahead.front() {
            self.heads.push(Reverse((found.millis, cursor.name.clone(), found.key.clone(), index)));
        }
        Ok(())
    }
}

/// The first key of a stream that lies behind a position in the merged order.
fn resumed(stream: &Stream, position: &Position) -> Key {
    use crate::table::events_at;
    match stream.name.cmp(&position.stream) {
        std::cmp::Ordering::Less => events_at(&stream.incarnation, position.millis.saturating_add(1)),
        std::cmp::Ordering::Greater => events_at(&stream.incarnation, position.millis),
        std::cmp::Ordering::Equal => Key::raw(pagoda_store::Space::Log, position.key.clone()).successor(),
    }
}

/// One stream's events, read ahead.
struct Cursor {
    name: String,
    lo: Key,
    hi: Key,
    ahead: VecDeque<Found>,
    more: bool,
}

impl Cursor {
    async fn fill(&mut self, logs: &Logs) -> Result<(), ApiError> {
        if !self.ahead.is_empty() || !self.more {
            return Ok(());
        }
        let (lo, hi) = (self.lo.clone(), self.hi.clone());
        let rows =
            logs.store().rows(Read::Range { lo, hi, limit: AHEAD, bytes: BYTES_MAX, reverse: false }).await?;
        self.more = rows.more;
        for row in rows.rows {
            self.lo = row.key.successor();
            self.ahead.push_back(Found::of(row)?);
        }
        Ok(())
    }
}
