//! API Gateway before a function that answers as the test says.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use http::request::Parts;
use pagoda_apigateway::{ApiGateway, Ports};
use pagoda_base::{AccountId, Region};
use pagoda_iam::Iam;
use pagoda_policy::Principal;
use pagoda_protocol::{ApiError, Body};
use pagoda_service::ports::{
    AssumeRole, Authenticate, Credential, FindCredential, FunctionError, Invocation, InvokeFunction,
    InvokeLater, Invoked, LogLine, NoCredential, PutLogEvents, ReadRole as _, RelayRequest,
    SessionCredentials,
};
use pagoda_service::{Api, Arrival, Authorizer, Caller, Context, DataPlane as _};
use pagoda_testkit::{Client, Measured, World};
use serde_json::{Value, json};

pub(crate) const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

pub(crate) const AUTHORIZER: &str = "arn:aws:lambda:us-east-1:123456789012:function:authorizer";

/// A function that answers the same thing each time, and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Function {
    pub(crate) answer: Mutex<String>,
    pub(crate) fails: Mutex<bool>,
    pub(crate) asked: Mutex<Option<(Caller, Invocation)>>,
    /// The answer of the function [`AUTHORIZER`]; one with an `errorMessage` is its failure.
    pub(crate) verdict: Mutex<Value>,
    /// What was queued.
    pub(crate) queued: Mutex<Vec<(Caller, Invocation)>>,
    /// The status of what services answer.
    pub(crate) relayed: Mutex<u16>,
    /// What that function was asked.
    pub(crate) questions: Mutex<Vec<(Caller, Invocation)>>,
}

#[async_trait]
impl InvokeFunction for Function {
    async fn invoke(&self, cx: &Context, invocation: Invocation) -> Result<Invoked, ApiError> {
        if invocation.function_arn == AUTHORIZER {
            let verdict = self.verdict.lock().unwrap().clone();
            self.questions.lock().unwrap().push((cx.caller.clone(), invocation));
            return Ok(Invoked {
                function_error: verdict.get("errorMessage").map(|_| FunctionError::Unhandled),
                payload: Bytes::from(verdict.to_string()),
                executed_version: "$LATEST".into(),
                log_tail: Bytes::new(),
            });
        }
        *self.asked.lock().unwrap() = Some((cx.caller.clone(), invocation));
        Ok(Invoked {
            payload: Bytes::from(self.answer.lock().unwrap().clone()),
            function_error: self.fails.lock().unwrap().then_some(FunctionError::Unhandled),
            executed_version: "$LATEST".into(),
            log_tail: Bytes::new(),
        })
    }
}

#[async_trait]
impl InvokeLater for Function {
    async fn enqueue(&self, cx: &Context, invocation: Invocation) -> Result<(), ApiError> {
        self.queued.lock().unwrap().push((cx.caller.clone(), invocation));
        Ok(())
    }
}

#[async_trait]
impl RelayRequest for Function {
    /// Answers what it was asked.
    async fn relay(
        &self,
        cx: &Context,
        service: &str,
        action: Option<&str>,
        parts: Parts,
        body: Bytes,
    ) -> Response<Body> {
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let headers: std::collections::BTreeMap<_, _> = headers.collect();
        let answer = json!({
            "caller": format!("{:?}", cx.caller.principal), "region": cx.region.as_str(), "service": service,
            "action": action, "verb": parts.method.as_str(), "uri": parts.uri.to_string(), "headers": headers,
            "body": String::from_utf8_lossy(&body),
        });
        let mut response = Response::new(Body::from(answer.to_string()));
        *response.status_mut() = http::StatusCode::from_u16(*self.relayed.lock().unwrap()).unwrap();
        response.headers_mut().insert("x-relayed", "yes".parse().unwrap());
        response
    }
}

/// Knows one caller, by a header.
struct Header(Caller);

#[async_trait]
impl Authenticate for Header {
    async fn caller(&self, _service: &'static str, parts: &Parts, _body: &Bytes) -> Result<Caller, ApiError> {
        match parts.headers.get("authorization").and_then(|value| value.to_str().ok()) {
            None => Ok(Caller::anonymous()),
            Some("root") => Ok(self.0.clone()),
            Some(_) => Err(ApiError::new("InvalidSignatureException", 400, "The signature does not match.")),
        }
    }
}

/// Hands out sessions of one role.
struct Roles(Arc<Iam>);

pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/authorizing";

#[async_trait]
impl AssumeRole for Roles {
    async fn assume(
        &self,
        cx: &Context,
        service: &str,
        role_arn: &str,
        _session_name: &str,
        _duration_seconds: i32,
    ) -> Result<SessionCredentials, ApiError> {
        if (service, role_arn) != ("apigateway.amazonaws.com", ROLE) {
            return Err(ApiError::new("AccessDenied", 403, "not trusted"));
        }
        Ok(SessionCredentials {
            access_key_id: "ASIA".into(),
            secret_access_key: "secret".to_owned().into(),
            session_token: ROLE.into(),
            expiration: cx.now,
        })
    }
}

#[async_trait]
impl FindCredential for Roles {
    async fn find(&self, _id: &str, session_token: Option<&str>) -> Result<Credential, NoCredential> {
        let role = self.0.role(ROLE).await.unwrap();
        let id = role.map_or_else(|| "AROA".to_owned(), |role| role.id.clone());
        let principal = Principal::Session {
            account: pagoda_testkit::ACCOUNT.parse().unwrap(),
            role_arn: session_token.unwrap().to_owned(),
            session_arn: "session".into(),
        };
        Ok(Credential {
            secret: "secret".to_owned().into(),
            caller: Caller::new(principal, format!("{id}:session"), None),
        })
    }
}

/// Lines of logs, by their groups.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<(String, String)>>);

impl Lines {
    pub(crate) fn of(&self, group: &str) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        lines.iter().filter(|(of, _)| of == group).map(|(_, line)| line.clone()).collect()
    }
}

#[async_trait]
impl PutLogEvents for Lines {
    async fn put(
        &self,
        _account: AccountId,
        _region: &Region,
        group: &str,
        _stream: &str,
        lines: Vec<LogLine>,
    ) -> Result<(), ApiError> {
        let lines = lines.into_iter().map(|line| (group.to_owned(), line.message));
        self.0.lock().unwrap().extend(lines);
        Ok(())
    }
}

pub(crate) struct Gateway<'w> {
    world: &'w World,
    service: Arc<ApiGateway>,
    pub(crate) function: Arc<Function>,
    pub(crate) measured: Arc<Measured>,
    lines: Arc<Lines>,
    pub(crate) client: Client<'w>,
}

impl<'w> Gateway<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let iam = Iam::new(world.store.clone(), world.random.clone(), world.sealer.clone(), Vec::new());
        let authorizer = Authorizer::new(iam.clone());
        let function = Arc::new(Function { relayed: Mutex::new(200), ..Function::default() });
        let measured = Arc::new(Measured::default());
        let lines = Arc::new(Lines::default());
        let service = ApiGateway::new(Ports {
            store: world.store.clone(),
            sealer: world.sealer.clone(),
            random: world.random.clone(),
            authorizer: authorizer.clone(),
            authenticate: Arc::new(Header(world.root())),
            functions: function.clone(),
            later: function.clone(),
            relay: function.clone(),
            metrics: measured.clone(),
            logs: lines.clone(),
            roles: Arc::new(Roles(iam.clone())),
            credentials: Arc::new(Roles(iam.clone())),
        });
        let client = Client::new(world, [Api::of(&service), Api::of(&iam)], authorizer);
        Self { world, service, function, measured, lines, client }
    }

    /// The lines of a log group.
    pub(crate) async fn lines(&self, group: &str) -> Vec<String> {
        self.service.close().await;
        self.lines.of(group)
    }

    pub(crate) async fn must(&self, operation: &str, input: Value) -> Value {
        self.client.must("apigateway", operation, input).await
    }

    /// An API made of a definition, deployed to the stage `s`; its id.
    pub(crate) async fn deploy(&self, paths: Value) -> String {
        self.deploy_with(paths, json!({})).await
    }

    /// The same, with more members of the definition.
    pub(crate) async fn deploy_with(&self, paths: Value, more: Value) -> String {
        let mut definition = json!({
            "swagger": "2.0",
            "info": { "title": "t", "version": "1" },
            "paths": paths,
            "securityDefinitions": { "iam": {
                "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4",
            } },
        });
        definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        use base64::Engine as _;
        let body = base64::engine::general_purpose::STANDARD.encode(definition.to_string());
        let api =
            self.must("ImportRestApi", json!({ "body": body })).await["id"].as_str().unwrap().to_owned();
        self.must("CreateDeployment", json!({ "restApiId": api, "stageName": "s" })).await;
        api
    }

    /// A request to the stage: status, headers, body.
    pub(crate) async fn request(
        &self,
        api: &str,
        request: http::request::Builder,
        body: &str,
    ) -> (u16, http::HeaderMap, String) {
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = self.answer(api, request).await.into_parts();
        let body = body.collect(2_000_000).await.unwrap();
        (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    /// The same of a body of any bytes; the status.
    pub(crate) async fn send(&self, api: &str, request: http::request::Builder, body: Vec<u8>) -> u16 {
        self.answer(api, request.body(Body::from(body)).unwrap()).await.status().as_u16()
    }

    /// The same; how long the body is.
    pub(crate) async fn length(
        &self,
        api: &str,
        request: http::request::Builder,
    ) -> (u16, http::HeaderMap, usize) {
        let (parts, body) = self.answer(api, request.body(Body::empty()).unwrap()).await.into_parts();
        (parts.status.as_u16(), parts.headers, body.collect(2_000_000).await.unwrap().len())
    }

    async fn answer(&self, api: &str, request: http::Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let cx = self.world.context(Caller::anonymous());
        self.service.serve(Arrival { parts, body, cx, name: api.to_owned(), path }).await
    }

    pub(crate) async fn get(&self, api: &str, uri: &str) -> (u16, String) {
        let request = http::Request::get(uri).header("host", "a.execute-api.us-east-1.localhost:4566");
        let (status, _, body) = self.request(api, request, "").await;
        (status, body)
    }
}

pub(crate) fn proxy() -> Value {
    let uri = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations");
    json!({ "x-amazon-apigateway-integration": { "type": "aws_proxy", "httpMethod": "POST", "uri": uri } })
}

pub(crate) fn mock(status: &str, body: &str) -> Value {
    json!({ "x-amazon-apigateway-integration": {
        "type": "mock",
        "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
        "responses": { "default": {
            "statusCode": status,
            "responseParameters": { "method.response.header.X-Mock": "'yes'" },
            "responseTemplates": { "application/json": body },
        } },
    } })
}
