//! The event of a request to a function URL: the payload format 2.0.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, COOKIE, HOST};
use http::request::Parts;
use pagoda_policy::Principal;
use pagoda_service::Context;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// The event of a request to the URL `id`.
pub(super) fn of(cx: &Context, parts: &Parts, path: &str, body: &[u8], id: &str) -> Value {
    let query = parts.uri.query().unwrap_or_default();
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let (body, is_base64) = body_of(&parts.headers, body);
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": decoded,
        "rawQueryString": query,
        "headers": headers(&parts.headers),
        "requestContext": context(cx, parts, &decoded, id),
        "isBase64Encoded": is_base64,
    });
    let cookies: Vec<&str> =
        parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
    if !cookies.is_empty() {
        event["cookies"] = cookies.iter().flat_map(|line| line.split("; ")).map(Value::from).collect();
    }
    if !query.is_empty() {
        event["queryStringParameters"] = Value::Object(parameters(query));
    }
    if let Some(body) = body {
        event["body"] = json!(body);
    }
    event
}

fn context(cx: &Context, parts: &Parts, path: &str, id: &str) -> Value {
    let host = parts
        .headers
        .get(HOST)
        .and_then(|value| value.to_str().ok())
        .or(parts.uri.host())
        .unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let caller = &cx.caller;
    let known = caller.principal != Principal::Anonymous;
    let account = caller.principal.account().map(|account| account.to_string());
    let mut context = json!({
        "accountId": account.clone().unwrap_or_else(|| "anonymous".to_owned()),
        "apiId": id,
        "domainName": host,
        "domainPrefix": id,
        "http": {
            "method": parts.method.as_str(),
            "path": path,
            "protocol": format!("{:?}", parts.version),
            "sourceIp": cx.origin.address.to_canonical().to_string(),
            "userAgent": cx.origin.user_agent,
        },
        "requestId": cx.request_id.to_string(),
        "routeKey": "$default",
        "stage": "$default",
        "time": cx.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": cx.now.as_millisecond(),
    });
    if known {
        context["authorizer"] = json!({ "iam": {
            "accessKey": caller.access_key_id,
            "accountId": account,
            "callerId": caller.user_id,
            "cognitoIdentity": null,
            "principalOrgId": null,
            "userArn": caller.arn(),
            "userId": caller.user_id,
        } });
    }
    context
}

/// Names in lower case; several values of one name with commas between.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut all = Map::new();
    for name in headers.keys().filter(|name| **name != COOKIE) {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        all.insert(name.as_str().to_owned(), json!(values.collect::<Vec<_>>().join(",")));
    }
    all
}

/// Decoded; several values of one name with commas between.
fn parameters(query: &str) -> Map<String, Value> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let mut all: Map<String, Value> = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value);
        match all.get_mut(&decode(name)) {
            Some(Value::String(present)) => {
                present.push(',');
                present.push_str(&value);
            }
            _ => drop(all.insert(decode(name), json!(value))),
        }
    }
    all
}

/// Text as it is, anything else in base64.
fn body_of(headers: &HeaderMap, body: &[u8]) -> (Option<String>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match std::str::from_utf8(body) {
        Ok(text) if is_text(&kind) => (Some(text.to_owned()), false),
        _ => (Some(STANDARD.encode(body)), true),
    }
}

fn is_text(kind: &str) -> bool {
    kind.starts_with("text/")
        || matches!(kind, "application/json" | "application/javascript" | "application/xml")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_one_name_are_joined() {
        assert_eq!(
            Value::Object(parameters("a=1&b=x%20y&a=2&c&d=a+b")),
            json!({"a": "1,2", "b": "x y", "c": "", "d": "a b"})
        );
    }

    #[test]
    fn text_stays_text() {
        for (kind, body, expected) in [
            ("application/json; charset=utf-8", "{}", (Some("{}"), false)),
            ("text/plain", "ü", (Some("ü"), false)),
            ("application/x-www-form-urlencoded", "a=1", (Some("YT0x"), true)),
            ("", "a", (Some("YQ=="), true)),
            ("text/plain", "", (None, false)),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
            let (text, is_base64) = body_of(&headers, body.as_bytes());
            assert_eq!((text.as_deref(), is_base64), expected, "{kind}");
        }
    }
}
