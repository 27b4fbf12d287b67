//! Storing a body: gather, checksum, write, sync, rename, sync the folder.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use crc_fast::Digest;
use futures_util::StreamExt;

use super::files::{Files, blocking};
use super::format::{BLOCK_BYTES, Layout, block_sum, finish};
use super::{BlobError, BlobId, Body, Put, Tap};

/// Written at once: large enough that moving to a blocking thread costs nothing beside it.
const CHUNK_BYTES: usize = 512 * 1024;

/// A file that removes itself unless it was moved to its place.
struct Unfinished {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.kept {
            std::fs::remove_file(&self.path).ok(); // what remains is removed at the next start
        }
    }
}

/// The checksums of the blocks so far.
struct Sums {
    id: BlobId,
    done: Vec<u8>,
    current: Digest,
    current_bytes: u64,
    bytes: u64,
}

pub(super) async fn put(
    files: &Files,
    id: BlobId,
    mut body: Body<'_>,
    tap: Tap<'_>,
) -> Result<Put, BlobError> {
    let path = files.unfinished(id);
    let mut target = blocking(move || {
        let file = File::create_new(&path)?;
        let sums = Sums { id, done: Vec::new(), current: block_sum(id, 0), current_bytes: 0, bytes: 0 };
        Ok((Unfinished { path, file, kept: false }, sums))
    })
    .await?;
    let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(BlobError::Body)?;
        tap(&piece);
        chunk.extend_from_slice(&piece);
        if chunk.len() >= CHUNK_BYTES {
            target = write(target, chunk.split().freeze()).await?;
            chunk.reserve(CHUNK_BYTES);
        }
    }
    let (unfinished, sums) = write(target, chunk.freeze()).await?;
    let (place, dir) = (files.place(id), files.shard_dir(id.shard()));
    blocking(move || finished(unfinished, sums, place, dir)).await
}

async fn write(
    (unfinished, sums): (Unfinished, Sums),
    chunk: Bytes,
) -> Result<(Unfinished, Sums), BlobError> {
    let (mut unfinished, mut sums) = (unfinished, sums);
    blocking(move || {
        unfinished.file.write_all(&chunk)?;
        sums.add(&chunk);
        Ok((unfinished, sums))
    })
    .await
}

fn finished(mut unfinished: Unfinished, sums: Sums, place: PathBuf, dir: PathBuf) -> Result<Put, BlobError> {
    let (id, bytes) = (sums.id, sums.bytes);
    let mut end = sums.end();
    end.extend_from_slice(&Layout { bytes }.trailer(id));
    unfinished.file.write_all(&end)?;
    unfinished.file.sync_all()?;
    std::fs::rename(&unfinished.path, place)?;
    unfinished.kept = true;
    File::open(dir)?.sync_all()?;
    Ok(Put { id, bytes })
}

impl Sums {
    fn add(&mut self, mut content: &[u8]) {
        while !content.is_empty() {
            let room = (BLOCK_BYTES - self.current_bytes) as usize; // at most a block's length
            let (now, later) = content.split_at(room.min(content.len()));
            self.current.update(now);
            self.current_bytes += now.len() as u64;
            self.bytes += now.len() as u64;
            if self.current_bytes == BLOCK_BYTES {
                self.close_block();
            }
            content = later;
        }
    }

    fn close_block(&mut self) {
        self.done.extend_from_slice(&finish(&self.current).to_le_bytes());
        self.current = block_sum(self.id, self.bytes.div_ceil(BLOCK_BYTES));
        self.current_bytes = 0;
    }

    fn end(mut self) -> Vec<u8> {
        if self.current_bytes > 0 {
            self.close_block();
        }
        self.done
    }
}
