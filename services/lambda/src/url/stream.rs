//! Answers that reach the caller of a URL while the function still writes them (`RESPONSE_STREAM`).
//!
//! A stream may begin with a prelude: JSON with status, headers and cookies, then eight zero bytes. What is not
//! streamed is shaped as a buffered answer is. A failure behind the first bytes breaks the connection off, so
//! that nobody takes a part for the whole.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/response-streaming-tutorial.html>

use bytes::{Bytes, BytesMut};
use futures_util::stream::unfold;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body_util::StreamBody;
use hyper::body::Frame;
use pagoda_protocol::{ApiError, Body};
use pagoda_service::Context;
use serde_json::Value;

use crate::Lambda;
use crate::execution::{Job, Piece};
use crate::name::Named;
use crate::streaming::{Running, Step};

use super::answer::{self, Malformed};

/// What the runtimes call a stream with a prelude.
const PRELUDE_TYPE: &str = "application/vnd.awslambda.http-integration-response";
const PRELUDE_END: [u8; 8] = [0; 8];
/// The longest prelude, in bytes: more headers than a response may have.
const PRELUDE_BYTES_MAX: usize = 64 * 1024;

/// Invokes, and answers as soon as the function has begun to.
pub(super) async fn respond(
    lambda: &Lambda,
    cx: &Context,
    named: &Named,
    payload: Bytes,
) -> Result<Result<Response<Body>, Malformed>, ApiError> {
    let loaded = lambda.load(named).await?;
    let job = Job { loaded, function_arn: named.arn(), payload, client_context: None, pieces: None };
    let mut running = Running::begin(lambda, cx, job)?;
    let kind = match running.next().await? {
        Step::Piece(Piece::Type(kind)) => kind,
        Step::Piece(Piece::Data(_)) => return Err(ApiError::internal()),
        Step::Done { invoked, .. } => return Ok(answer::of(&invoked)),
    };
    if kind == PRELUDE_TYPE { with_prelude(running).await } else { Ok(plain(&kind, running)) }
}

fn plain(kind: &str, running: Running) -> Result<Response<Body>, Malformed> {
    let mut response = Response::new(body(Bytes::new(), Some(running)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_str(kind).map_err(|_| Malformed)?);
    Ok(response)
}

async fn with_prelude(mut running: Running) -> Result<Result<Response<Body>, Malformed>, ApiError> {
    let mut read = BytesMut::new();
    let mut rest = Some(());
    let end = loop {
        if let Some(end) = read.windows(PRELUDE_END.len()).position(|part| part == PRELUDE_END) {
            break end;
        }
        if read.len() > PRELUDE_BYTES_MAX || rest.is_none() {
            return Ok(Err(Malformed));
        }
        match running.next().await? {
            Step::Piece(Piece::Data(bytes)) => read.extend_from_slice(&bytes),
            Step::Piece(Piece::Type(_)) => {}
            Step::Done { invoked, .. } if invoked.function_error.is_some() => return Ok(Err(Malformed)),
            Step::Done { rest: last, .. } => {
                read.extend_from_slice(&last);
                rest = None;
            }
        }
    };
    let begun = read.split_off(end + PRELUDE_END.len()).freeze();
    let Ok(prelude) = serde_json::from_slice::<Value>(&read[..end]) else { return Ok(Err(Malformed)) };
    Ok(headed(&prelude, body(begun, rest.map(|()| running))))
}

fn headed(prelude: &Value, body: Body) -> Result<Response<Body>, Malformed> {
    let mut response = Response::new(body);
    if !prelude["statusCode"].is_null() {
        *response.status_mut() = answer::status(&prelude["statusCode"])?;
    }
    answer::put_headers(&mut response, prelude)?;
    response
        .headers_mut()
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("application/octet-stream"));
    Ok(response)
}

/// What was read already, then the pieces as they come.
fn body(begun: Bytes, running: Option<Running>) -> Body {
    let frames = unfold((begun, running), async |(begun, running)| {
        if !begun.is_empty() {
            return Some((Ok(Frame::data(begun)), (Bytes::new(), running)));
        }
        let mut running = running?;
        loop {
            return match running.next().await {
                Ok(Step::Piece(Piece::Type(_))) => continue,
                Ok(Step::Piece(Piece::Data(bytes))) => {
                    Some((Ok(Frame::data(bytes)), (Bytes::new(), Some(running))))
                }
                Ok(Step::Done { invoked, .. }) if invoked.function_error.is_some() => {
                    Some((Err(ApiError::internal()), (Bytes::new(), None)))
                }
                Ok(Step::Done { rest, .. }) if rest.is_empty() => None,
                Ok(Step::Done { rest, .. }) => Some((Ok(Frame::data(rest.into())), (Bytes::new(), None))),
                Err(error) => Some((Err(error), (Bytes::new(), None))),
            };
        }
    });
    Body::stream(StreamBody::new(frames), None)
}
