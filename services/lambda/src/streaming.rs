//! InvokeWithResponseStream: answers that reach their caller while the function still writes them.
//!
//! Invariants: what the function answers is passed on in its order; a stream that has begun ends with
//! `InvokeComplete`, which tells what went wrong; a caller who goes away doesn't end the invocation.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use pagoda_protocol::{ApiError, Body, eventstream};
use pagoda_service::Context;
use pagoda_service::ports::Invoked;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::Lambda;
use crate::execution::{Job, Piece, run};
use crate::generated as g;
use crate::invoke::{checked, read_client_context};
use crate::name;

/// So many pieces wait for a caller who reads slowly.
const PIECES_MAX: usize = 8;
/// The largest payload of one message, in bytes.
const CHUNK_BYTES_MAX: usize = 64 * 1024;

pub(crate) async fn invoke(
    lambda: &Lambda,
    cx: &Context,
    input: g::InvokeWithResponseStreamRequest,
) -> Result<g::InvokeWithResponseStreamResponse, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    let payload = checked(input.payload.unwrap_or_default())?;
    let client_context = input.client_context.as_deref().map(read_client_context).transpose()?;
    let loaded = lambda.load(&named).await?;
    let executed_version = Some(loaded.number.clone());
    if input.invocation_type == Some(g::ResponseStreamingInvocationType::DryRun) {
        return Ok(g::InvokeWithResponseStreamResponse { status_code: Some(204), ..Default::default() });
    }
    let job = Job { loaded, function_arn: named.arn(), payload, client_context, pieces: None };
    let mut running = Running::begin(lambda, cx, job)?;
    let with_log = input.log_type == Some(g::LogType::Tail);
    // What goes wrong before the first piece is an error of the operation.
    let (first, running) = match running.next().await? {
        Step::Piece(piece) => (chunk(&data(piece)), Some((running, with_log))),
        Step::Done { rest, invoked } => (complete(&rest, &invoked, with_log), None),
    };
    Ok(g::InvokeWithResponseStreamResponse {
        status_code: Some(200),
        executed_version,
        event_stream: body(first, running),
        response_stream_content_type: Some(eventstream::CONTENT_TYPE.to_owned()),
    })
}

/// An invocation whose answer comes in pieces.
pub(crate) struct Running {
    pieces: mpsc::Receiver<Piece>,
    done: JoinHandle<Result<Invoked, ApiError>>,
}

pub(crate) enum Step {
    Piece(Piece),
    /// What was still on its way when the invocation ended, and how it did.
    Done {
        rest: Vec<u8>,
        invoked: Invoked,
    },
}

impl Running {
    /// Begins `job`, whose pieces come to this.
    pub(crate) fn begin(lambda: &Lambda, cx: &Context, job: Job) -> Result<Self, ApiError> {
        let (sender, pieces) = mpsc::channel(PIECES_MAX);
        let job = Job { pieces: Some(sender), ..job };
        let (shared, cx) = (lambda.shared()?, cx.clone());
        Ok(Self { pieces, done: tokio::spawn(async move { run(shared, &cx, job).await }) })
    }

    /// What comes next, until it is done.
    pub(crate) async fn next(&mut self) -> Result<Step, ApiError> {
        tokio::select! {
            biased;
            // The sender is dropped with the event: the end of the pieces is not yet that of the invocation.
            Some(piece) = self.pieces.recv() => Ok(Step::Piece(piece)),
            done = &mut self.done => {
                let invoked = done.map_err(|_| ApiError::internal())??;
                self.pieces.close();
                let mut rest = Vec::new();
                while let Ok(piece) = self.pieces.try_recv() {
                    rest.extend_from_slice(&data(piece));
                }
                Ok(Step::Done { rest, invoked })
            }
        }
    }
}

/// The answer's own bytes in a piece.
fn data(piece: Piece) -> Bytes {
    match piece {
        Piece::Type(_) => Bytes::new(),
        Piece::Data(bytes) => bytes,
    }
}

/// The messages, as they come.
fn body(first: Bytes, running: Option<(Running, bool)>) -> Body {
    let messages = stream::unfold((Some(first), running), async |(first, running)| {
        if let Some(message) = first.filter(|message| !message.is_empty()) {
            return Some((Ok(Frame::data(message)), (None, running)));
        }
        let (mut running, with_log) = running?;
        let (message, running) = match running.next().await {
            Ok(Step::Piece(piece)) => (chunk(&data(piece)), Some((running, with_log))),
            Ok(Step::Done { rest, invoked }) => (complete(&rest, &invoked, with_log), None),
            Err(error) => {
                let document = json!({ "Message": error.message }).to_string();
                (eventstream::exception(&error.code, document.as_bytes()), None)
            }
        };
        Some((Ok(Frame::data(message)), (None, running)))
    });
    Body::stream(StreamBody::new(messages), None)
}

fn chunk(bytes: &[u8]) -> Bytes {
    let pieces = bytes.chunks(CHUNK_BYTES_MAX);
    let messages = pieces.map(|piece| eventstream::event("PayloadChunk", "application/octet-stream", piece));
    messages.collect::<Vec<_>>().concat().into()
}

/// The last message, after the `rest` of the pieces or what the function answered at once.
fn complete(rest: &[u8], invoked: &Invoked, with_log: bool) -> Bytes {
    let mut document = json!({});
    let mut messages = chunk(rest);
    if invoked.function_error.is_some() {
        document["ErrorCode"] = json!(error_type(&invoked.payload));
        document["ErrorDetails"] = json!(String::from_utf8_lossy(&invoked.payload));
    } else {
        messages = [messages, chunk(&invoked.payload)].concat().into();
    }
    if with_log {
        document["LogResult"] = json!(STANDARD.encode(&invoked.log_tail));
    }
    let last = eventstream::event("InvokeComplete", "application/json", document.to_string().as_bytes());
    [messages, last].concat().into()
}

fn error_type(document: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Document {
        #[serde(rename = "errorType")]
        kind: String,
    }
    serde_json::from_slice::<Document>(document).map_or_else(|_| "Unhandled".to_owned(), |one| one.kind)
}
