//! What each operation needs.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>

use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context};

use crate::generated as g;
use crate::iterator::Iterator;

type Needs = Result<Vec<Access>, ApiError>;

pub(crate) fn described(_cx: &Context, input: &g::DescribeStreamInput) -> Needs {
    Ok(vec![Access::new("dynamodb:DescribeStream", &input.stream_arn)])
}

pub(crate) fn iterator_made(_cx: &Context, input: &g::GetShardIteratorInput) -> Needs {
    Ok(vec![Access::new("dynamodb:GetShardIterator", &input.stream_arn)])
}

pub(crate) fn records_read(_cx: &Context, input: &g::GetRecordsInput) -> Needs {
    Ok(vec![Access::new("dynamodb:GetRecords", Iterator::parse(&input.shard_iterator)?.stream)])
}

pub(crate) fn listed(_cx: &Context, _input: &g::ListStreamsInput) -> Needs {
    Ok(vec![Access::everywhere("dynamodb:ListStreams")])
}
