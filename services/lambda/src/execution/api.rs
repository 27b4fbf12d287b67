//! The Runtime API, on the socket that listens inside the instance.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::desk::{Answer, Desk, Event};
use super::variables::CREDENTIALS_PATH;

/// The largest answer, in bytes: 6 MB and what the envelope needs, as AWS counts it.
pub(crate) const RESPONSE_BYTES_MAX: usize = 6_291_556;
/// The largest error document, in bytes.
const ERROR_BYTES_MAX: usize = 256 * 1024;
/// How much of an answer that is too large is read, in bytes.
const DISCARDED_BYTES_MAX: u64 = 1 << 30;
/// A runtime needs one.
const CONNECTIONS_MAX: usize = 16;
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

type Reply = Response<Full<Bytes>>;

/// Serves the guest until this future is dropped.
pub(crate) async fn serve(listener: TcpListener, desk: Arc<Desk>, credentials: Bytes) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
        // A failed accept means that the guest's connection was gone again.
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let (desk, credentials) = (Arc::clone(&desk), credentials.clone());
        connections.spawn(async move {
            converse(stream, desk, credentials).await;
            drop(permit);
        });
    }
}

async fn converse(stream: TcpStream, desk: Arc<Desk>, credentials: Bytes) {
    // Failing costs some latency only.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let (desk, credentials) = (Arc::clone(&desk), credentials.clone());
        async move { Ok::<_, Infallible>(reply(&desk, credentials, request).await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).auto_date_header(false);
    // A broken connection is the guest's own doing: it opens another one, or its invocation times out.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

async fn reply(desk: &Desk, credentials: Bytes, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    if parts.uri.path() == CREDENTIALS_PATH && parts.method == Method::GET {
        return json(StatusCode::OK, credentials);
    }
    let Some(path) = parts.uri.path().strip_prefix("/2018-06-01/runtime/") else { return not_found() };
    let path: Vec<&str> = path.split('/').collect();
    match (&parts.method, path.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => hand_over(desk.next().await),
        (&Method::POST, ["invocation", id, "response"]) => respond(desk, id, body).await,
        (&Method::POST, ["invocation", id, "error"]) => fail(desk, id, &parts.headers, body).await,
        (&Method::POST, ["init" | "restore", "error"]) => fail_init(desk, &parts.headers, body).await,
        _ => not_found(),
    }
}

fn hand_over(event: Event) -> Reply {
    let mut reply = Response::new(Full::new(event.payload));
    let headers = reply.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let deadline = event.deadline_millis.to_string();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", &event.request_id),
        ("lambda-runtime-deadline-ms", &deadline),
        ("lambda-runtime-invoked-function-arn", &event.function_arn),
        ("lambda-runtime-trace-id", &event.trace_id),
    ] {
        put(headers, name, value);
    }
    if let Some(context) = &event.client_context {
        put(headers, "lambda-runtime-client-context", context);
    }
    reply
}

/// What cannot be in a header is left out.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

async fn respond(desk: &Desk, id: &str, body: Incoming) -> Reply {
    match collect(body, RESPONSE_BYTES_MAX).await {
        Ok(bytes) => accepted(desk.answer(id, Answer::Response(bytes)).is_ok()),
        Err(Some(bytes)) => {
            let _ = desk.answer(id, Answer::TooLarge(bytes));
            let message = format!("Exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes).");
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
        }
        Err(None) => refuse(StatusCode::BAD_REQUEST, "InvalidRequest", "The body ended early"),
    }
}

async fn fail(desk: &Desk, id: &str, headers: &HeaderMap, body: Incoming) -> Reply {
    match collect(body, ERROR_BYTES_MAX).await {
        Ok(document) => accepted(desk.answer(id, Answer::Error(document, kind(headers))).is_ok()),
        Err(_) => refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "The error is too long"),
    }
}

async fn fail_init(desk: &Desk, headers: &HeaderMap, body: Incoming) -> Reply {
    match collect(body, ERROR_BYTES_MAX).await {
        Ok(document) => match desk.fail_init(document, kind(headers)) {
            true => accepted(true),
            false => {
                refuse(StatusCode::FORBIDDEN, "InvalidStateTransition", "State transition is not allowed")
            }
        },
        Err(_) => refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "The error is too long"),
    }
}

fn kind(headers: &HeaderMap) -> Option<String> {
    headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The body; `Err(Some)` with its size when it is too large. It is read to its end even then: a runtime that
/// is still sending would not hear the answer.
async fn collect(mut body: Incoming, bytes_max: usize) -> Result<Bytes, Option<u64>> {
    let mut collected = BytesMut::new();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| None)?.into_data() else { continue };
        size += data.len() as u64;
        if size > DISCARDED_BYTES_MAX {
            return Err(Some(size));
        }
        if size <= bytes_max as u64 {
            collected.extend_from_slice(&data);
        }
    }
    if size > bytes_max as u64 { Err(Some(size)) } else { Ok(collected.freeze()) }
}

fn accepted(known: bool) -> Reply {
    if !known {
        return unknown_invocation();
    }
    json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#.to_owned())
}

fn unknown_invocation() -> Reply {
    refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
}

fn not_found() -> Reply {
    refuse(StatusCode::NOT_FOUND, "NotFound", "There is no such path in this version of the Runtime API")
}

fn refuse(status: StatusCode, kind: &str, message: &str) -> Reply {
    json(status, serde_json::json!({ "errorMessage": message, "errorType": kind }).to_string())
}

fn json(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(text.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
