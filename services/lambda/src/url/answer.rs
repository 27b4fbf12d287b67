//! What a function answers to a request becomes the response.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use http::{Response, StatusCode};
use pagoda_protocol::Body;
use pagoda_service::ports::Invoked;
use serde_json::Value;

/// The function failed, or answered what cannot be a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// What becomes of an answer that came as a whole.
pub(super) fn of(invoked: &Invoked) -> Result<Response<Body>, Malformed> {
    match invoked.function_error {
        Some(_) => Err(Malformed),
        None => respond(&invoked.payload),
    }
}

/// The response: as the function shapes it, or, where it doesn't, with its answer as the body.
pub(super) fn respond(payload: &Bytes) -> Result<Response<Body>, Malformed> {
    match serde_json::from_slice(payload) {
        Ok(Value::Object(answer)) if answer.contains_key("statusCode") => shaped(&Value::Object(answer)),
        Ok(Value::String(text)) => Ok(json(text.into())),
        _ => Ok(json(payload.clone())),
    }
}

fn json(body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn shaped(answer: &Value) -> Result<Response<Body>, Malformed> {
    let body = match &answer["body"] {
        Value::Null => Bytes::new(),
        Value::String(text) if answer["isBase64Encoded"] == true => {
            STANDARD.decode(text).map_err(|_| Malformed)?.into()
        }
        Value::String(text) => text.clone().into(),
        other => other.to_string().into(),
    };
    let mut response = json(body);
    *response.status_mut() = status(&answer["statusCode"])?;
    put_headers(&mut response, answer)?;
    Ok(response)
}

/// Gives the response the headers and cookies of an answer or of the prelude of one.
pub(super) fn put_headers(response: &mut Response<Body>, answer: &Value) -> Result<(), Malformed> {
    let headers = response.headers_mut();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Malformed)?;
        headers.insert(name, header(value)?);
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        headers.append(SET_COOKIE, header(cookie)?);
    }
    // These belong to the connection, not to the function.
    for name in [http::header::TRANSFER_ENCODING, http::header::CONNECTION, http::header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    Ok(())
}

pub(super) fn status(value: &Value) -> Result<StatusCode, Malformed> {
    let code = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let code = code.and_then(|code| u16::try_from(code).ok()).filter(|code| (100..=599).contains(code));
    code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(Malformed)
}

fn header(value: &Value) -> Result<HeaderValue, Malformed> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err(Malformed),
    };
    HeaderValue::from_str(&text).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_become_responses() {
        for (payload, expected) in [
            (r#"{"statusCode": 201, "headers": {"X-A": 1}, "body": "b"}"#, Some((201, "b"))),
            (r#"{"statusCode": "204"}"#, Some((204, ""))),
            (r#"{"statusCode": 200, "body": "aGk=", "isBase64Encoded": true}"#, Some((200, "hi"))),
            (r#"{"message": "hi"}"#, Some((200, r#"{"message": "hi"}"#))),
            (r#""text""#, Some((200, "text"))),
            ("null", Some((200, "null"))),
            (r#"{"statusCode": 99}"#, None),
            (r#"{"statusCode": 200, "headers": {"a b": "c"}}"#, None),
            (r#"{"statusCode": 200, "body": "%", "isBase64Encoded": true}"#, None),
        ] {
            let response = respond(&Bytes::from(payload)).ok();
            let found =
                response.as_ref().map(|one| (one.status().as_u16(), one.body().bytes().unwrap().clone()));
            assert_eq!(found, expected.map(|(code, body)| (code, Bytes::from(body))), "{payload}");
        }
    }
}
