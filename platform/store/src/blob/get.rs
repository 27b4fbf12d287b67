//! Reading a blob or a part of it: whole blocks are read and verified, the part is cut out of them.
//!
//! One chunk is read ahead of the one being sent. Nothing is held but those two.

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};

use super::files::{Files, blocking};
use super::format::{BLOCK_BYTES, Layout, TRAILER_BYTES, block_sum, finish};
use super::{BlobError, BlobId, Got};

/// Blocks read at once.
const CHUNK_BLOCKS: u64 = 8;
const CHUNK_BYTES: u64 = CHUNK_BLOCKS * BLOCK_BYTES;

struct Opened {
    id: BlobId,
    file: File,
    layout: Layout,
}

pub(super) async fn get(files: &Files, id: BlobId, range: Option<Range<u64>>) -> Result<Got, BlobError> {
    let path = files.place(id);
    let opened = blocking(move || match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(BlobError::Missing(id)),
        file => Opened::new(id, file?),
    })
    .await?;
    let bytes = opened.layout.bytes;
    let range = range.unwrap_or(0..bytes);
    if range.start > range.end || range.end > bytes {
        return Err(BlobError::Range { start: range.start, end: range.end, bytes });
    }
    let opened = Arc::new(opened);
    let reads = chunks(&range).map(move |part| {
        let opened = opened.clone();
        // Spawned as soon as it is pulled, so the next chunk is read while this one is sent.
        let read = tokio::task::spawn_blocking(move || opened.read(part));
        async move { read.await.unwrap_or_else(|error| Err(BlobError::Io(std::io::Error::other(error)))) }
    });
    Ok(Got { bytes, range, content: Box::pin(stream::iter(reads).buffered(2)) })
}

/// The parts of `range` that are read at once: cut at multiples of a chunk, so that no block is read twice.
fn chunks(range: &Range<u64>) -> impl Iterator<Item = Range<u64>> + Send + use<> {
    let Range { start, end } = *range;
    let first = start / CHUNK_BYTES;
    let behind = if start == end { first } else { end.div_ceil(CHUNK_BYTES) };
    (first..behind).map(move |chunk| start.max(chunk * CHUNK_BYTES)..end.min((chunk + 1) * CHUNK_BYTES))
}

impl Opened {
    fn new(id: BlobId, file: File) -> Result<Self, BlobError> {
        let file_bytes = file.metadata()?.len();
        let Some(trailer_at) = file_bytes.checked_sub(TRAILER_BYTES) else {
            return Err(BlobError::Corrupt(id, "its file is cut off"));
        };
        let mut trailer = [0; TRAILER_BYTES as usize];
        file.read_exact_at(&mut trailer, trailer_at)?;
        let layout = Layout::read(id, &trailer, file_bytes)?;
        Ok(Self { id, file, layout })
    }

    /// Reads a part that lies within one chunk.
    fn read(&self, part: Range<u64>) -> Result<Bytes, BlobError> {
        let first = part.start / BLOCK_BYTES;
        let behind = part.end.div_ceil(BLOCK_BYTES);
        let from = first * BLOCK_BYTES;
        let to = self.layout.bytes.min(behind * BLOCK_BYTES);
        let mut content = vec![0; (to - from) as usize]; // at most a chunk
        self.file.read_exact_at(&mut content, from)?;
        let mut sums = vec![0; (behind - first) as usize * 4];
        self.file.read_exact_at(&mut sums, self.layout.sum_at(first))?;
        let blocks = content.chunks(BLOCK_BYTES as usize).zip(sums.chunks(4));
        for (block, (content, sum)) in (first..).zip(blocks) {
            let mut digest = block_sum(self.id, block);
            digest.update(content);
            if finish(&digest).to_le_bytes() != sum {
                return Err(BlobError::Corrupt(self.id, "a block does not match its checksum"));
            }
        }
        Ok(Bytes::from(content).slice((part.start - from) as usize..(part.end - from) as usize))
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "lists of ranges are what is tested")]
mod tests {
    use super::*;

    fn check(range: Range<u64>, expected: &[Range<u64>]) {
        assert_eq!(chunks(&range).collect::<Vec<_>>(), expected, "{range:?}");
    }

    #[test]
    fn a_range_is_cut_at_chunks() {
        const C: u64 = CHUNK_BYTES;
        check(0..0, &[]);
        check(7..7, &[]);
        check(0..1, &[0..1]);
        check(5..C, &[5..C]);
        check(5..C + 1, &[5..C, C..C + 1]);
        check(C..2 * C, &[C..2 * C]);
        check(C - 1..3 * C, &[C - 1..C, C..2 * C, 2 * C..3 * C]);
    }
}
