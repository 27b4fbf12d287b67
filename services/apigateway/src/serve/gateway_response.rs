//! Refusals in the API's own words: its gateway responses, ready to answer.
//!
//! Templates know variables only, as AWS has it: `$context.…`, `$stageVariables.…`, `$method.request.…`.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html>

use std::collections::HashMap;
use std::sync::LazyLock;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use pagoda_protocol::Body;
use pagoda_service::Context;
use regex::{Captures, Regex};
use serde_json::{Value, json};

use super::answer::Refusal;
use super::deployed::Deployment;
use super::identity::{Origin, Source};
use crate::integration_response::literal;
use crate::table::{self, Texts};

const JSON: &str = "application/json";
const HEADER: &str = "gatewayresponse.header.";
const PATH: &str = "method.request.path.";

/// `${name}` or `$name`.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    const NAME: &str = r"((?:context|stageVariables|method\.request)(?:\.[A-Za-z0-9_-]+)+)";
    Regex::new(&format!(r"\$\{{{NAME}\}}|\${NAME}")).expect("the pattern is a constant that tests compile")
});

/// The gateway responses of a deployment, by their types.
pub(crate) struct Responses(HashMap<String, Answer>);

struct Answer {
    status: Option<StatusCode>,
    headers: Vec<(HeaderName, Expression)>,
    templates: Texts,
}

/// Where a header's value comes from.
enum Expression {
    Literal(HeaderValue),
    Of(Variable),
}

enum Variable {
    Source(Source),
    Path(String),
}

/// The request that is refused.
pub(crate) struct Scene<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) cx: Context,
    pub(crate) parts: &'a Parts,
    pub(crate) path: &'a str,
}

/// Refuses a gateway response that could not be answered with, saying why.
pub(crate) fn check(response: &table::GatewayResponse) -> Result<(), String> {
    Answer::new(response).map(drop)
}

impl Responses {
    /// Nothing where an API has none of its own. What was kept was checked.
    pub(crate) fn new(responses: &[table::GatewayResponse]) -> Option<Self> {
        let ready =
            |response: &table::GatewayResponse| Some((response.kind.clone(), Answer::new(response).ok()?));
        let ready: HashMap<_, _> = responses.iter().filter_map(ready).collect();
        (!ready.is_empty()).then_some(Self(ready))
    }

    /// The refusal as the API words it: by its type, by its class, or as always.
    pub(crate) fn answer(&self, refusal: Refusal, scene: &Scene<'_>) -> Response<Body> {
        let wrong = refusal.validation_error().map(str::to_owned);
        let (kind, message) = (refusal.kind(), refusal.message());
        let response = refusal.into_response();
        let class = if response.status().is_server_error() { "DEFAULT_5XX" } else { "DEFAULT_4XX" };
        match self.0.get(kind).or_else(|| self.0.get(class)) {
            Some(answer) => {
                answer.put_on(response, &scene.context(kind, message.as_deref(), wrong.as_deref()), scene)
            }
            None => response,
        }
    }
}

impl Answer {
    fn new(response: &table::GatewayResponse) -> Result<Self, String> {
        let mut headers = Vec::new();
        for (name, expression) in &response.parameters {
            let invalid = || format!("Invalid mapping expression parameter specified: {name}");
            let header = name.strip_prefix(HEADER).ok_or_else(invalid)?;
            let header = HeaderName::from_bytes(header.as_bytes()).map_err(|_| invalid())?;
            let value = Expression::read(expression)
                .ok_or_else(|| format!("Invalid mapping expression specified: {expression}"))?;
            headers.push((header, value));
        }
        let status = response.status.as_deref().and_then(|status| status.parse().ok());
        Ok(Self { status, headers, templates: response.templates.clone() })
    }

    fn put_on(&self, mut response: Response<Body>, context: &Value, scene: &Scene<'_>) -> Response<Body> {
        let lookup = |variable: &Variable| variable.find(context, scene);
        if let Some((kind, template)) = self.template(scene) {
            *response.body_mut() = Body::from(filled(template, lookup));
            if let Ok(kind) = HeaderValue::from_str(kind) {
                response.headers_mut().insert(CONTENT_TYPE, kind);
            }
        }
        if let Some(status) = self.status {
            *response.status_mut() = status;
        }
        for (name, expression) in &self.headers {
            let value = match expression {
                Expression::Literal(value) => Some(value.clone()),
                Expression::Of(variable) => {
                    lookup(variable).and_then(|text| HeaderValue::from_str(&text).ok())
                }
            };
            if let Some(value) = value {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// The template for what the client accepts, else the one for JSON, else any.
    fn template(&self, scene: &Scene<'_>) -> Option<(&String, &String)> {
        let accept =
            scene.parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or(kind).trim());
        let wanted = kinds.chain([JSON]).find_map(|kind| self.templates.get_key_value(kind));
        wanted.or_else(|| self.templates.iter().next())
    }
}

/// Puts values in the place of variables; what has none is left out.
fn filled(template: &str, lookup: impl Fn(&Variable) -> Option<String>) -> String {
    let value = |found: &Captures<'_>| {
        let name = found.get(1).or_else(|| found.get(2))?;
        lookup(&Variable::read(name.as_str())?)
    };
    VARIABLE.replace_all(template, |found: &Captures<'_>| value(found).unwrap_or_default()).into_owned()
}

impl Expression {
    fn read(text: &str) -> Option<Self> {
        match literal(text) {
            Some(text) => HeaderValue::from_str(text).ok().map(Self::Literal),
            None => Variable::read(text).map(Self::Of),
        }
    }
}

impl Variable {
    fn read(text: &str) -> Option<Self> {
        match text.strip_prefix(PATH).filter(|name| !name.is_empty()) {
            Some(name) => Some(Self::Path(name.to_owned())),
            None => Source::read(text).map(Self::Source),
        }
    }

    fn find(&self, context: &Value, scene: &Scene<'_>) -> Option<String> {
        match self {
            Self::Path(name) => {
                let matched = scene.deployment.routes.find(scene.path)?;
                matched.parameters.into_iter().find(|(own, _)| own == name).map(|(_, value)| value)
            }
            Self::Source(source) => source.find(&Origin {
                headers: &scene.parts.headers,
                query: scene.parts.uri.query(),
                variables: &scene.deployment.variables,
                context: &|| context.clone(),
            }),
        }
    }
}

impl Scene<'_> {
    /// `$context`, with what went wrong.
    fn context(&self, kind: &str, message: Option<&str>, wrong: Option<&str>) -> Value {
        let mut context = self.circumstances();
        context["error"] = json!({
            "message": message,
            "messageString": json!(message).to_string(),
            "responseType": kind,
            "validationErrorString": wrong,
        });
        context
    }

    /// What of `$context` is known of every request.
    pub(crate) fn circumstances(&self) -> Value {
        let (api, cx) = (&self.deployment.api, &self.cx);
        let id = cx.request_id.to_string();
        let mut circumstances = json!({
            "accountId": api.account.as_str(),
            "apiId": api.id,
            "extendedRequestId": id,
            "httpMethod": self.parts.method.as_str(),
            "identity": {
                "sourceIp": cx.origin.address.to_canonical().to_string(),
                "userAgent": cx.origin.user_agent,
            },
            "path": format!("/{}{}", self.deployment.stage, self.path),
            "protocol": format!("{:?}", self.parts.version),
            "requestId": id,
            "requestTime": cx.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "requestTimeEpoch": cx.now.as_millisecond(),
            "resourcePath": self.deployment.routes.find(self.path).map(|matched| &matched.resource.path),
            "stage": self.deployment.stage,
        });
        self.deployment.tell_of_canary(&mut circumstances);
        circumstances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_template(template: &str, expected: &str) {
        let context = json!({ "a": "x", "error": { "messageString": "\"no\"" } });
        let lookup = |variable: &Variable| match variable {
            Variable::Source(Source::Context(pointer)) => {
                context.pointer(pointer)?.as_str().map(str::to_owned)
            }
            Variable::Source(Source::Header(name)) => Some(format!("<{name}>")),
            Variable::Path(name) => Some(format!("/{name}")),
            Variable::Source(_) => None,
        };
        assert_eq!(filled(template, lookup), expected);
    }

    #[test]
    fn templates_have_variables_and_nothing_else() {
        check_template("{\"message\":$context.error.messageString}", "{\"message\":\"no\"}");
        check_template("${context.a}b $context.none.", "xb .");
        check_template("$method.request.header.X-A $method.request.path.p", "<x-a> /p");
        check_template("#if($context.a) $5 $other", "#if(x) $5 $other");
    }

    #[test]
    fn only_lawful_responses_are_kept() {
        for (name, expression, lawful) in [
            ("gatewayresponse.header.X", "'*'", true),
            ("gatewayresponse.header.X", "method.request.header.Origin", true),
            ("gatewayresponse.header.X", "context.requestId", true),
            ("gatewayresponse.header.X", "*", false),
            ("gatewayresponse.header.X", "'\n'", false),
            ("gatewayresponse.header.", "'*'", false),
            ("method.response.header.X", "'*'", false),
        ] {
            let parameters = Texts::from([(name.to_owned(), expression.to_owned())]);
            let kind = "DEFAULT_4XX".to_owned();
            let response = table::GatewayResponse { kind, status: None, parameters, templates: Texts::new() };
            assert_eq!(check(&response).is_ok(), lawful, "{name} {expression}");
        }
    }
}
