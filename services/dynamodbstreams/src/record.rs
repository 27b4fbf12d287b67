//! GetRecords

use pagoda_protocol::{ApiError, from_json};
use pagoda_service::Context;
use pagoda_service::ports::{Position, StreamRecords};

use crate::DynamoDbStreams;
use crate::generated as g;
use crate::iterator::Iterator;

const RECORDS_MAX: i32 = 1_000;

pub(crate) async fn get(
    streams: &DynamoDbStreams,
    cx: &Context,
    input: g::GetRecordsInput,
) -> Result<g::GetRecordsOutput, ApiError> {
    let limit = input.limit.unwrap_or(RECORDS_MAX);
    if limit > RECORDS_MAX {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have \
             value less than or equal to {RECORDS_MAX}"
        )));
    }
    let mut iterator = Iterator::parse(&input.shard_iterator)?;
    iterator.check_age(cx.now)?;
    let page = read(streams, &iterator, limit.unsigned_abs()).await?;
    if let Some(last) = page.records.last() {
        iterator.position = Position::After(last.sequence.clone());
    }
    iterator.made = cx.now;
    let records = page.records.iter().map(|record| from_json::<g::Record>("GetRecords", &record.body));
    Ok(g::GetRecordsOutput {
        records: Some(records.collect::<Result<_, _>>()?),
        next_shard_iterator: (!page.ended).then(|| iterator.text()),
    })
}

/// What an iterator finds.
pub(crate) async fn read(
    streams: &DynamoDbStreams,
    iterator: &Iterator,
    limit: u32,
) -> Result<StreamRecords, ApiError> {
    streams.streams.read(&iterator.stream, &iterator.shard, &iterator.position, limit).await
}
