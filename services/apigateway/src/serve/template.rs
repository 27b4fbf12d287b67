//! Mapping templates: what they are given, and what they make of it.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>

mod input;
mod util;

use http::{HeaderMap, HeaderName, HeaderValue};
use pagoda_velocity::{Limits, Rendering, Template};
use serde_json::{Map, Value, json};

use super::answer::Refusal;
use crate::table::Texts;

use input::Input;
use util::Util;

/// Bytes of what a template makes.
const OUTPUT_BYTES_MAX: usize = 10 * 1024 * 1024;

/// What a template is rendered over.
pub(crate) struct Scene<'a> {
    /// The payload that is mapped.
    pub(crate) body: &'a [u8],
    /// The parameters of the method's request: the path's, decoded.
    pub(crate) path: &'a [(String, String)],
    /// Percent-encoded.
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) variables: &'a Texts,
    /// `$context`.
    pub(crate) context: Value,
}

/// What a template made.
pub(crate) struct Rendered {
    pub(crate) text: String,
    /// What it put into `$context.requestOverride` and `$context.responseOverride`.
    pub(crate) overrides: Overrides,
}

/// Parameters and a status that a template set.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html>
#[derive(Default)]
pub(crate) struct Overrides {
    pub(crate) headers: Texts,
    pub(crate) query: Texts,
    pub(crate) path: Texts,
    pub(crate) response_headers: Texts,
    pub(crate) status: Option<u16>,
}

/// Renders a template. What it does wrong goes to the log; the caller learns that something is.
pub(crate) fn render(template: &Template, scene: &Scene<'_>) -> Result<Rendered, Refusal> {
    let failed = |error: pagoda_velocity::RenderError| {
        tracing::warn!(%error, "a mapping template failed");
        Refusal::InternalError
    };
    let mut rendering = Rendering::new(Limits { output_bytes: OUTPUT_BYTES_MAX, ..Limits::default() });
    let mut context = scene.context.clone();
    // What the request's template has put there, a response's finds.
    if context.get("requestOverride").is_none() {
        context["requestOverride"] = json!({ "header": {}, "querystring": {}, "path": {} });
    }
    context["responseOverride"] = json!({ "header": {} });
    let context = rendering.heap().from_json(&printable(context)).map_err(failed)?;
    let variables = json!(scene.variables);
    let variables = rendering.heap().from_json(&variables).map_err(failed)?;
    rendering.define("context", context.clone());
    rendering.define("stageVariables", variables);
    let input = Input::new(scene);
    let (text, heap) = rendering.render(template, &[("input", &input), ("util", &Util)]).map_err(failed)?;
    let left = heap.to_json(&context).map_err(failed)?;
    Ok(Rendered { text, overrides: Overrides::read(&left) })
}

/// What is null prints nothing, as what is missing.
fn printable(context: Value) -> Value {
    match context {
        Value::Null => Value::String(String::new()),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, printable(value))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

impl Overrides {
    fn read(context: &Value) -> Self {
        let texts = |pointer: &str| {
            let fields = context.pointer(pointer).and_then(Value::as_object);
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            fields.into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect::<Texts>()
        };
        let (request, response) = (texts("/requestOverride/header"), texts("/responseOverride/header"));
        let status = context.pointer("/responseOverride/status");
        let status = status.and_then(|status| match status {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        });
        Self {
            headers: request,
            response_headers: response,
            query: texts("/requestOverride/querystring"),
            path: texts("/requestOverride/path"),
            status: status.and_then(|status| u16::try_from(status).ok()),
        }
    }
}

/// Puts headers in the place of those that are there.
pub(crate) fn put_on(texts: &Texts, headers: &mut HeaderMap) {
    for (name, value) in texts {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
}
