//! The `MOCK` integration: answers by itself.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html>

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use pagoda_protocol::Body;
use regex::Regex;
use serde_json::Value;

use super::answer::Refusal;
use super::{Call, media_type};
use crate::integration_response::literal;
use crate::table::{Integration, IntegrationResponse, Passthrough};

pub(crate) fn answer(call: &Call<'_>, integration: &Integration) -> Result<Response<Body>, Refusal> {
    let request = request(call, integration)?;
    let code = status_code(&request).ok_or(Refusal::InternalError)?;
    let (status, response) = select(integration, &code).ok_or(Refusal::InternalError)?;
    respond(status, response)
}

/// The request as the integration sees it: its template, or the body itself where that may pass.
fn request(call: &Call<'_>, integration: &Integration) -> Result<String, Refusal> {
    let media_type = media_type(&call.parts.headers);
    if let Some(template) = integration.template(media_type) {
        return Ok(template.to_owned());
    }
    let may_pass = match integration.passthrough {
        Passthrough::WhenNoMatch => true,
        Passthrough::WhenNoTemplates => integration.request_templates.is_empty(),
        Passthrough::Never => false,
    };
    if !may_pass {
        return Err(Refusal::UnsupportedMediaType);
    }
    Ok(String::from_utf8_lossy(&call.body).into_owned())
}

/// `statusCode` of the mapped request, which is JSON with, at most, a trailing comma or bare keys amiss.
fn status_code(request: &str) -> Option<String> {
    let value: Value = serde_json::from_str(request).ok().or_else(|| yaml_serde::from_str(request).ok())?;
    match value.get("statusCode")? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The response whose pattern matches the whole code, or the default one.
fn select<'i>(integration: &'i Integration, code: &str) -> Option<(&'i str, &'i IntegrationResponse)> {
    let matches = |response: &IntegrationResponse| {
        let pattern = response.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty())?;
        Regex::new(&format!("^(?:{pattern})$")).ok().map(|pattern| pattern.is_match(code))
    };
    let responses = || integration.responses.iter().map(|(status, response)| (status.as_str(), response));
    responses().find(|(_, response)| matches(response) == Some(true)).or_else(|| {
        responses().find(|(_, response)| response.selection_pattern.as_deref().unwrap_or("").is_empty())
    })
}

fn respond(status: &str, response: &IntegrationResponse) -> Result<Response<Body>, Refusal> {
    let template =
        response.templates.get_key_value("application/json").or_else(|| response.templates.iter().next());
    let (kind, body) =
        template.map_or(("application/json", ""), |(kind, body)| (kind.as_str(), body.as_str()));
    let mut answer = Response::new(Body::from(body.to_owned()));
    let code = status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
    *answer.status_mut() = code.ok_or(Refusal::InternalError)?;
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Refusal::InternalError);
    answer.headers_mut().insert(CONTENT_TYPE, value(kind)?);
    for (parameter, expression) in &response.parameters {
        let name = parameter.strip_prefix("method.response.header.");
        let name = name.and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
        let (name, text) = name.zip(literal(expression)).ok_or(Refusal::InternalError)?;
        answer.headers_mut().insert(name, value(text)?);
    }
    Ok(answer)
}
