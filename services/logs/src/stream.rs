//! CreateLogStream DescribeLogStreams DeleteLogStream

use pagoda_base::{Timestamp, ids};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome};

use crate::generated as g;
use crate::table::{self, GARBAGE, Garbage, STREAMS, Stream};
use crate::{Logs, Scope, group, token};

const LIMIT_DEFAULT: i32 = 50;

pub(crate) async fn create(
    logs: &Logs,
    cx: &Context,
    input: g::CreateLogStreamRequest,
) -> Result<Unit, ApiError> {
    if input.log_stream_name.contains([':', '*']) {
        let message = "Log stream names can't contain ':' (colon) or '*' (asterisk).";
        return Err(g::InvalidParameterException::new(message).into());
    }
    let (scope, name) = (Scope::of(cx), &input.log_stream_name);
    if logs.ensure_stream(&scope, &input.log_group_name, name, cx.now).await? {
        Ok(Unit)
    } else {
        Err(g::ResourceAlreadyExistsException::new("The specified log stream already exists").into())
    }
}

pub(crate) async fn describe(
    logs: &Logs,
    cx: &Context,
    input: g::DescribeLogStreamsRequest,
) -> Result<g::DescribeLogStreamsResponse, ApiError> {
    let name = group::named(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let by_time = input.order_by == Some(g::OrderBy::LastEventTime);
    if by_time && input.log_stream_name_prefix.is_some() {
        let message = "Cannot order by LastEventTime with a logStreamNamePrefix.";
        return Err(g::InvalidParameterException::new(message).into());
    }
    let scope = Scope::of(cx);
    group::load(logs, &scope, &name).await?;
    let mut streams = all(logs, &scope, &name).await?;
    let prefix = input.log_stream_name_prefix.unwrap_or_default();
    streams.retain(|stream| stream.name.starts_with(&prefix));
    if by_time {
        streams.sort_by_key(|stream| stream.last_event_millis);
    }
    if input.descending.unwrap_or(false) {
        streams.reverse();
    }
    let start = match input.next_token {
        None => 0,
        Some(text) => {
            let last = token::read::<String>(&text)?;
            streams.iter().position(|stream| stream.name == last).map_or(0, |at| at + 1)
        }
    };
    let limit = input.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_DEFAULT) as usize;
    let more = streams.len() > start + limit;
    let page: Vec<Stream> = streams.into_iter().skip(start).take(limit).collect();
    let next_token = page.last().filter(|_| more).map(|last| token::write(&last.name));
    let log_streams = Some(page.iter().map(|stream| describe_one(&scope, &name, stream)).collect());
    Ok(g::DescribeLogStreamsResponse { log_streams, next_token })
}

pub(crate) async fn delete(
    logs: &Logs,
    cx: &Context,
    input: g::DeleteLogStreamRequest,
) -> Result<Unit, ApiError> {
    let scope = Scope::of(cx);
    group::load(logs, &scope, &input.log_group_name).await?;
    let key = table::stream(&scope, &input.log_group_name, &input.log_stream_name);
    let stored = STREAMS.get(logs.store(), &key).await?.ok_or_else(missing)?;
    let garbage = Garbage { incarnation: stored.record.incarnation.clone() };
    let commit = STREAMS.remove(Commit::new(), &stored);
    let commit = GARBAGE.put(commit, &table::garbage(&garbage.incarnation), &garbage)?;
    match logs.store().commit(commit).await? {
        Outcome::CheckFailed { .. } => Err(group::aborted()),
        outcome => {
            outcome.done()?;
            logs.sweep.now();
            Ok(Unit)
        }
    }
}

impl Logs {
    /// Makes the stream unless it exists; whether it was made. Its group must exist.
    pub(crate) async fn ensure_stream(
        &self,
        scope: &Scope,
        group_name: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<bool, ApiError> {
        let group = group::load(self, scope, group_name).await?;
        let stream = Stream {
            name: name.to_owned(),
            incarnation: ids::uuid(&*self.random),
            created: now,
            first_event_millis: None,
            last_event_millis: None,
            last_ingestion_millis: None,
        };
        let commit = Commit::new().at(group.key, group.stamp);
        let commit = STREAMS.create(commit, &table::stream(scope, group_name, name), &stream)?;
        match self.store().commit(commit).await? {
            Outcome::CheckFailed { check: 0, .. } => Err(group::aborted()),
            Outcome::CheckFailed { .. } => Ok(false),
            outcome => Ok(outcome.done().map(|_| true)?),
        }
    }
}

/// All streams of a group, by name.
pub(crate) async fn all(logs: &Logs, scope: &Scope, group: &str) -> Result<Vec<Stream>, ApiError> {
    Ok(STREAMS.all(logs.store(), &table::streams(scope, group)).await?)
}

pub(crate) fn missing() -> ApiError {
    g::ResourceNotFoundException::new("The specified log stream does not exist.").into()
}

fn describe_one(scope: &Scope, group: &str, stream: &Stream) -> g::LogStream {
    g::LogStream {
        log_stream_name: Some(stream.name.clone()),
        creation_time: Some(stream.created.as_millisecond()),
        first_event_timestamp: stream.first_event_millis,
        last_event_timestamp: stream.last_event_millis,
        last_ingestion_time: stream.last_ingestion_millis,
        upload_sequence_token: Some(stream.incarnation.replace('-', "")),
        arn: Some(format!("{}:log-stream:{}", group::arn(scope, group), stream.name)),
        stored_bytes: Some(0),
    }
}
