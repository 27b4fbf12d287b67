//! Amazon DynamoDB Streams: the changes of tables, read shard by shard.
//!
//! Invariants: this crate keeps nothing; the records are DynamoDB's, asked for through a port; an iterator
//! holds all that it stands for, and whoever uses one needs the permission for the stream that it names.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html>

mod access;
pub mod generated;
mod iterator;
mod record;
mod stream;

use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::Arn;
use pagoda_protocol::ApiError;
use pagoda_service::ports::ReadStream;
use pagoda_service::{Access, Context, Ownership, Service, operations};

/// The DynamoDB Streams service.
pub struct DynamoDbStreams {
    streams: Arc<dyn ReadStream>,
}

impl DynamoDbStreams {
    /// DynamoDB Streams over the streams of the tables.
    pub fn new(streams: Arc<dyn ReadStream>) -> Arc<Self> {
        Arc::new(Self { streams })
    }
}

operations!(DynamoDbStreams {
    DescribeStream => stream::describe, on access::described;
    GetRecords => record::get, on access::records_read;
    GetShardIterator => iterator::get, on access::iterator_made;
    ListStreams => stream::list, on access::listed;
});

#[async_trait]
impl Service for DynamoDbStreams {
    /// No request is long.
    const BODY_BYTES_MAX: usize = 64 * 1024;

    async fn ownership(&self, cx: &Context, access: &Access) -> Result<Ownership, ApiError> {
        let owner = access.resource.parse::<Arn>().ok().and_then(|arn| arn.account_id());
        Ok(Ownership::of(owner.unwrap_or(cx.account)))
    }
}
