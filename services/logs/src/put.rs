//! PutLogEvents, for callers and for the platform itself.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>

use async_trait::async_trait;
use pagoda_base::{AccountId, Region, Timestamp};
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_service::ports::{LogLine, PutLogEvents};
use pagoda_store::{Commit, Decision, KeyBuilder, Record, Space, update};

use crate::generated as g;
use crate::table::{self, Event, Stream};
use crate::{Logs, Scope, group, stream};

/// The batch with 26 bytes for each event.
const BATCH_BYTES_MAX: usize = 1_048_576;
const EVENT_OVERHEAD_BYTES: usize = 26;
const HOUR_MILLIS: i64 = 3_600_000;
const SPAN_MILLIS_MAX: i64 = 24 * HOUR_MILLIS;
const FUTURE_MILLIS_MAX: i64 = 2 * HOUR_MILLIS;
const PAST_MILLIS_MAX: i64 = 14 * 24 * HOUR_MILLIS;

pub(crate) async fn put(
    logs: &Logs,
    cx: &Context,
    input: g::PutLogEventsRequest,
) -> Result<g::PutLogEventsResponse, ApiError> {
    let scope = Scope::of(cx);
    let group = group::load(logs, &scope, &input.log_group_name).await?.record;
    check(&input.log_events)?;
    let sorted = sort_out(&input.log_events, cx.now.as_millisecond(), group.retention_days);
    let accepted =
        input.log_events[sorted.accepted.clone()].iter().map(|event| (event.timestamp, &*event.message));
    let accepted: Vec<_> = accepted.collect();
    let token = logs.append(&scope, &input.log_group_name, &input.log_stream_name, &accepted, cx.now).await?;
    Ok(g::PutLogEventsResponse {
        next_sequence_token: Some(token),
        rejected_log_events_info: sorted.rejected,
        rejected_entity_info: None,
    })
}

#[async_trait]
impl PutLogEvents for Logs {
    async fn put(
        &self,
        account: AccountId,
        region: &Region,
        group: &str,
        stream: &str,
        lines: Vec<LogLine>,
    ) -> Result<(), ApiError> {
        let scope = Scope { account, region: region.clone() };
        let now = self.clock.now();
        let events: Vec<_> =
            lines.iter().map(|line| (line.timestamp.as_millisecond(), &*line.message)).collect();
        let first = self.append(&scope, group, stream, &events, now).await;
        if !first.as_ref().is_err_and(|error| error.code == "ResourceNotFoundException") {
            return first.map(drop);
        }
        self.ensure_group(&scope, group, now).await?;
        self.ensure_stream(&scope, group, stream, now).await?;
        self.append(&scope, group, stream, &events, now).await.map(drop)
    }
}

impl Logs {
    /// Appends events and notes their times in the stream's record, in one commit.
    async fn append(
        &self,
        scope: &Scope,
        group: &str,
        name: &str,
        events: &[(i64, &str)],
        now: Timestamp,
    ) -> Result<String, ApiError> {
        let now = now.as_millisecond();
        update(self.store(), &table::stream(scope, group, name), |found: Option<Stream>| {
            let mut stream = found.ok_or_else(stream::missing)?;
            let token = stream.incarnation.replace('-', "");
            let mut commit = Commit::new();
            for (index, (millis, message)) in (0..).zip(events) {
                let event = Event { message: (*message).to_owned(), ingestion_millis: now };
                let prefix = table::events_at(&stream.incarnation, *millis);
                // One commit has one stamp: the index keeps its events apart, and in order.
                let tail = KeyBuilder::new(Space::Log).u64(index).into_bytes();
                commit = commit.append(prefix, tail, event.encode()?);
            }
            let times = events.iter().map(|(millis, _)| *millis);
            stream.first_event_millis = times.clone().chain(stream.first_event_millis).min();
            stream.last_event_millis = times.chain(stream.last_event_millis).max();
            stream.last_ingestion_millis = Some(now);
            Ok::<_, ApiError>(Decision::save(stream, token).with(commit))
        })
        .await
    }
}

fn check(events: &[g::InputLogEvent]) -> Result<(), ApiError> {
    let invalid = |message: &str| Err(g::InvalidParameterException::new(message).into());
    let bytes: usize = events.iter().map(|event| event.message.len() + EVENT_OVERHEAD_BYTES).sum();
    if bytes > BATCH_BYTES_MAX {
        return invalid(&format!("Upload too large: {bytes} bytes exceeds limit of {BATCH_BYTES_MAX}"));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return invalid("Log events in a single PutLogEvents request must be in chronological order.");
    }
    match (events.first(), events.last()) {
        (Some(first), Some(last)) if last.timestamp.saturating_sub(first.timestamp) > SPAN_MILLIS_MAX => {
            invalid(
                "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
            )
        }
        _ => Ok(()),
    }
}

struct Sorted {
    accepted: std::ops::Range<usize>,
    rejected: Option<g::RejectedLogEventsInfo>,
}

/// Events too old, expired or too new are left out; the rest, between them, is kept.
fn sort_out(events: &[g::InputLogEvent], now: i64, retention_days: Option<i32>) -> Sorted {
    let before = |horizon: i64| events.partition_point(|event| event.timestamp < horizon);
    let too_old = before(now - PAST_MILLIS_MAX);
    let expired = retention_days.map_or(0, |days| before(now - i64::from(days) * 24 * HOUR_MILLIS));
    let too_new = before(now + FUTURE_MILLIS_MAX + 1);
    let info = g::RejectedLogEventsInfo {
        too_old_log_event_end_index: (too_old > 0).then_some(too_old as i32),
        expired_log_event_end_index: (expired > 0).then_some(expired as i32),
        too_new_log_event_start_index: (too_new < events.len()).then_some(too_new as i32),
    };
    let rejected = (info != g::RejectedLogEventsInfo::default()).then_some(info);
    let start = too_old.max(expired);
    Sorted { accepted: start..too_new.max(start), rejected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(times: &[i64]) -> Vec<g::InputLogEvent> {
        times
            .iter()
            .map(|timestamp| g::InputLogEvent { timestamp: *timestamp, message: "m".into() })
            .collect()
    }

    #[test]
    fn what_is_out_of_its_time_is_sorted_out() {
        let now = 100 * 24 * HOUR_MILLIS;
        let day = 24 * HOUR_MILLIS;
        let times = [now - 15 * day, now - 3 * day, now, now + FUTURE_MILLIS_MAX + 1];
        let sorted = sort_out(&events(&times), now, None);
        assert_eq!(sorted.accepted, 1..3);
        let rejected = sorted.rejected.unwrap();
        assert_eq!(rejected.too_old_log_event_end_index, Some(1));
        assert_eq!(rejected.too_new_log_event_start_index, Some(3));
        assert_eq!(sort_out(&events(&times), now, Some(1)).accepted, 2..3);
        assert!(sort_out(&events(&[now]), now, Some(1)).rejected.is_none());
    }

    #[test]
    fn batches_are_ordered_and_bounded() {
        assert!(check(&events(&[1, 1, 2])).is_ok());
        assert!(check(&events(&[2, 1])).is_err());
        assert!(check(&events(&[0, SPAN_MILLIS_MAX + 1])).is_err());
        let large = g::InputLogEvent { timestamp: 1, message: "m".repeat(BATCH_BYTES_MAX) };
        assert!(check(&[large]).is_err());
    }
}
