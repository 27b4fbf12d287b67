//! The `AWS_PROXY` integration: the request goes to a function as an event, and its answer comes back.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format>

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use pagoda_protocol::Body;
use pagoda_service::ports::Invocation;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::answer::Refusal;
use super::event::{self, is_binary};
use super::{Call, authorize};
use crate::ApiGateway;
use crate::integration::function_arn;
use crate::table::{Integration, Texts};

/// What a function answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    status_code: Option<Value>,
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<Map<String, Value>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

impl ApiGateway {
    pub(crate) async fn proxy(
        &self,
        call: &Call<'_>,
        integration: &Integration,
    ) -> Result<Response<Body>, Refusal> {
        let uri = integration.uri.as_deref().unwrap_or_default();
        let uri = with_variables(uri, &call.deployment.variables);
        let function_arn = function_arn(&uri).ok_or(Refusal::InternalError)?.to_owned();
        let invocation = Invocation {
            function_arn,
            payload: Bytes::from(event::of(call).to_string()),
            source_arn: Some(source_arn(call)),
        };
        let cx = self.acting(call, integration).await?;
        let time = Duration::from_millis(integration.timeout_millis);
        let invoked = tokio::time::timeout(time, self.ports.functions.invoke(&cx, invocation)).await;
        let invoked = invoked.map_err(|_| Refusal::IntegrationTimeout)?.map_err(|error| {
            tracing::warn!(%error, api = call.deployment.api.id, "the function was not invoked");
            Refusal::InternalError
        })?;
        if invoked.function_error.is_some() {
            return Err(Refusal::BadGateway);
        }
        let answer = serde_json::from_slice(&invoked.payload).map_err(|_| Refusal::BadGateway)?;
        respond(call, answer)
    }
}

/// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{verb}{resource path}`: what functions' policies name.
pub(crate) fn source_arn(call: &Call<'_>) -> String {
    let arn = authorize::method_arn(call);
    let (head, _) = arn.rsplit_once(&format!("/{}/", call.parts.method)).unwrap_or((&arn, ""));
    format!("{head}/{}{}", call.parts.method, call.matched.resource.path)
}

/// Puts the stage's variables into `${stageVariables.name}`.
pub(crate) fn with_variables(uri: &str, variables: &Texts) -> String {
    let mut uri = uri.to_owned();
    for (name, value) in variables {
        uri = uri.replace(&format!("${{stageVariables.{name}}}"), value);
    }
    uri
}

fn respond(call: &Call<'_>, answer: Answer) -> Result<Response<Body>, Refusal> {
    let status = match &answer.status_code {
        None => Some(200),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    let status = status.and_then(|code| u16::try_from(code).ok()).filter(|code| (100..=999).contains(code));
    let status = status.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(Refusal::BadGateway)?;
    let body = match answer.body {
        None => Bytes::new(),
        Some(text) if answer.is_base64_encoded == Some(true) && wants_binary(call) => {
            STANDARD.decode(text).map_err(|_| Refusal::BadGateway)?.into()
        }
        Some(text) => text.into(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in answer.headers.unwrap_or_default() {
        headers.insert(header_name(&name)?, header_value(&value)?);
    }
    for (name, values) in answer.multi_value_headers.unwrap_or_default() {
        let name = header_name(&name)?;
        headers.remove(&name);
        for value in values.as_array().ok_or(Refusal::BadGateway)? {
            headers.append(&name, header_value(value)?);
        }
    }
    // These belong to the connection, not to the function.
    for name in [http::header::TRANSFER_ENCODING, http::header::CONNECTION, http::header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    Ok(response)
}

/// A binary answer is decoded for clients that accept one of the API's binary media types.
fn wants_binary(call: &Call<'_>) -> bool {
    let types = &call.deployment.api.binary_media_types;
    let accept = call.parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let first = accept
        .and_then(|text| text.split(',').next())
        .map(|kind| kind.split(';').next().unwrap_or(kind).trim());
    is_binary(types, first)
}

fn header_name(name: &str) -> Result<HeaderName, Refusal> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| Refusal::BadGateway)
}

fn header_value(value: &Value) -> Result<HeaderValue, Refusal> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err(Refusal::BadGateway),
    };
    HeaderValue::from_str(&text).map_err(|_| Refusal::BadGateway)
}
