//! The records that S3 keeps, and their keys.
//!
//! Objects and uploads are kept under their bucket's incarnation, so that a name made anew starts empty,
//! and in the order of their keys' bytes, so that a listing is one range.

use std::collections::BTreeMap;

use pagoda_base::{AccountId, Region, Timestamp};
use pagoda_store::{BlobId, Key, KeyBuilder, Record, Space, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::notification::Rule;

/// A bucket with its configuration: one record, so that a change is one commit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) created: Timestamp,
    pub(crate) incarnation: String,
    pub(crate) policy: Option<String>,
    /// The configuration as the API's model has it.
    pub(crate) website: Option<serde_json::Value>,
    /// The configuration as the API's model has it.
    pub(crate) cors: Option<serde_json::Value>,
    pub(crate) block: Option<Block>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) notifications: Vec<Rule>,
}

/// [`Bucket`] before there were notifications.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BucketV1 {
    name: String,
    account: AccountId,
    region: Region,
    created: Timestamp,
    incarnation: String,
    policy: Option<String>,
    website: Option<serde_json::Value>,
    cors: Option<serde_json::Value>,
    block: Option<Block>,
    tags: BTreeMap<String, String>,
}

impl Record for Bucket {
    const KIND: &str = "s3.bucket";
    const VERSION: u8 = 2;

    fn migrate(version: u8, body: &[u8]) -> Result<Self, StoreError> {
        BucketV1::read(version, body).map(|old| Self {
            name: old.name,
            account: old.account,
            region: old.region,
            created: old.created,
            incarnation: old.incarnation,
            policy: old.policy,
            website: old.website,
            cors: old.cors,
            block: old.block,
            tags: old.tags,
            notifications: Vec::new(),
        })
    }
}

/// The public access block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) block_public_acls: bool,
    pub(crate) ignore_public_acls: bool,
    pub(crate) block_public_policy: bool,
    pub(crate) restrict_public_buckets: bool,
}

/// Finds an account's buckets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Owned {
    pub(crate) region: Region,
    pub(crate) created: Timestamp,
}

/// What every write into a bucket checks: see [`crate::fence`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fence {
    pub(crate) closing: bool,
}

/// An object, without its content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// To the second, as HTTP tells it.
    pub(crate) modified: Timestamp,
    pub(crate) content: Content,
    pub(crate) sum: Sum,
    pub(crate) headers: Headers,
    pub(crate) tags: BTreeMap<String, String>,
}

/// Where the content of an object is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Content {
    /// In the row [`inline`] of this id.
    Inline(String),
    /// In a blob.
    Blob(BlobId),
    /// In the parts of an upload: those in the ranges (both ends included).
    Parts { upload: String, ranges: Vec<(i32, i32)>, count: i32 },
}

/// A checksum that clients can ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    /// S3's name of the algorithm.
    pub(crate) algorithm: String,
    /// In base64; a composite one has `-N` behind it.
    pub(crate) value: String,
    /// Over the whole object, rather than over its parts' checksums.
    pub(crate) full: bool,
}

/// The headers that are stored with an object and answered with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Headers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redirect: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A multipart upload in progress.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) initiated: Timestamp,
    /// Who began it: an ARN.
    pub(crate) initiator: String,
    /// The checksum that the client asked for.
    pub(crate) algorithm: Option<String>,
    /// Of the object, rather than of its parts' checksums.
    pub(crate) full: bool,
    pub(crate) headers: Headers,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A part of an upload, and of the object that it becomes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) blob: BlobId,
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) modified: Timestamp,
    pub(crate) sum: Sum,
}

/// Says that a blob is in use. What has no such row is left over from a crash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Used {}

/// What nobody can see any more, to be removed once it is due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Garbage {
    pub(crate) what: Left,
    pub(crate) due: Timestamp,
}

/// Kinds of garbage.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Left {
    /// A blob.
    Blob(BlobId),
    /// The parts of an upload, but those in the ranges.
    Parts { upload: String, but: Vec<(i32, i32)> },
    /// The uploads of a bucket that is gone, by its incarnation.
    Bucket(String),
}

pub(crate) const BUCKETS: Table<Bucket> = Table::new(Space::Meta);
pub(crate) const OWNED: Table<Owned> = Table::new(Space::Index);
pub(crate) const FENCES: Table<Fence> = Table::new(Space::Lease);
pub(crate) const OBJECTS: Table<Object> = Table::new(Space::Data);
pub(crate) const UPLOADS: Table<Upload> = Table::new(Space::Data);
pub(crate) const PARTS: Table<Part> = Table::new(Space::Data);
pub(crate) const USED: Table<Used> = Table::new(Space::Index);
pub(crate) const GARBAGE: Table<Garbage> = Table::new(Space::Queue);

macro_rules! records {
    ($($record:ident: $kind:literal),* $(,)?) => {$(
        impl Record for $record {
            const KIND: &str = $kind;
            const VERSION: u8 = 1;
        }
    )*};
}

records!(
    BucketV1: "s3.bucket",
    Owned: "s3.owned",
    Fence: "s3.fence",
    Object: "s3.object",
    Upload: "s3.upload",
    Part: "s3.part",
    Used: "s3.used",
    Garbage: "s3.garbage",
);

pub(crate) fn bucket(name: &str) -> Key {
    BUCKETS.key().text(name).done()
}

/// All of an account's buckets.
pub(crate) fn owned_by(account: AccountId) -> Key {
    OWNED.key().text(account.as_str()).done()
}

pub(crate) fn owned(account: AccountId, name: &str) -> Key {
    KeyBuilder::under(&owned_by(account)).text(name).done()
}

pub(crate) fn fence(incarnation: &str) -> Key {
    FENCES.key().text(incarnation).done()
}

/// All objects of a bucket.
pub(crate) fn objects(incarnation: &str) -> Key {
    OBJECTS.key().text(incarnation).done()
}

/// An object; `key` may also be the first bytes of keys.
pub(crate) fn object(incarnation: &str, key: &[u8]) -> Key {
    KeyBuilder::under(&objects(incarnation)).bytes(key).done()
}

/// The row that holds a small object's content.
pub(crate) fn inline(id: &str) -> Key {
    KeyBuilder::new(Space::Data).text("s3.content").text(id).done()
}

/// All uploads into a bucket.
pub(crate) fn uploads(incarnation: &str) -> Key {
    UPLOADS.key().text(incarnation).done()
}

/// An upload. Ids begin with their time, so the uploads of a key are in the order of their beginning.
pub(crate) fn upload(incarnation: &str, key: &[u8], id: &str) -> Key {
    KeyBuilder::under(&uploads(incarnation)).bytes(key).text(id).done()
}

/// Counts the changes to an upload's parts, so that its completion notices one.
pub(crate) fn changes(upload: &str) -> Key {
    KeyBuilder::new(Space::Lease).text("s3.changes").text(upload).done()
}

/// All parts of an upload.
pub(crate) fn parts(upload: &str) -> Key {
    PARTS.key().text(upload).done()
}

pub(crate) fn part(upload: &str, number: i32) -> Key {
    KeyBuilder::under(&parts(upload)).i64(i64::from(number)).done()
}

pub(crate) fn used(blob: BlobId) -> Key {
    USED.key().text(&blob.to_string()).done()
}

pub(crate) fn garbage(what: &Left) -> Key {
    let key = GARBAGE.key();
    match what {
        Left::Blob(id) => key.text("blob").text(&id.to_string()),
        Left::Parts { upload, .. } => key.text("parts").text(upload),
        Left::Bucket(incarnation) => key.text("bucket").text(incarnation),
    }
    .done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_one_of_a_bucket_still_decodes() {
        let stored = r#"{"name":"b","account":"123456789012","region":"us-east-1","created":"2026-01-01T00:00:00Z","incarnation":"i","policy":null,"website":null,"cors":null,"block":null,"tags":{"a":"b"}}"#;
        let bucket = Bucket::decode(&[&[1], stored.as_bytes()].concat()).unwrap();
        assert_eq!((bucket.tags.len(), bucket.notifications.len()), (1, 0));
    }
}
