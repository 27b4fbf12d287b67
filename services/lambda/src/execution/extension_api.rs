//! The Extensions API, beside the Runtime API.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html#runtimes-extensions-registration-api>

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use hyper::body::Incoming;
use pagoda_base::ids;
use serde::Deserialize;
use serde_json::json;

use super::api::{Guest, Reply, json as answer, not_found, refuse};
use super::extension::Phase;
use super::stream::read;
use super::subscription::Subscription;

const NAME: &str = "lambda-extension-name";
const FEATURES: &str = "lambda-extension-accept-feature";
const IDENTIFIER: &str = "lambda-extension-identifier";
const ERROR_TYPE: &str = "lambda-extension-function-error-type";
const EVENT_IDENTIFIER: &str = "lambda-extension-event-identifier";
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Answers a request for `path`, which is what follows `/2020-01-01/extension/`.
pub(super) async fn reply(guest: &Guest, path: &str, parts: &Parts, body: Incoming) -> Reply {
    match (&parts.method, path) {
        (&Method::POST, "register") => match read(body, BODY_BYTES_MAX).await {
            Ok(body) => register(guest, &parts.headers, &body),
            Err(()) => refuse(StatusCode::BAD_REQUEST, "InvalidRequestFormat", "The body cannot be read"),
        },
        (&Method::GET, "event/next") => next(guest, &parts.headers).await,
        (&Method::POST, "init/error") => failed(guest, "Extension.InitError", &parts.headers, body).await,
        (&Method::POST, "exit/error") => failed(guest, "Extension.ExitError", &parts.headers, body).await,
        _ => not_found(),
    }
}

#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    events: Vec<String>,
}

fn register(guest: &Guest, headers: &HeaderMap, body: &Bytes) -> Reply {
    let Some(name) = text(headers, NAME).filter(|name| !name.is_empty()) else {
        return refuse(StatusCode::FORBIDDEN, "Extension.InvalidExtensionName", "Empty extension name");
    };
    let Ok(registration) = serde_json::from_slice::<Registration>(body) else {
        return refuse(StatusCode::BAD_REQUEST, "InvalidRequestFormat", "The body is no JSON with `events`");
    };
    let mut events = Vec::new();
    for event in &registration.events {
        match event.as_str() {
            "INVOKE" => events.push(Phase::Invoke),
            "SHUTDOWN" => events.push(Phase::Shutdown),
            other => {
                let message = format!("{other} is not a valid event: INVOKE and SHUTDOWN are");
                return refuse(StatusCode::FORBIDDEN, "Extension.InvalidEventType", &message);
            }
        }
    }
    if !guest.is_initializing() && !guest.extensions.awaits(name) {
        let message = "Extensions can register before the init phase is over only";
        return refuse(StatusCode::FORBIDDEN, "Extension.RegistrationClosed", message);
    }
    let id = ids::uuid(&*guest.random);
    if let Err((kind, message)) = guest.extensions.register(name, events, id.clone()) {
        return refuse(StatusCode::FORBIDDEN, kind, &message);
    }
    let mut about = json!({
        "functionName": guest.function, "functionVersion": guest.version, "handler": guest.handler,
    });
    if text(headers, FEATURES)
        .is_some_and(|features| features.split(',').any(|one| one.trim() == "accountId"))
    {
        about["accountId"] = json!(guest.account);
    }
    with(answer(StatusCode::OK, about.to_string()), IDENTIFIER, &id)
}

async fn next(guest: &Guest, headers: &HeaderMap) -> Reply {
    let id = match identified(guest, headers) {
        Ok(id) => id,
        Err(refused) => return *refused,
    };
    match guest.extensions.next(id).await {
        Some(event) => {
            let number = ids::uuid(&*guest.random);
            with(answer(StatusCode::OK, event), EVENT_IDENTIFIER, &number)
        }
        None => not_found(),
    }
}

/// Answers a request to be told what happens.
pub(super) async fn subscribe(guest: &Guest, parts: &Parts, body: Incoming) -> Reply {
    let id = match identified(guest, &parts.headers) {
        Ok(id) => id,
        Err(refused) => return *refused,
    };
    let Ok(body) = read(body, BODY_BYTES_MAX).await else {
        return refuse(StatusCode::BAD_REQUEST, "ValidationError", "The body cannot be read");
    };
    if guest.telemetry.is_settled() {
        let message = "Extensions can subscribe before the init phase is over only";
        return refuse(StatusCode::FORBIDDEN, "Telemetry.SubscriptionClosed", message);
    }
    match Subscription::read(&body) {
        Ok(subscription) => {
            let name = guest.extensions.name(id).unwrap_or_default();
            guest.telemetry.subscribe(&name, subscription, &guest.sandbox, guest.clock.now());
            answer(StatusCode::OK, "\"OK\"".to_owned())
        }
        Err(message) => refuse(StatusCode::BAD_REQUEST, "ValidationError", &message),
    }
}

/// An extension says that it cannot go on.
async fn failed(guest: &Guest, what: &'static str, headers: &HeaderMap, body: Incoming) -> Reply {
    if let Err(refused) = identified(guest, headers) {
        return *refused;
    }
    // What it tells of the reason is read, so that it hears the answer.
    let _ = read(body, BODY_BYTES_MAX).await;
    guest.extensions.fail(what, text(headers, ERROR_TYPE).unwrap_or(what));
    answer(StatusCode::ACCEPTED, r#"{"status":"OK"}"#.to_owned())
}

fn identified<'a>(guest: &Guest, headers: &'a HeaderMap) -> Result<&'a str, Box<Reply>> {
    let Some(id) = text(headers, IDENTIFIER) else {
        let message = "Missing Lambda-Extension-Identifier header";
        return Err(Box::new(refuse(StatusCode::FORBIDDEN, "Extension.MissingExtensionIdentifier", message)));
    };
    if !guest.extensions.knows(id) {
        let message = format!("Unknown extension {id}");
        return Err(Box::new(refuse(
            StatusCode::FORBIDDEN,
            "Extension.UnknownExtensionIdentifier",
            &message,
        )));
    }
    Ok(id)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn with(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
    reply
}
