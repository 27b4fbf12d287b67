//! DescribeStream ListStreams

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_service::ports::{StreamShard, TableStream};

use crate::DynamoDbStreams;
use crate::generated as g;

/// Shards, or streams, of one answer.
const PAGE_MAX: i32 = 100;

pub(crate) async fn describe(
    streams: &DynamoDbStreams,
    _cx: &Context,
    input: g::DescribeStreamInput,
) -> Result<g::DescribeStreamOutput, ApiError> {
    let stream = load(streams, &input.stream_arn).await?;
    let after = input.exclusive_start_shard_id.unwrap_or_default();
    let limit = limit(input.limit)?;
    // No shard is ever split, so none has children.
    let children_only = input.shard_filter.is_some_and(|filter| filter.r#type.is_some());
    let shards = stream.shards.iter().filter(|shard| shard.id > after && !children_only);
    let mut shards: Vec<_> = shards.take(limit + 1).map(shard).collect();
    let more = shards.len() > limit;
    shards.truncate(limit);
    let last = shards.last().filter(|_| more).and_then(|shard| shard.shard_id.clone());
    let description = g::StreamDescription {
        stream_arn: Some(stream.arn),
        stream_label: Some(stream.label),
        stream_status: Some(if stream.enabled {
            g::StreamStatus::Enabled
        } else {
            g::StreamStatus::Disabled
        }),
        stream_view_type: stream.view.parse().ok(),
        creation_request_date_time: Some(stream.created),
        table_name: Some(stream.table),
        key_schema: Some(
            stream.keys.into_iter().zip([g::KeyType::Hash, g::KeyType::Range]).map(key).collect(),
        ),
        shards: Some(shards),
        last_evaluated_shard_id: last,
    };
    Ok(g::DescribeStreamOutput { stream_description: Some(description) })
}

pub(crate) async fn list(
    streams: &DynamoDbStreams,
    cx: &Context,
    input: g::ListStreamsInput,
) -> Result<g::ListStreamsOutput, ApiError> {
    let limit = limit(input.limit)? as u32;
    let (table, after) = (input.table_name.as_deref(), input.exclusive_start_stream_arn.as_deref());
    let (found, more) = streams.streams.streams(cx, table, after, limit).await?;
    let last = found.last().filter(|_| more).map(|stream| stream.arn.clone());
    let listed = found.into_iter().map(|stream| g::Stream {
        stream_arn: Some(stream.arn),
        table_name: Some(stream.table),
        stream_label: Some(stream.label),
    });
    Ok(g::ListStreamsOutput { streams: Some(listed.collect()), last_evaluated_stream_arn: last })
}

/// The stream with that ARN.
///
/// # Errors
/// `ResourceNotFoundException`.
pub(crate) async fn load(streams: &DynamoDbStreams, arn: &str) -> Result<TableStream, ApiError> {
    streams.streams.stream(arn).await?.ok_or_else(|| {
        let message = format!("Requested resource not found: Stream: {arn} not found");
        g::ResourceNotFoundException::new(message).into()
    })
}

fn limit(wanted: Option<i32>) -> Result<usize, ApiError> {
    match wanted.unwrap_or(PAGE_MAX) {
        limit @ 1..=PAGE_MAX => Ok(limit.unsigned_abs() as usize),
        limit => Err(ApiError::validation(format!(
            "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have \
             value less than or equal to {PAGE_MAX}"
        ))),
    }
}

fn shard(shard: &StreamShard) -> g::Shard {
    g::Shard {
        shard_id: Some(shard.id.clone()),
        sequence_number_range: Some(g::SequenceNumberRange {
            starting_sequence_number: Some(shard.first.clone()),
            ending_sequence_number: shard.last.clone(),
        }),
        parent_shard_id: None,
    }
}

fn key((name, key_type): (String, g::KeyType)) -> g::KeySchemaElement {
    g::KeySchemaElement { attribute_name: name, key_type }
}
