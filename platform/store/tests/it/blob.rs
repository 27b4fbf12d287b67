//! Blobs come back as they went in, or not at all.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use pagoda_base::SeededRandom;
use pagoda_store::blob::{Blob, BlobError, BlobId, Body, Files, SHARDS};

const BLOCK: usize = 64 * 1024;

fn files(dir: &Path) -> Files {
    Files::open(dir, Arc::new(SeededRandom::new(3))).unwrap()
}

fn content(bytes: usize) -> Bytes {
    (0..bytes).map(|place| (place * 31 + place / 251) as u8).collect()
}

fn body(content: &Bytes, piece: usize) -> Body<'static> {
    let pieces: Vec<_> = content.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces).boxed()
}

async fn read(files: &Files, id: BlobId, range: Option<std::ops::Range<u64>>) -> Result<Bytes, BlobError> {
    let got = files.get(id, range).await?;
    let pieces: Vec<Bytes> = got.content.try_collect().await?;
    Ok(pieces.concat().into())
}

async fn put(files: &Files, content: &Bytes) -> BlobId {
    files.put(body(content, 10_000), &mut |_| {}).await.unwrap().id
}

fn place(dir: &Path, id: BlobId) -> PathBuf {
    let name = id.to_string();
    dir.join(&name[..2]).join(name)
}

#[tokio::test]
async fn blobs_of_all_lengths_come_back_whole_and_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    for bytes in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 8 * BLOCK, 20 * BLOCK + 7] {
        let content = content(bytes);
        let mut tapped = Vec::new();
        let put =
            files.put(body(&content, 10_000), &mut |piece| tapped.extend_from_slice(piece)).await.unwrap();
        assert_eq!((put.bytes, &tapped[..]), (bytes as u64, &content[..]));
        assert_eq!(read(&files, put.id, None).await.unwrap(), content);
        for (start, end) in
            [(0, 0), (bytes, bytes), (bytes / 2, bytes), (bytes / 3, bytes / 2), (0, bytes.min(1))]
        {
            let part = read(&files, put.id, Some(start as u64..end as u64)).await.unwrap();
            assert_eq!(part, content[start..end], "{start}..{end} of {bytes}");
        }
        let beyond = files.get(put.id, Some(0..bytes as u64 + 1)).await.err();
        assert!(matches!(beyond, Some(BlobError::Range { .. })), "{beyond:?}");
    }
}

#[tokio::test]
async fn damage_is_never_answered_as_content() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    let content = content(3 * BLOCK + 100);
    let id = put(&files, &content).await;
    let path = place(dir.path(), id);
    let good = std::fs::read(&path).unwrap();
    for bit in
        [0, 8 * BLOCK + 3, 8 * (3 * BLOCK + 99), 8 * content.len(), 8 * (good.len() - 15), 8 * good.len() - 1]
    {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, bad).unwrap();
        let answer = read(&files, id, None).await;
        assert!(matches!(answer, Err(BlobError::Corrupt(..))), "bit {bit}");
    }
    for length in [0, 10, BLOCK, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(matches!(read(&files, id, None).await, Err(BlobError::Corrupt(..))), "cut off at {length}");
    }
    let other = put(&files, &content).await;
    std::fs::copy(place(dir.path(), other), &path).unwrap();
    assert!(matches!(read(&files, id, None).await, Err(BlobError::Corrupt(..))), "another blob's file");
}

#[tokio::test]
async fn an_intact_part_of_a_damaged_blob_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    let content = content(3 * BLOCK);
    let id = put(&files, &content).await;
    let path = place(dir.path(), id);
    let mut bad = std::fs::read(&path).unwrap();
    bad[BLOCK + 5] ^= 1;
    std::fs::write(&path, bad).unwrap();
    assert_eq!(read(&files, id, Some(0..BLOCK as u64)).await.unwrap(), content[..BLOCK]);
    let damaged = read(&files, id, Some(BLOCK as u64..BLOCK as u64 + 1)).await;
    assert!(matches!(damaged, Err(BlobError::Corrupt(..))));
}

async fn all(files: &Files) -> Vec<BlobId> {
    let mut ids = Vec::new();
    for shard in 0..SHARDS {
        ids.extend(files.list(shard).await.unwrap().into_iter().map(|listed| listed.id));
    }
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn listed_is_what_was_put_and_not_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    let mut ids = Vec::new();
    for bytes in 0..20 {
        ids.push(put(&files, &content(bytes)).await);
    }
    let gone = ids.pop().unwrap();
    files.delete(gone).await.unwrap();
    files.delete(gone).await.unwrap();
    assert!(matches!(read(&files, gone, None).await, Err(BlobError::Missing(id)) if id == gone));
    ids.sort_unstable();
    assert_eq!(all(&files).await, ids);
}

#[tokio::test]
async fn a_body_that_fails_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    let pieces = vec![Ok(content(1 << 20)), Err(io::ErrorKind::ConnectionReset.into())];
    let failed = files.put(stream::iter(pieces).boxed(), &mut |_| {}).await;
    assert!(matches!(failed, Err(BlobError::Body(_))), "{failed:?}");
    assert_eq!(std::fs::read_dir(dir.path().join("new")).unwrap().count(), 0);
    std::fs::write(dir.path().join("new/half"), "left by a crash").unwrap();
    let reopened = self::files(dir.path());
    assert_eq!(std::fs::read_dir(dir.path().join("new")).unwrap().count(), 0);
    assert_eq!(all(&reopened).await, []);
}

#[tokio::test]
async fn who_reads_a_deleted_blob_reads_on() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    let content = content(40 * BLOCK);
    let id = put(&files, &content).await;
    let got = files.get(id, None).await.unwrap();
    files.delete(id).await.unwrap();
    let pieces: Vec<Bytes> = got.content.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), content);
}
