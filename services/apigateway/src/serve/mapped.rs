//! Integrations between which and the method templates stand: `AWS`, `HTTP`, and mocks whose answers depend
//! on the request. Map the request, send it, choose the response, map it.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html>

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use pagoda_protocol::Body;
use pagoda_velocity::Template;
use serde_json::{Map, Value, json};

use super::answer::Refusal;
use super::event::{self, is_binary};
use super::expression::{Circumstances, Origin};
use super::outgoing::{Outgoing, Parameters};
use super::response::Responses;
use super::template::{Overrides, Scene, render};
use super::{Call, media_type, mock};
use crate::ApiGateway;
use crate::table::{ContentHandling, Integration, IntegrationKind, Passthrough};

/// Where no media type is said, it is this one.
const JSON: &str = "application/json";

/// An integration with its templates, ready.
pub(crate) struct Mapped {
    integration: Integration,
    parameters: Parameters,
    /// By media types; nothing where a text is no template.
    templates: BTreeMap<String, Option<Template>>,
    responses: Responses,
}

/// What an integration answered.
pub(crate) struct Incoming {
    /// What the patterns of responses are matched with: a status, or what a function failed with. A
    /// function that did not fail has the default response.
    pub(crate) selector: Option<String>,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Mapped {
    pub(crate) fn new(integration: &Integration) -> Self {
        Self {
            integration: integration.clone(),
            parameters: Parameters::new(integration),
            templates: templates(&integration.request_templates),
            responses: Responses::new(integration),
        }
    }
}

/// Reads templates; what is none is in the log, and fails when it is used.
pub(crate) fn templates(texts: &BTreeMap<String, String>) -> BTreeMap<String, Option<Template>> {
    let read = |text: &str| {
        let read = Template::parse(text);
        read.map_err(|error| tracing::warn!(%error, "a mapping template is malformed")).ok()
    };
    texts.iter().map(|(kind, text)| (kind.clone(), read(text))).collect()
}

impl ApiGateway {
    pub(crate) async fn map(&self, call: &Call<'_>, mapped: &Mapped) -> Result<Response<Body>, Refusal> {
        let integration = &mapped.integration;
        let (outgoing, overrides) = mapped.request(call)?;
        let time = Duration::from_millis(integration.timeout_millis);
        let incoming = match integration.kind {
            IntegrationKind::Mock => mocked(&outgoing.body)?,
            IntegrationKind::Http => {
                let sent = tokio::time::timeout(time, self.ask_server(call, integration, outgoing)).await;
                sent.map_err(|_| Refusal::IntegrationTimeout)??
            }
            _ => {
                let sent = tokio::time::timeout(time, self.ask_service(call, integration, outgoing)).await;
                sent.map_err(|_| Refusal::IntegrationTimeout)??
            }
        };
        mapped.responses.answer(call, &incoming, &overrides)
    }
}

/// A mock's answer is the status that its request names.
fn mocked(request: &[u8]) -> Result<Incoming, Refusal> {
    let selector = mock::status_code(request).ok_or(Refusal::InternalError)?;
    let status = selector.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
    Ok(Incoming {
        selector: Some(selector),
        status: status.ok_or(Refusal::InternalError)?,
        headers: HeaderMap::new(),
        body: Bytes::new(),
    })
}

impl Mapped {
    /// The integration's request, and what a template overrode in it.
    fn request(&self, call: &Call<'_>) -> Result<(Outgoing, Overrides), Refusal> {
        let kind = media_type(&call.parts.headers).unwrap_or(JSON);
        let body = self.converted(call, kind)?;
        let mut outgoing = Outgoing { headers: self.headers(call), ..Outgoing::default() };
        self.parameters.put_on(&mut outgoing, &call.origin());
        let mut overrides = Overrides::default();
        match self.templates.get(kind) {
            Some(template) => {
                let template = template.as_ref().ok_or(Refusal::InternalError)?;
                let rendered = render(template, &call.scene(&body, call.context()))?;
                outgoing.body = rendered.text.into();
                outgoing.override_by(&rendered.overrides);
                overrides = rendered.overrides;
            }
            None if self.may_pass() => outgoing.body = body,
            None => return Err(Refusal::UnsupportedMediaType),
        }
        Ok((outgoing, overrides))
    }

    /// What every integration is told.
    fn headers(&self, call: &Call<'_>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let kind = call.parts.headers.get(CONTENT_TYPE).cloned();
        headers.insert(CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static(JSON)));
        headers.insert(http::header::ACCEPT, HeaderValue::from_static(JSON));
        let agent = format!("AmazonAPIGateway_{}", call.deployment.api.id);
        if let Ok(agent) = HeaderValue::from_str(&agent) {
            headers.insert(http::header::USER_AGENT, agent);
        }
        headers
    }

    /// Whether a body for which there is no template is the integration's request itself.
    fn may_pass(&self) -> bool {
        match self.integration.passthrough {
            Passthrough::WhenNoMatch => true,
            Passthrough::WhenNoTemplates => self.templates.is_empty(),
            Passthrough::Never => false,
        }
    }

    /// The body as the integration takes it.
    ///
    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html>
    fn converted(&self, call: &Call<'_>, kind: &str) -> Result<Bytes, Refusal> {
        let is_bytes = is_binary(&call.deployment.api.binary_media_types, Some(kind));
        match self.integration.content_handling {
            Some(ContentHandling::ConvertToText) if is_bytes => Ok(STANDARD.encode(&call.body).into()),
            Some(ContentHandling::ConvertToBinary) if !is_bytes => {
                let decoded = STANDARD.decode(call.body.trim_ascii());
                decoded.map(Bytes::from).map_err(|_| Refusal::InternalError)
            }
            _ => Ok(call.body.clone()),
        }
    }
}

impl Call<'_> {
    /// What mapping expressions look into.
    pub(crate) fn origin(&self) -> Origin<'_> {
        let last = self.matched.resource.path.rsplit('/').next().unwrap_or_default();
        Origin {
            headers: &self.parts.headers,
            query: self.parts.uri.query(),
            path: &self.matched.parameters,
            greedy: last.strip_prefix('{').and_then(|name| name.strip_suffix("+}")),
            body: &self.body,
            variables: &self.deployment.variables,
            context: Circumstances::Of(self),
        }
    }

    /// `$context`.
    pub(crate) fn context(&self) -> Value {
        event::context(self)
    }

    /// What templates are rendered over.
    pub(crate) fn scene<'s>(&'s self, body: &'s [u8], context: Value) -> Scene<'s> {
        Scene {
            body,
            path: &self.matched.parameters,
            query: self.parts.uri.query(),
            headers: &self.parts.headers,
            variables: &self.deployment.variables,
            context,
        }
    }
}

/// `$context` of a response's template: what the request's template overrode is there still.
pub(crate) fn with_overrides(mut context: Value, overrides: &Overrides) -> Value {
    let texts = |texts: &BTreeMap<String, String>| {
        texts.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>()
    };
    context["requestOverride"] = json!({
        "header": texts(&overrides.headers),
        "querystring": texts(&overrides.query),
        "path": texts(&overrides.path),
    });
    context
}
