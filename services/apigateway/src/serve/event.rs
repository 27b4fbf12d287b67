//! The event of a proxy integration, exactly as AWS shapes it.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::request::Parts;
use pagoda_policy::Principal;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::{Call, media_type};
use crate::table::Texts;

/// The event for a call.
pub(crate) fn of(call: &Call<'_>) -> Value {
    let (body, is_base64) = body(call);
    let mut event = request(call);
    event["body"] = body;
    event["isBase64Encoded"] = json!(is_base64);
    event
}

/// The event without the body, which authorizers are not told.
pub(crate) fn request(call: &Call<'_>) -> Value {
    let parameters = call.matched.parameters.iter().map(|(name, value)| (name.clone(), json!(value)));
    let mut event = fields(call.parts, &call.deployment.variables);
    event["resource"] = json!(call.matched.resource.path);
    event["path"] = json!(call.path);
    event["pathParameters"] = object_or_null(parameters);
    event["requestContext"] = context(call);
    event
}

/// The fields that need nothing but the request and the stage's variables.
pub(crate) fn fields(parts: &Parts, variables: &Texts) -> Value {
    let (headers, multi_headers) = headers(&parts.headers);
    let (query, multi_query) = query(parts.uri.query());
    let variables = variables.iter().map(|(name, value)| (name.clone(), json!(value)));
    json!({
        "httpMethod": parts.method.as_str(),
        "headers": headers,
        "multiValueHeaders": multi_headers,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": multi_query,
        "stageVariables": object_or_null(variables),
    })
}

/// What surrounds the request: `requestContext`.
pub(crate) fn context(call: &Call<'_>) -> Value {
    let mut context = circumstances(call);
    call.deployment.tell_of_canary(&mut context);
    if let Some(verdict) = &call.verdict {
        let mut authorizer: Map<String, Value> =
            verdict.context.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        authorizer.insert("principalId".into(), json!(verdict.principal_id));
        authorizer.insert("integrationLatency".into(), json!(verdict.latency_millis));
        context["authorizer"] = Value::Object(authorizer);
    }
    context
}

fn circumstances(call: &Call<'_>) -> Value {
    let (api, cx) = (&call.deployment.api, &call.cx);
    let request_id = cx.request_id.to_string();
    let host = host(&call.parts.headers);
    json!({
        "resourceId": call.matched.resource.id,
        "resourcePath": call.matched.resource.path,
        "operationName": call.method.operation_name,
        "httpMethod": call.parts.method.as_str(),
        "extendedRequestId": request_id,
        "requestTime": cx.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "path": format!("/{}{}", call.deployment.stage, call.path),
        "accountId": api.account.as_str(),
        "protocol": format!("{:?}", call.parts.version),
        "stage": call.deployment.stage,
        "domainPrefix": host.split('.').next().unwrap_or_default(),
        "requestTimeEpoch": cx.now.as_millisecond(),
        "requestId": request_id,
        "identity": identity(call),
        "domainName": host,
        "deploymentId": call.deployment.id,
        "apiId": api.id,
    })
}

fn identity(call: &Call<'_>) -> Value {
    let (cx, caller) = (&call.cx, &call.cx.caller);
    let known = caller.principal != Principal::Anonymous;
    let mut identity = json!({
        "cognitoIdentityPoolId": null,
        "accountId": caller.principal.account().map(|account| account.to_string()),
        "cognitoIdentityId": null,
        "caller": known.then_some(&caller.user_id),
        "sourceIp": cx.origin.address.to_canonical().to_string(),
        "principalOrgId": null,
        "accessKey": caller.access_key_id,
        "cognitoAuthenticationType": null,
        "cognitoAuthenticationProvider": null,
        "userArn": known.then(|| caller.arn()),
        "userAgent": cx.origin.user_agent,
        "user": known.then_some(&caller.user_id),
    });
    if let Some(key) = &call.key {
        identity["apiKey"] = json!(key.value);
        identity["apiKeyId"] = json!(key.id);
    }
    identity
}

fn host(headers: &HeaderMap) -> &str {
    let host = headers.get(http::header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

/// Headers with their last values, and with all of them; names as AWS's edge writes them.
fn headers(headers: &HeaderMap) -> (Map<String, Value>, Map<String, Value>) {
    let (mut single, mut multi) = (Map::new(), Map::new());
    for name in headers.keys() {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let values: Vec<Value> = values.map(|value| json!(value)).collect();
        let name = title_case(name.as_str());
        if let Some(last) = values.last() {
            single.insert(name.clone(), last.clone());
            multi.insert(name, Value::Array(values));
        }
    }
    (single, multi)
}

/// HTTP/2 and hyper have header names in lower case; functions written for AWS look for `Content-Type`.
pub(crate) fn title_case(name: &str) -> String {
    // What a client sends with names of its own stays as HTTP/2 sends it.
    if !matches!(
        name,
        "accept"
            | "accept-encoding"
            | "accept-language"
            | "authorization"
            | "cache-control"
            | "content-type"
            | "cookie"
            | "host"
            | "if-match"
            | "if-none-match"
            | "origin"
            | "referer"
            | "user-agent"
            | "x-amz-date"
            | "x-amz-security-token"
            | "x-forwarded-for"
    ) {
        return name.to_owned();
    }
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}

fn query(query: Option<&str>) -> (Value, Value) {
    let (mut single, mut multi) = (Map::new(), Map::new());
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), json!(decoded(value)));
        single.insert(name.clone(), value.clone());
        if let Value::Array(values) = multi.entry(name).or_insert_with(|| json!([])) {
            values.push(value);
        }
    }
    (object_or_null(single), object_or_null(multi))
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Text as it is; what the API holds for binary, or is no text, in base64.
fn body(call: &Call<'_>) -> (Value, bool) {
    if call.body.is_empty() {
        return (Value::Null, false);
    }
    let kind = media_type(&call.parts.headers);
    if is_binary(&call.deployment.api.binary_media_types, kind) {
        return (json!(STANDARD.encode(&call.body)), true);
    }
    (json!(String::from_utf8_lossy(&call.body)), false)
}

/// Whether a media type is one of those the API holds for binary.
pub(crate) fn is_binary(types: &[String], kind: Option<&str>) -> bool {
    let kind = kind.unwrap_or_default();
    types.iter().any(|binary| match binary.split_once('/') {
        Some(("*", "*")) => true,
        Some((main, "*")) => kind.split('/').next() == Some(main),
        _ => binary.eq_ignore_ascii_case(kind),
    })
}

fn object_or_null(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
    let object: Map<String, Value> = entries.into_iter().collect();
    if object.is_empty() { Value::Null } else { Value::Object(object) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_strings_keep_all_values_and_the_last() {
        let (single, multi) = query(Some("a=1&a=2&b=x%20y+z&c"));
        assert_eq!(single, json!({"a": "2", "b": "x y z", "c": ""}));
        assert_eq!(multi, json!({"a": ["1", "2"], "b": ["x y z"], "c": [""]}));
        assert_eq!(query(None), (Value::Null, Value::Null));
    }

    #[test]
    fn binary_media_types() {
        let types = ["image/*".to_owned(), "application/pdf".to_owned()];
        for (kind, expected) in [("image/png", true), ("application/pdf", true), ("text/plain", false)] {
            assert_eq!(is_binary(&types, Some(kind)), expected, "{kind}");
        }
        assert!(is_binary(&["*/*".to_owned()], None));
    }
}
