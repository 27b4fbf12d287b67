//! Bodies: taken in, given out, and let go.
//!
//! Small ones are rows of the store, large ones blobs. What a commit no longer names becomes garbage in
//! the same commit; the parts of a multipart object are removed later than a reader may still need them.

use std::io;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use pagoda_base::{SignedDuration, Timestamp, ids};
use pagoda_protocol::{ApiError, Body, ByteStream};
use pagoda_store::limits::INLINE_BYTES_MAX;
use pagoda_store::{BlobId, Commit, Key};

use crate::digest::Intake;
use crate::table::{self, Content, GARBAGE, Garbage, Left, PARTS, USED, Used};
use crate::{S3, error};

/// The largest body of one request.
pub(crate) const BODY_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// How long a reader of a multipart object that was replaced may take to come to its last part.
const READERS_TIME: SignedDuration = SignedDuration::from_mins(15);

/// A body that was taken in and that no commit names yet.
#[derive(Debug)]
pub(crate) enum Taken {
    Inline(Bytes),
    Blob(BlobId),
}

/// Takes in a body of a known length: in memory if it is small, else as a blob.
pub(crate) async fn take(s3: &S3, intake: &mut Intake, length: u64) -> Result<Taken, ApiError> {
    if length > INLINE_BYTES_MAX as u64 {
        return Ok(Taken::Blob(take_blob(s3, intake).await?));
    }
    let mut all = BytesMut::with_capacity(length as usize); // at most what a row holds
    while let Some(piece) = intake.next().await {
        all.extend_from_slice(&piece?);
    }
    Ok(Taken::Inline(all.freeze()))
}

/// Takes in a body as a blob, whatever its length.
pub(crate) async fn take_blob(s3: &S3, intake: &mut Intake) -> Result<BlobId, ApiError> {
    let pieces = stream::unfold(intake, |intake| async move {
        let piece = intake.next().await?;
        Some((piece.map_err(io::Error::other), intake))
    });
    let put = s3.blobs.put(pieces.boxed(), &mut |_| {}).await.map_err(error::of_blob)?;
    Ok(put.id)
}

/// The length of a body, which S3 wants to know beforehand.
pub(crate) fn length(body: &ByteStream) -> Result<u64, ApiError> {
    let message = "You must provide the Content-Length HTTP header.";
    let length = body.len().ok_or_else(|| ApiError::new("MissingContentLength", 411, message))?;
    if length > BODY_BYTES_MAX { Err(error::entity_too_large(length, BODY_BYTES_MAX)) } else { Ok(length) }
}

/// Removes a body that no commit will name. If that fails, it is found at the next start.
pub(crate) async fn discard(s3: &S3, taken: Taken) {
    if let Taken::Blob(id) = taken {
        s3.blobs.delete(id).await.ok();
    }
}

impl Taken {
    /// Adds what keeps the body to the commit that names it.
    pub(crate) fn keep(&self, s3: &S3, commit: Commit) -> Result<(Content, Commit), ApiError> {
        match self {
            Self::Inline(bytes) => {
                let id = ids::short_id(20, &*s3.random);
                let commit = commit.put(table::inline(&id), bytes.clone());
                Ok((Content::Inline(id), commit))
            }
            Self::Blob(id) => Ok((Content::Blob(*id), use_blob(commit, *id)?)),
        }
    }
}

/// Adds that a blob is in use.
pub(crate) fn use_blob(commit: Commit, id: BlobId) -> Result<Commit, ApiError> {
    Ok(USED.put(commit, &table::used(id), &Used {})?)
}

/// Adds that content is let go.
pub(crate) fn let_go(commit: Commit, content: &Content, now: Timestamp) -> Result<Commit, ApiError> {
    match content {
        Content::Inline(id) => Ok(commit.delete(table::inline(id))),
        Content::Blob(id) => let_blob_go(commit, *id, now),
        Content::Parts { upload, .. } => {
            let what = Left::Parts { upload: upload.clone(), but: Vec::new() };
            leave(commit, what, now + READERS_TIME)
        }
    }
}

/// Adds that a blob is let go. Who has opened it reads on.
pub(crate) fn let_blob_go(commit: Commit, id: BlobId, now: Timestamp) -> Result<Commit, ApiError> {
    leave(commit.delete(table::used(id)), Left::Blob(id), now)
}

/// Adds garbage.
pub(crate) fn leave(commit: Commit, what: Left, due: Timestamp) -> Result<Commit, ApiError> {
    let key = table::garbage(&what);
    Ok(GARBAGE.put(commit, &key, &Garbage { what, due })?)
}

/// Opens content for reading; nothing if it was replaced meanwhile.
pub(crate) async fn open(
    s3: &S3,
    content: &Content,
    range: Range<u64>,
) -> Result<Option<ByteStream>, ApiError> {
    let length = range.end - range.start;
    match content {
        Content::Inline(id) => {
            let row = s3.store().get(&table::inline(id)).await?;
            // The range was made for the size that is stored beside the content.
            Ok(row.map(|row| row.value.slice(range.start as usize..range.end as usize).into()))
        }
        Content::Blob(id) => match s3.blobs.get(*id, Some(range)).await {
            Ok(got) => Ok(Some(streamed(got.content.map_err(error::of_blob).boxed(), length))),
            Err(pagoda_store::BlobError::Missing(_)) => Ok(None),
            Err(other) => Err(error::of_blob(other)),
        },
        Content::Parts { upload, ranges, .. } => {
            let pieces = pieces(s3, upload, ranges, range).await?;
            let blobs = std::sync::Arc::clone(&s3.blobs);
            let pieces = stream::iter(pieces).then(move |(id, range)| {
                let blobs = std::sync::Arc::clone(&blobs);
                async move {
                    let got = blobs.get(id, Some(range)).await.map_err(error::of_blob)?;
                    Ok::<_, ApiError>(got.content.map_err(error::of_blob))
                }
            });
            Ok(Some(streamed(pieces.try_flatten().boxed(), length)))
        }
    }
}

fn streamed(pieces: BoxStream<'static, Result<Bytes, ApiError>>, length: u64) -> ByteStream {
    Body::stream(StreamBody::new(pieces.map_ok(Frame::data)), Some(length))
}

/// Which bytes of which blobs make up a range of a multipart object.
async fn pieces(
    s3: &S3,
    upload: &str,
    ranges: &[(i32, i32)],
    wanted: Range<u64>,
) -> Result<Vec<(BlobId, Range<u64>)>, ApiError> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (_, part) in parts(s3, upload, ranges).await? {
        let end = start + part.size;
        let (from, to) = (wanted.start.max(start), wanted.end.min(end));
        if from < to {
            pieces.push((part.blob, from - start..to - start));
        }
        start = end;
    }
    Ok(pieces)
}

/// The parts of an upload whose numbers are in the ranges, in order.
pub(crate) async fn parts(
    s3: &S3,
    upload: &str,
    ranges: &[(i32, i32)],
) -> Result<Vec<(i32, table::Part)>, ApiError> {
    let mut parts = Vec::new();
    let mut after = None;
    loop {
        let page = PARTS.scan(s3.store(), &table::parts(upload), after.as_ref(), 10_000).await?;
        for stored in page.items {
            let number = part_number(&stored.key)?;
            if ranges.iter().any(|(first, last)| (*first..=*last).contains(&number)) {
                parts.push((number, stored.record));
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(parts),
        }
    }
}

/// The number at the end of a part's key.
pub(crate) fn part_number(key: &Key) -> Result<i32, ApiError> {
    match pagoda_store::tuple::decode(&key.bytes).ok().and_then(|mut elements| elements.pop()) {
        Some(pagoda_store::tuple::Element::I64(number)) => {
            i32::try_from(number).map_err(|_| ApiError::internal())
        }
        _ => Err(ApiError::internal()),
    }
}
