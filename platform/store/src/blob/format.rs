//! How a blob lies in its file: content, one CRC-32C for each block of 64 KiB, a trailer.
//!
//! The content comes first and unchanged, so offsets in the file are offsets in the blob. A block's
//! checksum is seeded with its number and the blob's name, so no block passes for another.

use bytes::{Buf, BufMut};
use crc_fast::{CrcAlgorithm, Digest};

use super::{BlobError, BlobId};

/// What one checksum covers.
pub(super) const BLOCK_BYTES: u64 = 64 * 1024;
/// Length of the trailer.
pub(super) const TRAILER_BYTES: u64 = 20;
const FORMAT: &[u8; 8] = b"blob-v1\n";
const SUM_BYTES: u64 = 4;

/// Where things are in the file of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Length of the content.
    pub(super) bytes: u64,
}

impl Layout {
    /// How many blocks the content has, the last one perhaps short.
    pub(super) fn blocks(&self) -> u64 {
        self.bytes.div_ceil(BLOCK_BYTES)
    }

    /// Where the checksum of a block is.
    pub(super) fn sum_at(&self, block: u64) -> u64 {
        self.bytes + block * SUM_BYTES
    }

    /// Length of the file.
    pub(super) fn file_bytes(&self) -> u64 {
        self.sum_at(self.blocks()) + TRAILER_BYTES
    }

    /// The trailer of blob `id`.
    pub(super) fn trailer(&self, id: BlobId) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(TRAILER_BYTES as usize);
        bytes.extend_from_slice(FORMAT);
        bytes.put_u64_le(self.bytes);
        bytes.put_u32_le(trailer_sum(id, &bytes));
        bytes
    }

    /// Reads the trailer at the end of a file of `file_bytes`.
    pub(super) fn read(id: BlobId, trailer: &[u8], file_bytes: u64) -> Result<Self, BlobError> {
        let damaged = BlobError::Corrupt(id, "its trailer is damaged");
        if trailer.len() as u64 != TRAILER_BYTES || !trailer.starts_with(FORMAT) {
            return Err(damaged);
        }
        let (content, mut sum) = trailer.split_at(16);
        if sum.get_u32_le() != trailer_sum(id, content) {
            return Err(damaged);
        }
        let layout = Self { bytes: (&content[8..]).get_u64_le() };
        if layout.bytes > file_bytes || layout.file_bytes() != file_bytes {
            return Err(BlobError::Corrupt(id, "its file has the wrong length"));
        }
        Ok(layout)
    }
}

/// Begins the checksum of a block.
pub(super) fn block_sum(id: BlobId, block: u64) -> Digest {
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    digest.update(&id.0);
    digest.update(&block.to_le_bytes());
    digest
}

/// Ends it.
pub(super) fn finish(digest: &Digest) -> u32 {
    digest.finalize() as u32 // a 32-bit algorithm: the upper half is zero
}

fn trailer_sum(id: BlobId, content: &[u8]) -> u32 {
    let mut digest = block_sum(id, u64::MAX);
    digest.update(content);
    finish(&digest)
}
