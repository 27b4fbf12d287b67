//! The changes of a table in their order, for those who hand them on.

use async_trait::async_trait;
use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_store::Watch;
use serde_json::Value;

/// A stream of a table.
#[derive(Debug, Clone)]
pub struct TableStream {
    /// `arn:aws:dynamodb:…:table/T/stream/LABEL`.
    pub arn: String,
    /// When it was made, as its ARN has it.
    pub label: String,
    /// The table's name.
    pub table: String,
    /// `KEYS_ONLY`, `NEW_IMAGE`, …
    pub view: &'static str,
    /// Changes of the table are still written to it.
    pub enabled: bool,
    /// When it was made.
    pub created: Timestamp,
    /// The partition key's name, then the sort key's.
    pub keys: Vec<String>,
    /// Its shards. All changes of one item are in one of them.
    pub shards: Vec<StreamShard>,
}

/// A part of a stream.
#[derive(Debug, Clone)]
pub struct StreamShard {
    /// `shardId-…`.
    pub id: String,
    /// No record has a lower sequence number.
    pub first: String,
    /// No record has a higher one; nothing while the stream is enabled.
    pub last: Option<String>,
}

/// Where in a shard to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// The oldest record that is still kept.
    Oldest,
    /// The record with this sequence number.
    At(String),
    /// Behind the record with this sequence number.
    After(String),
}

/// A change.
#[derive(Debug, Clone)]
pub struct StreamRecord {
    /// Decimal digits, all of the same number: they sort as numbers do.
    pub sequence: String,
    /// To the second.
    pub created: Timestamp,
    /// The same for all changes of one partition key.
    pub group: u32,
    /// The record as DynamoDB Streams answers it; blobs in base64, times in seconds.
    pub body: Value,
}

/// Some records of a shard.
#[derive(Debug, Clone, Default)]
pub struct StreamRecords {
    /// In their order.
    pub records: Vec<StreamRecord>,
    /// More are there already.
    pub more: bool,
    /// The shard is closed, and nothing is behind these.
    pub ended: bool,
}

/// Reads streams. Whoever asks has been authorized before.
#[async_trait]
pub trait ReadStream: Send + Sync {
    /// The stream with this ARN, if there is one.
    async fn stream(&self, arn: &str) -> Result<Option<TableStream>, ApiError>;

    /// The streams of the ARN's account and region, of one table if `table` names it, behind the stream `after`.
    async fn streams(
        &self,
        cx: &crate::Context,
        table: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<TableStream>, bool), ApiError>;

    /// The sequence number behind which all further records will be.
    async fn latest(&self) -> Result<String, ApiError>;

    /// The sequence number of the first record from `time` on, if there is one.
    async fn at_time(&self, arn: &str, shard: &str, time: Timestamp) -> Result<Option<String>, ApiError>;

    /// Up to `limit` records from `position` on.
    ///
    /// # Errors
    /// `ResourceNotFoundException`; `TrimmedDataAccessException` for a position that is older than what is kept.
    async fn read(
        &self,
        arn: &str,
        shard: &str,
        position: &Position,
        limit: u32,
    ) -> Result<StreamRecords, ApiError>;

    /// Hints that the shard has new records, or has been closed.
    fn watch(&self, arn: &str, shard: &str) -> Watch;
}
