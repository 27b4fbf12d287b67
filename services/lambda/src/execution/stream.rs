//! The bodies of a guest's answers: collected, or passed on piece by piece.
//!
//! Invariant: a body is read to its end even if it is too large or nobody wants it any more: a runtime that is
//! still sending would not hear the answer.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::mpsc;

use super::api::kind;
use super::desk::Answer;

/// The largest streamed answer, in bytes.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html>
pub(super) const STREAM_BYTES_MAX: usize = 200 << 20;
/// How much of a body that is too large is read, in bytes.
const DISCARDED_BYTES_MAX: u64 = 1 << 30;
const ERROR_BODY: &str = "lambda-runtime-function-error-body";

/// A part of a streamed answer, as it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// What kind of content follows, before everything else.
    Type(String),
    Data(Bytes),
}

/// The answer that is `body`, at most `bytes_max`; nothing if it broke off.
pub(super) async fn collect(mut body: Incoming, bytes_max: usize) -> Option<Answer> {
    let mut collected = BytesMut::new();
    let mut size = 0;
    let mut failed = None;
    while let Some(frame) = body.frame().await {
        match frame.ok()?.into_data() {
            Ok(data) => {
                size += data.len() as u64;
                if size <= bytes_max as u64 {
                    collected.extend_from_slice(&data);
                }
            }
            Err(frame) => failed = frame.into_trailers().ok().and_then(|trailers| failure(&trailers)),
        }
        if size > DISCARDED_BYTES_MAX {
            break;
        }
    }
    let answer = if size > bytes_max as u64 {
        Answer::TooLarge(size, bytes_max)
    } else {
        Answer::Response(collected.freeze())
    };
    Some(failed.unwrap_or(answer))
}

/// The same, with each piece passed on as it comes; the answer itself is empty then.
pub(super) async fn pass_on(
    mut body: Incoming,
    content_type: String,
    pieces: mpsc::Sender<Piece>,
) -> Option<Answer> {
    let mut size = 0;
    let mut failed = None;
    // Whoever went away doesn't end the invocation, here or below.
    let _ = pieces.send(Piece::Type(content_type)).await;
    while let Some(frame) = body.frame().await {
        match frame.ok()?.into_data() {
            Ok(data) => {
                size += data.len() as u64;
                if size <= STREAM_BYTES_MAX as u64 && !data.is_empty() {
                    let _ = pieces.send(Piece::Data(data)).await;
                }
            }
            Err(frame) => failed = frame.into_trailers().ok().and_then(|trailers| failure(&trailers)),
        }
        if size > DISCARDED_BYTES_MAX {
            break;
        }
    }
    if size > STREAM_BYTES_MAX as u64 {
        return Some(Answer::TooLarge(size, STREAM_BYTES_MAX));
    }
    Some(failed.unwrap_or(Answer::Response(Bytes::new())))
}

/// The failure that the end of a body tells.
fn failure(trailers: &HeaderMap) -> Option<Answer> {
    let kind = kind(trailers)?;
    let body = trailers.get(ERROR_BODY).and_then(|value| STANDARD.decode(value).ok());
    let document = body.filter(|body| !body.is_empty()).unwrap_or_else(|| {
        serde_json::json!({ "errorType": kind, "errorMessage": "" }).to_string().into_bytes()
    });
    Some(Answer::Error(document.into(), Some(kind)))
}

/// Reads a body that nobody wants.
pub(super) async fn discard(body: Incoming) {
    // Whether it broke off is its sender's own affair.
    let _ = collect(body, 0).await;
}

/// A body of at most `bytes_max`.
pub(super) async fn read(body: Incoming, bytes_max: usize) -> Result<Bytes, ()> {
    match collect(body, bytes_max).await {
        Some(Answer::Response(bytes)) => Ok(bytes),
        _ => Err(()),
    }
}
