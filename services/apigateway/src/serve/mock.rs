//! The `MOCK` integration: answers by itself. All that does not depend on the request is worked out once,
//! when the deployment is read.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html>

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use pagoda_protocol::Body;
use regex::Regex;
use serde_json::Value;

use super::answer::Refusal;
use super::media_type;
use crate::integration_response::literal;
use crate::table::{Integration, IntegrationResponse, Passthrough, Texts};

/// Where no media type is said, it is this one.
const JSON: &str = "application/json";

/// A mock integration whose templates are the same for all requests, ready to answer.
pub(crate) struct Mock {
    /// By the media type of the request: which of the responses the template chooses.
    templates: BTreeMap<String, Option<usize>>,
    passthrough: Passthrough,
    responses: Vec<Choice>,
}

struct Choice {
    /// Matches whole status codes; the default response has none. What is no pattern matches nothing.
    pattern: Option<Regex>,
    is_default: bool,
    /// Nothing where the response cannot be an answer.
    answer: Option<Answer>,
}

struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Mock {
    /// Nothing where an answer depends on the request.
    pub(crate) fn constant(integration: &Integration) -> Option<Self> {
        let templates = |texts: &Texts| texts.values().all(|text| !text.contains(['#', '$', '\\']));
        let is_constant = templates(&integration.request_templates)
            && integration.content_handling.is_none()
            && integration.responses.values().all(|response| {
                let literals = response.parameters.values().all(|value| literal(value).is_some());
                templates(&response.templates) && literals && response.content_handling.is_none()
            });
        is_constant.then(|| Self::new(integration))
    }

    fn new(integration: &Integration) -> Self {
        let responses: Vec<Choice> =
            integration.responses.iter().map(|(status, response)| Choice::new(status, response)).collect();
        let chosen = |template: &str| select(&responses, &status_code(template.as_bytes())?);
        let templates = integration.request_templates.iter();
        let templates = templates.map(|(kind, template)| (kind.clone(), chosen(template))).collect();
        Self { templates, passthrough: integration.passthrough, responses }
    }

    /// The answer to a request with these headers and this body.
    pub(crate) fn answer(&self, headers: &HeaderMap, body: &[u8]) -> Result<Response<Body>, Refusal> {
        let chosen = match self.templates.get(media_type(headers).unwrap_or(JSON)) {
            Some(chosen) => *chosen,
            None if self.may_pass() => status_code(body).and_then(|code| select(&self.responses, &code)),
            None => return Err(Refusal::UnsupportedMediaType),
        };
        let answer = chosen.and_then(|at| self.responses.get(at)?.answer.as_ref());
        Ok(answer.ok_or(Refusal::InternalError)?.respond())
    }

    /// Whether a body for which there is no template is the integration's request itself.
    fn may_pass(&self) -> bool {
        match self.passthrough {
            Passthrough::WhenNoMatch => true,
            Passthrough::WhenNoTemplates => self.templates.is_empty(),
            Passthrough::Never => false,
        }
    }
}

/// `statusCode` of the mapped request, which is JSON with, at most, a trailing comma or bare keys amiss.
pub(crate) fn status_code(request: &[u8]) -> Option<String> {
    let lenient = || yaml_serde::from_str(&String::from_utf8_lossy(request)).ok();
    let value: Value = serde_json::from_slice(request).ok().or_else(lenient)?;
    match value.get("statusCode")? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The response whose pattern matches the whole code, or the default one.
fn select(responses: &[Choice], code: &str) -> Option<usize> {
    let matches = |choice: &Choice| choice.pattern.as_ref().is_some_and(|pattern| pattern.is_match(code));
    responses.iter().position(matches).or_else(|| responses.iter().position(|choice| choice.is_default))
}

impl Choice {
    fn new(status: &str, response: &IntegrationResponse) -> Self {
        let pattern = response.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty());
        Self {
            pattern: pattern.and_then(|pattern| Regex::new(&format!("^(?:{pattern})$")).ok()),
            is_default: pattern.is_none(),
            answer: Answer::new(status, response),
        }
    }
}

impl Answer {
    fn new(status: &str, response: &IntegrationResponse) -> Option<Self> {
        let template = response.templates.get_key_value(JSON).or_else(|| response.templates.iter().next());
        let (kind, body) = template.map_or((JSON, ""), |(kind, body)| (kind.as_str(), body.as_str()));
        let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_str(kind).ok()?)];
        for (parameter, expression) in &response.parameters {
            let name = parameter.strip_prefix("method.response.header.")?;
            let value = HeaderValue::from_str(literal(expression)?).ok()?;
            headers.push((HeaderName::from_bytes(name.as_bytes()).ok()?, value));
        }
        let status = StatusCode::from_u16(status.parse().ok()?).ok()?;
        Some(Self { status, headers, body: Bytes::from(body.to_owned()) })
    }

    fn respond(&self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        // With room for what every answer carries and for the connection's own.
        headers.reserve(self.headers.len() + 4);
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        response
    }
}
