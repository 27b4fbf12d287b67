//! From an integration's answer to the method's: the response that is chosen, its parameters, its template.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html>

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use pagoda_protocol::Body;
use pagoda_velocity::Template;
use regex::Regex;

use super::answer::Refusal;
use super::event::is_binary;
use super::expression::{Circumstances, Expression, Origin};
use super::mapped::{Incoming, templates, with_overrides};
use super::template::{Overrides, put_on, render};
use super::{Call, media_type};
use crate::table::{ContentHandling, Integration, IntegrationResponse};

const JSON: &str = "application/json";

/// The responses of an integration, ready.
pub(crate) struct Responses(Vec<Choice>);

struct Choice {
    /// Matches whole selectors; what is no pattern matches nothing.
    pattern: Option<Regex>,
    is_default: bool,
    status: Option<StatusCode>,
    headers: Vec<(HeaderName, Expression)>,
    templates: BTreeMap<String, Option<Template>>,
    content_handling: Option<ContentHandling>,
}

impl Responses {
    pub(crate) fn new(integration: &Integration) -> Self {
        Self(integration.responses.iter().map(|(status, response)| Choice::new(status, response)).collect())
    }

    /// The response whose pattern matches, or the default one.
    fn choose(&self, selector: Option<&str>) -> Option<&Choice> {
        let matches = |choice: &&Choice| {
            choice.pattern.as_ref().zip(selector).is_some_and(|(pattern, text)| pattern.is_match(text))
        };
        self.0.iter().find(matches).or_else(|| self.0.iter().find(|choice| choice.is_default))
    }

    pub(crate) fn answer(
        &self,
        call: &Call<'_>,
        incoming: &Incoming,
        overrides: &Overrides,
    ) -> Result<Response<Body>, Refusal> {
        let choice = self.choose(incoming.selector.as_deref()).ok_or(Refusal::InternalError)?;
        choice.answer(call, incoming, overrides)
    }
}

impl Choice {
    /// What was kept was checked.
    fn new(status: &str, response: &IntegrationResponse) -> Self {
        let pattern = response.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty());
        let header = |(name, value): (&String, &String)| {
            let name = name.strip_prefix("method.response.header.")?;
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, Expression::of_response(value)?))
        };
        Self {
            pattern: pattern.and_then(|pattern| Regex::new(&format!("^(?s:{pattern})$")).ok()),
            is_default: pattern.is_none(),
            status: status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok()),
            headers: response.parameters.iter().filter_map(header).collect(),
            templates: templates(&response.templates),
            content_handling: response.content_handling,
        }
    }

    fn answer(
        &self,
        call: &Call<'_>,
        incoming: &Incoming,
        overrides: &Overrides,
    ) -> Result<Response<Body>, Refusal> {
        let mut context = with_overrides(call.context(), overrides);
        context["integration"] = serde_json::json!({ "status": incoming.status.as_u16() });
        context["status"] = serde_json::json!(incoming.status.as_u16());
        let body = self.converted(call, incoming)?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status.ok_or(Refusal::InternalError)?;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        let origin = Origin {
            headers: &incoming.headers,
            query: None,
            path: &[],
            greedy: None,
            body: &incoming.body,
            variables: &call.deployment.variables,
            context: Circumstances::Made(&context),
        };
        let mut mapped = Vec::new();
        for (name, expression) in &self.headers {
            let values = expression.all(&origin);
            mapped.extend(
                values
                    .into_iter()
                    .filter_map(|value| Some((name.clone(), HeaderValue::from_str(&value).ok()?))),
            );
        }
        let rendered = match self.template(incoming) {
            None => None,
            Some((kind, template)) => {
                let template = template.as_ref().ok_or(Refusal::InternalError)?;
                if let Ok(kind) = HeaderValue::from_str(kind) {
                    headers.insert(CONTENT_TYPE, kind);
                }
                Some(render(template, &call.scene(&body, context.clone()))?)
            }
        };
        for (name, _) in &mapped {
            headers.remove(name);
        }
        for (name, value) in mapped {
            headers.append(name, value);
        }
        match rendered {
            None => *response.body_mut() = Body::from(body),
            Some(rendered) => {
                put_on(&rendered.overrides.response_headers, headers);
                let status = rendered.overrides.status.and_then(|status| StatusCode::from_u16(status).ok());
                if let Some(status) = status {
                    *response.status_mut() = status;
                }
                *response.body_mut() = Body::from(rendered.text);
            }
        }
        Ok(response)
    }

    /// The template for what the integration answered, else the one for JSON, else any.
    fn template(&self, incoming: &Incoming) -> Option<(&String, &Option<Template>)> {
        let kind = media_type(&incoming.headers).unwrap_or(JSON);
        let wanted = [kind, JSON].into_iter().find_map(|kind| self.templates.get_key_value(kind));
        wanted.or_else(|| self.templates.iter().next())
    }

    fn converted(&self, call: &Call<'_>, incoming: &Incoming) -> Result<Bytes, Refusal> {
        let types = &call.deployment.api.binary_media_types;
        let is_bytes = is_binary(types, media_type(&incoming.headers));
        match self.content_handling {
            Some(ContentHandling::ConvertToText) if is_bytes => Ok(STANDARD.encode(&incoming.body).into()),
            Some(ContentHandling::ConvertToBinary) if !is_bytes => {
                // A text of JSON in which there is nothing else is the base64.
                let text: Result<String, _> = serde_json::from_slice(&incoming.body);
                let decoded = match &text {
                    Ok(text) => STANDARD.decode(text.trim()),
                    Err(_) => STANDARD.decode(incoming.body.trim_ascii()),
                };
                decoded.map(Bytes::from).map_err(|_| Refusal::InternalError)
            }
            _ => Ok(incoming.body.clone()),
        }
    }
}
