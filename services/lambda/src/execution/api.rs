//! The Runtime API, on the socket that listens inside the instance.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pagoda_base::Random;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::desk::{Answer, Desk, Event, Stage};
use super::extension::Extensions;
use super::extension_api;
use super::stream::{self, read};
use super::variables::CREDENTIALS_PATH;

/// The largest answer, in bytes: 6 MB and what the envelope needs, as AWS counts it.
pub(crate) const RESPONSE_BYTES_MAX: usize = 6_291_556;
/// How long after its broken connection a guest's end may show.
const END_GRACE: Duration = Duration::from_millis(500);
/// The largest error document, in bytes.
const ERROR_BYTES_MAX: usize = 256 * 1024;
/// A runtime needs one, and an extension two.
const CONNECTIONS_MAX: usize = 32;
/// APIs that subscriptions are refused by, as AWS documents it for environments without them: 202, and why.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html>
const UNSUPPORTED: [(&str, &str); 2] = [("/2022-07-01/telemetry", "Telemetry"), ("/2020-08-15/logs", "Logs")];
const RESPONSE_MODE: &str = "lambda-runtime-function-response-mode";
pub(super) const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

pub(super) type Reply = Response<Full<Bytes>>;

/// Whom the API serves.
pub(super) struct Guest {
    pub(super) desk: Arc<Desk>,
    pub(super) extensions: Arc<Extensions>,
    /// What the credentials endpoint tells.
    pub(super) credentials: Bytes,
    pub(super) random: Arc<dyn Random>,
    pub(super) account: String,
    pub(super) function: String,
    pub(super) version: String,
    pub(super) handler: String,
}

impl Guest {
    /// Whether its init code still runs.
    pub(super) fn is_initializing(&self) -> bool {
        *self.desk.stage().borrow() == Stage::Starting
    }
}

/// Serves the guest until this future is dropped.
pub(crate) async fn serve(listener: TcpListener, guest: Arc<Guest>) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
        // A failed accept means that the guest's connection was gone again.
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let guest = Arc::clone(&guest);
        connections.spawn(async move {
            converse(stream, guest).await;
            drop(permit);
        });
    }
}

async fn converse(stream: TcpStream, guest: Arc<Guest>) {
    // Failing costs some latency only.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let guest = Arc::clone(&guest);
        async move { Ok::<_, Infallible>(reply(&guest, request).await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).auto_date_header(false);
    // A broken connection is the guest's own doing: it opens another one, or its invocation times out.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

async fn reply(guest: &Guest, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    let (path, desk) = (parts.uri.path(), &*guest.desk);
    if path == CREDENTIALS_PATH && parts.method == Method::GET {
        return json(StatusCode::OK, guest.credentials.clone());
    }
    if let Some(path) = path.strip_prefix("/2020-01-01/extension/") {
        return extension_api::reply(guest, path, &parts, body).await;
    }
    for (prefix, name) in UNSUPPORTED {
        if path.starts_with(prefix) && parts.method == Method::PUT {
            let message = format!("{name} API is not supported");
            return refuse(StatusCode::ACCEPTED, &format!("{name}.NotSupported"), &message);
        }
    }
    let Some(path) = path.strip_prefix("/2018-06-01/runtime/") else { return not_found() };
    let path: Vec<&str> = path.split('/').collect();
    match (&parts.method, path.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => hand_over(desk.next().await),
        (&Method::POST, ["invocation", id, "response"]) => respond(desk, id, &parts.headers, body).await,
        (&Method::POST, ["invocation", id, "error"]) => fail(desk, id, &parts.headers, body).await,
        (&Method::POST, ["init" | "restore", "error"]) => fail_init(desk, &parts.headers, body).await,
        (&Method::GET, ["restore", "next"]) => out_of_turn(),
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

async fn respond(desk: &Desk, id: &str, headers: &HeaderMap, body: Incoming) -> Reply {
    let Ok(pieces) = desk.pieces(id) else {
        stream::discard(body).await;
        return unknown_invocation();
    };
    let mode = headers.get(RESPONSE_MODE).map(HeaderValue::as_bytes);
    let answered = match (mode, pieces) {
        (None, _) => stream::collect(body, RESPONSE_BYTES_MAX).await,
        (Some(b"streaming"), None) => stream::collect(body, RESPONSE_BYTES_MAX).await,
        (Some(b"streaming"), Some(pieces)) => {
            let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            let kind = kind.unwrap_or("application/octet-stream").to_owned();
            stream::pass_on(body, kind, pieces).await
        }
        (Some(_), _) => {
            stream::discard(body).await;
            let message = "Invalid Lambda-Runtime-Function-Response-Mode header";
            return refuse(StatusCode::BAD_REQUEST, "InvalidResponseModeHeader", message);
        }
    };
    let Some(answer) = answered else {
        // If the guest is ending, its end says more.
        tokio::time::sleep(END_GRACE).await;
        let document = serde_json::json!({
            "errorType": "Runtime.TruncatedResponse",
            "errorMessage": "The runtime's answer ended early.",
        });
        let kind = Some("Runtime.TruncatedResponse".to_owned());
        let _ = desk.answer(id, Answer::Error(document.to_string().into(), kind));
        return refuse(StatusCode::BAD_REQUEST, "InvalidRequest", "The body ended early");
    };
    let too_large = match &answer {
        Answer::TooLarge(_, max) => Some(format!("Exceeded maximum allowed payload size ({max} bytes).")),
        _ => None,
    };
    let known = desk.answer(id, answer).is_ok();
    match too_large {
        Some(message) => refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message),
        None => accepted(known),
    }
}

async fn fail(desk: &Desk, id: &str, headers: &HeaderMap, body: Incoming) -> Reply {
    match read(body, ERROR_BYTES_MAX).await {
        Ok(document) => accepted(desk.answer(id, Answer::Error(document, kind(headers))).is_ok()),
        Err(_) => refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "The error is too long"),
    }
}

async fn fail_init(desk: &Desk, headers: &HeaderMap, body: Incoming) -> Reply {
    match read(body, ERROR_BYTES_MAX).await {
        Ok(document) => match desk.fail_init(document, kind(headers)) {
            true => accepted(true),
            false => out_of_turn(),
        },
        Err(_) => refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "The error is too long"),
    }
}

pub(super) fn kind(headers: &HeaderMap) -> Option<String> {
    headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn accepted(known: bool) -> Reply {
    if !known {
        return unknown_invocation();
    }
    json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#.to_owned())
}

/// The guest asks for what is not to be done now. Runtimes of their own have no snapshots.
fn out_of_turn() -> Reply {
    refuse(StatusCode::FORBIDDEN, "InvalidStateTransition", "State transition is not allowed")
}

fn unknown_invocation() -> Reply {
    refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
}

pub(super) fn not_found() -> Reply {
    refuse(StatusCode::NOT_FOUND, "NotFound", "There is no such path in this version of the Runtime API")
}

pub(super) fn refuse(status: StatusCode, kind: &str, message: &str) -> Reply {
    json(status, serde_json::json!({ "errorMessage": message, "errorType": kind }).to_string())
}

pub(super) fn json(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(text.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
