//! Blobs: immutable bytes too large for the store.
//!
//! A blob exists once [`Blob::put`] has answered; it is reachable once a commit of the store names it.
//! Invariants: bytes that are not what was put are never answered as such; memory is constant in a
//! blob's size (but for four bytes per 64 KiB while it is put). A crash between put and commit leaves
//! an orphan: the service that owns the references sweeps them, shard by shard, through
//! [`Blob::list`], and touches none that is younger than its own start. Bodies of up to
//! [`crate::limits::INLINE_BYTES_MAX`] bytes belong in the store's values, where they share its fsync.

mod files;
mod format;
mod get;
mod put;

use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::str::FromStr;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use pagoda_base::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::files::Files;

/// How many parts [`Blob::list`] comes in.
pub const SHARDS: u16 = 256;

/// The name of a blob: random, never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobId([u8; 16]);

/// Bytes on their way in.
pub type Body<'a> = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send + 'a>>;
/// Bytes on their way out.
pub type Content = Pin<Box<dyn Stream<Item = Result<Bytes, BlobError>> + Send>>;
/// Sees every byte as it passes, in order: for checksums and digests.
pub type Tap<'a> = &'a mut (dyn FnMut(&[u8]) + Send);

/// A blob that was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put {
    /// Its name.
    pub id: BlobId,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A blob being read.
pub struct Got {
    /// Length of the whole blob, in bytes.
    pub bytes: u64,
    /// The part that is answered.
    pub range: Range<u64>,
    /// Its bytes, each piece verified before it is handed out.
    pub content: Content,
}

/// A blob found by [`Blob::list`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub id: BlobId,
    /// When it was put.
    pub since: Timestamp,
}

/// What can go wrong with a blob.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is none of that name.
    #[error("there is no blob {0}")]
    Missing(BlobId),
    /// What is stored is not what was put.
    #[error("blob {0} is corrupt: {1}")]
    Corrupt(BlobId, &'static str),
    /// The wanted part is not within the blob.
    #[error("bytes {start} to {end} are not within a blob of {bytes} bytes")]
    Range {
        /// First byte wanted.
        start: u64,
        /// First byte not wanted.
        end: u64,
        /// The blob's length.
        bytes: u64,
    },
    /// The body that was to be put ended with an error; nothing is stored.
    #[error("the body ended early: {0}")]
    Body(#[source] std::io::Error),
    /// There is no room for the blob; nothing is stored.
    #[error("the disk is full")]
    Full,
    /// The operating system refused.
    #[error("storing or reading failed: {0}")]
    Io(#[source] std::io::Error),
}

/// Where blobs are kept.
#[async_trait]
pub trait Blob: Send + Sync + 'static {
    /// Stores a body; when it answers, the blob survives power loss. `tap` sees every byte.
    /// If the caller stops waiting, or the body fails, nothing remains.
    async fn put(&self, body: Body<'_>, tap: Tap<'_>) -> Result<Put, BlobError>;

    /// The bytes of a blob, or the part of them in `range` (which must lie within it).
    async fn get(&self, id: BlobId, range: Option<Range<u64>>) -> Result<Got, BlobError>;

    /// Removes a blob; one that isn't there is removed already. Who is reading it reads on.
    async fn delete(&self, id: BlobId) -> Result<(), BlobError>;

    /// The blobs of one shard, below [`SHARDS`], in no order.
    async fn list(&self, shard: u16) -> Result<Vec<Listed>, BlobError>;
}

impl BlobId {
    pub(crate) fn new(random: &dyn pagoda_base::Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// The shard that lists the blob.
    pub fn shard(&self) -> u16 {
        u16::from(self.0[0])
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text was not 32 hexadecimal digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is not a blob's name: 32 hexadecimal digits are")]
pub struct InvalidBlobId(String);

impl FromStr for BlobId {
    type Err = InvalidBlobId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidBlobId(text.into()))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for BlobId {
    type Error = InvalidBlobId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BlobId> for String {
    fn from(id: BlobId) -> String {
        id.to_string()
    }
}

impl From<std::io::Error> for BlobError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io(error),
        }
    }
}
