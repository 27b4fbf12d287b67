//! Lambda authorizers: a function says who asks and what they may do.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html>

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use jiff::SignedDuration;
use pagoda_service::ports::Invocation;
use pagoda_service::{Caller, Context};
use regex::Regex;
use serde_json::{Value, json};

use super::answer::Refusal;
use super::identity::{Origin, Source};
use super::proxy::with_variables;
use super::verdict::{Identity, Verdict};
use crate::ApiGateway;
use crate::integration::function_arn;
use crate::table::{self, AuthorizerKind, Texts};

const SERVICE: &str = "apigateway.amazonaws.com";
const TIMEOUT: Duration = Duration::from_secs(29);
/// Where a token is, if nothing else is said.
const TOKEN_SOURCE: &str = "method.request.header.Authorization";
/// The shortest session of a role.
const SESSION_SECONDS: i32 = 900;
const SOURCES_MAX: usize = 100;

/// An authorizer, ready to be asked.
pub(crate) struct Authorizer {
    record: table::Authorizer,
    sources: Vec<Source>,
    /// Matches whole tokens.
    validation: Option<Regex>,
}

/// What is asked.
pub(crate) struct Question<'a> {
    pub(crate) api: &'a table::RestApi,
    pub(crate) stage: &'a str,
    /// Empty where nothing is to be remembered.
    pub(crate) deployment: &'a str,
    pub(crate) variables: &'a Texts,
    pub(crate) parts: &'a Parts,
    pub(crate) method_arn: &'a str,
    pub(crate) context: &'a (dyn Fn() -> Value + Sync),
    /// The request without its body, as proxy integrations see it.
    pub(crate) request: &'a (dyn Fn() -> Value + Sync),
}

/// Refuses an authorizer that could not be asked, saying why.
pub(crate) fn check(record: &table::Authorizer) -> Result<(), String> {
    Authorizer::new(record.clone()).map(drop)
}

impl Authorizer {
    pub(crate) fn new(record: table::Authorizer) -> Result<Self, String> {
        let text = match (record.kind, record.identity_source.as_deref()) {
            (AuthorizerKind::Token, None) => TOKEN_SOURCE,
            (_, text) => text.unwrap_or_default(),
        };
        let places = text.split(',').map(str::trim).filter(|place| !place.is_empty());
        let read = |place: &str| {
            Source::read(place).ok_or_else(|| format!("Invalid mapping expression specified: {place}"))
        };
        let sources = places.map(read).collect::<Result<Vec<_>, _>>()?;
        match (record.kind, &sources[..]) {
            (AuthorizerKind::Token, [Source::Header(_)]) => {}
            (AuthorizerKind::Token, _) => {
                return Err(format!("Invalid mapping expression specified: {text}"));
            }
            (AuthorizerKind::Request, []) if record.result_ttl_seconds > 0 => {
                return Err("Identity source is required when authorization caching is enabled".into());
            }
            (AuthorizerKind::Request, _) if sources.len() > SOURCES_MAX => {
                return Err(format!("At most {SOURCES_MAX} identity sources are allowed"));
            }
            (AuthorizerKind::Request, _) => {}
        }
        let validation = record.identity_validation.as_deref().filter(|text| !text.is_empty());
        let validation = validation.map(|text| Regex::new(&format!("^(?:{text})$"))).transpose();
        let validation = validation.map_err(|_| "Invalid identity validation expression specified")?;
        Ok(Self { record, sources, validation })
    }

    /// Who the request says it is from; unauthorized where it does not say.
    fn identify(&self, question: &Question<'_>) -> Result<Vec<String>, Refusal> {
        let origin = Origin {
            headers: &question.parts.headers,
            query: question.parts.uri.query(),
            variables: question.variables,
            context: question.context,
        };
        let values: Option<Vec<_>> = self.sources.iter().map(|source| source.find(&origin)).collect();
        let values = values.ok_or(Refusal::Unauthorized)?;
        let is_token = self.record.kind == AuthorizerKind::Token;
        match &self.validation {
            Some(valid) if is_token && !values.iter().all(|token| valid.is_match(token)) => {
                Err(Refusal::Unauthorized)
            }
            _ => Ok(values),
        }
    }

    fn event(&self, question: &Question<'_>, values: &[String]) -> Value {
        if self.record.kind == AuthorizerKind::Token {
            return json!({
                "type": "TOKEN",
                "authorizationToken": values.first(),
                "methodArn": question.method_arn,
            });
        }
        let mut event = (question.request)();
        event["type"] = json!("REQUEST");
        event["methodArn"] = json!(question.method_arn);
        event
    }
}

impl ApiGateway {
    /// What the authorizer says of a request: from memory while it holds, else by asking its function.
    pub(crate) async fn verdict(
        &self,
        cx: &Context,
        authorizer: &Authorizer,
        question: &Question<'_>,
    ) -> Result<Arc<Verdict>, Refusal> {
        let values = authorizer.identify(question)?;
        let record = &authorizer.record;
        if record.result_ttl_seconds == 0 || question.deployment.is_empty() {
            return self.ask(cx, authorizer, question, &values).await.map(Arc::new);
        }
        let identity = Identity {
            api: question.api.id.clone(),
            stage: question.stage.to_owned(),
            deployment: question.deployment.to_owned(),
            authorizer: record.id.clone(),
            values,
        };
        let holds = SignedDuration::from_secs(record.result_ttl_seconds.into());
        let until = cx.now.checked_add(holds).unwrap_or(cx.now);
        let asked = self.ask(cx, authorizer, question, &identity.values);
        self.verdicts.get_or_ask(&identity, cx.now, until, asked).await
    }

    async fn ask(
        &self,
        cx: &Context,
        authorizer: &Authorizer,
        question: &Question<'_>,
        values: &[String],
    ) -> Result<Verdict, Refusal> {
        let (record, api) = (&authorizer.record, question.api);
        let uri = with_variables(&record.uri, question.variables);
        let function_arn = function_arn(&uri).ok_or(Refusal::AuthorizerConfiguration)?.to_owned();
        let source = format!(
            "arn:aws:execute-api:{}:{}:{}/authorizers/{}",
            api.region, api.account, api.id, record.id
        );
        let payload = Bytes::from(authorizer.event(question, values).to_string());
        let invocation = Invocation { function_arn, payload, source_arn: Some(source) };
        let misconfigured = |error| {
            tracing::warn!(%error, api = api.id, authorizer = record.name, "the authorizer was not invoked");
            Refusal::AuthorizerConfiguration
        };
        let caller = self.invoker(cx, record).await.map_err(misconfigured)?;
        let cx = cx.on_behalf(caller, SERVICE);
        let began = Instant::now();
        let invoked = tokio::time::timeout(TIMEOUT, self.ports.functions.invoke(&cx, invocation)).await;
        let invoked = invoked.map_err(|_| Refusal::AuthorizerFailure)?.map_err(misconfigured)?;
        if invoked.function_error.is_some() {
            return Err(refusal_of_failure(&invoked.payload));
        }
        let latency = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Verdict::read(&invoked.payload, latency).ok_or(Refusal::AuthorizerConfiguration)
    }

    /// As whom the function is invoked: the authorizer's role, or API Gateway, which the function's policy names.
    async fn invoker(
        &self,
        cx: &Context,
        record: &table::Authorizer,
    ) -> Result<Caller, pagoda_protocol::ApiError> {
        let Some(role) = &record.credentials else { return Ok(Caller::service(SERVICE)) };
        let session = format!("authorizer-{}", record.id);
        self.session(cx, role, &session, SESSION_SECONDS).await
    }

    /// Whom a session of a role stands for that trusts API Gateway.
    pub(crate) async fn session(
        &self,
        cx: &Context,
        role: &str,
        name: &str,
        seconds: i32,
    ) -> Result<Caller, pagoda_protocol::ApiError> {
        let session = self.ports.roles.assume(cx, SERVICE, role, name, seconds).await?;
        let (id, token) = (&session.access_key_id, Some(session.session_token.as_str()));
        let credential = self.ports.credentials.find(id, token).await;
        let unknown = |error: pagoda_service::ports::NoCredential| {
            pagoda_protocol::ApiError::new("AccessDenied", 403, error.to_string())
        };
        credential.map(|credential| credential.caller).map_err(unknown)
    }
}

/// A function that fails with the word `Unauthorized` says 401; every other failure is its own.
fn refusal_of_failure(payload: &[u8]) -> Refusal {
    let error: Option<Value> = serde_json::from_slice(payload).ok();
    match error.as_ref().and_then(|error| error.get("errorMessage")).and_then(Value::as_str) {
        Some("Unauthorized") => Refusal::Unauthorized,
        _ => Refusal::AuthorizerFailure,
    }
}
