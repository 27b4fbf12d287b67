//! The path of a request: listen, identify, authenticate, decode, authorize, call, encode, record.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use pagoda_base::ids::RequestId;
use pagoda_base::{AccountId, Clock, Random, Region};
use pagoda_protocol::sigv4::{Dialect, PathStyle};
use pagoda_protocol::{ApiError, Body, Protocol, ServiceSpec, Target, Trace, checksum, encode_error, route};
use pagoda_service::{Api, Arrival, Caller, Context, Origin, Registry};

use crate::authenticate::{Authenticator, missing_token};
use crate::body::incoming;
use crate::identify::{Destination, Planes, identify};
use crate::limits::Limits;
use crate::linger::Whole;
use crate::record::{Answered, Counters};
use crate::too_large;

/// What stands behind the front door.
pub struct Gateway {
    /// All AWS APIs.
    pub registry: Arc<Registry>,
    /// All data planes.
    pub planes: Planes,
    /// Checks signatures.
    pub authenticator: Arc<Authenticator>,
    /// The account of anonymous requests.
    pub account: AccountId,
    /// The region of requests that name none.
    pub region: Region,
    /// The domain below which buckets are addressed.
    pub domain: String,
    /// The limits.
    pub limits: Limits,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// For request ids.
    pub random: Arc<dyn Random>,
    /// Counts of all requests.
    pub counters: Counters,
}

/// What is known of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: IpAddr,
    pub(crate) secure: bool,
    pub(crate) whole: Whole,
}

impl Gateway {
    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>, connection: &Connection) -> Response<Body> {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let body = incoming(body, self.limits.body_idle_time, &connection.whole);
        let request_id = RequestId::new(&*self.random);
        let host = host(&parts);
        let (service, operation, response) =
            match identify(&parts, &host, &self.domain, &self.planes, &self.registry) {
                Destination::Platform => {
                    let cx = self.context(request_id, &parts, &host, connection, Caller::anonymous(), None);
                    ("platform".into(), "", Box::pin(self.page(&parts, cx)).await)
                }
                Destination::Plane { plane, name, region, path } => {
                    let plane = Arc::clone(plane);
                    let cx = self.context(request_id, &parts, &host, connection, Caller::anonymous(), region);
                    let arrival = Arrival { parts, body, cx, name, path };
                    let answer = AssertUnwindSafe(plane.serve(arrival)).catch_unwind().await;
                    ("plane".into(), "", answer.unwrap_or_else(|_| plane_failure()))
                }
                Destination::Api { service, region, path } => {
                    let service = service.into_owned();
                    let call = Call { request_id, host: &host, connection, region };
                    // In a box: requests to data planes do not carry its weight.
                    let (operation, response) = Box::pin(self.api(&service, path, parts, body, call)).await;
                    (service, operation, response)
                }
            };
        let (status, took) = (response.status(), started.elapsed());
        self.counters.record(&Answered { request_id, service: &service, operation, status, took });
        response
    }

    /// An AWS API call, whatever becomes of it encoded as its protocol has it.
    async fn api(
        &self,
        service: &str,
        s3_path: Option<String>,
        mut parts: Parts,
        body: Body,
        call: Call<'_>,
    ) -> (&'static str, Response<Body>) {
        let request_id = call.request_id.to_string();
        let resource = parts.uri.path().to_owned();
        let head = parts.method == Method::HEAD;
        let trace = Trace { request_id: &request_id, host_id: &request_id, resource: &resource, head };
        let Some(api) = self.registry.targeted(service, target_prefix(&parts)) else {
            return ("", unknown_service(service, &parts, &trace));
        };
        let mut progress = Progress::default();
        let asked = parts.headers.contains_key(http::header::ORIGIN).then(|| parts.clone());
        let crossing = self.planes.cross_origin.as_ref().filter(|_| api.spec().is_s3()).zip(asked);
        let path = s3_path.clone().unwrap_or_else(|| resource.clone());
        if let Some((rules, asked)) = crossing.as_ref().filter(|_| parts.method == Method::OPTIONS) {
            let answer = rules.preflight(&path, &asked.headers).await;
            let refused = |error| encode_error(api.spec(), Protocol::RestXml, &error, &trace);
            return ("", answer.unwrap_or_else(refused));
        }
        let steps = self.steps(api, s3_path, &mut parts, body, call, &trace, &mut progress);
        let outcome = AssertUnwindSafe(steps).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(%request_id, service, operation = progress.operation, "the handler panicked");
            Err(ApiError::internal())
        });
        let mut response = outcome.unwrap_or_else(|error| {
            if error.status.is_server_error() && error.status != StatusCode::NOT_IMPLEMENTED {
                tracing::error!(%request_id, service, operation = progress.operation, %error, "failed");
            }
            let protocol = progress.protocol.unwrap_or_else(|| spoken(api.spec(), &parts));
            encode_error(api.spec(), protocol, &error, &trace)
        });
        if let Some((rules, asked)) = crossing {
            rules.add(&path, &asked, response.headers_mut()).await;
        }
        (progress.operation, response)
    }

    /// The steps of an API call, in order.
    #[allow(clippy::too_many_arguments)] // the one place where all that is known of a request comes together
    async fn steps(
        &self,
        api: &Api,
        s3_path: Option<String>,
        parts: &mut Parts,
        body: Body,
        call: Call<'_>,
        trace: &Trace<'_>,
        progress: &mut Progress,
    ) -> Result<Response<Body>, ApiError> {
        let spec = api.spec();

        if let Some(path) = &s3_path {
            // Signatures of Version 2 cover the path with the bucket, wherever the bucket was named.
            parts.extensions.insert(PathStyle(path.clone()));
        }
        let claimed = self.authenticator.claim(spec.name, Dialect::of(spec), parts).await?;
        if claimed.is_none() && !spec.is_s3() {
            return Err(missing_token(spec));
        }
        // S3's bodies are checked as they are read; the others are small, and checked as a whole.
        let body = match spec.is_s3() {
            true => body,
            false => {
                let bytes_max = api.body_bytes_max();
                let bytes = body.collect(bytes_max).await;
                Body::from(bytes.map_err(|error| too_large::refusal(spec, parts, bytes_max, error))?)
            }
        };
        let (caller, body) = match claimed {
            Some(claimed) => self.authenticator.verify(claimed, parts, body)?,
            None => (Caller::anonymous(), body),
        };

        if let Some(path) = s3_path {
            set_path(parts, &path)?;
        }
        let form = body.bytes().cloned().unwrap_or_default();
        let routed = route(spec, parts, &form)?;
        progress.protocol = Some(routed.protocol);
        let operation = match routed.target {
            Target::Unavailable(name) => return Err(ApiError::unavailable(name)),
            Target::Operation(operation) => operation,
        };
        progress.operation = operation.name;
        let operation = api.operation(operation.name).ok_or_else(|| ApiError::unavailable(operation.name))?;
        let body = match operation.spec().streams_input {
            true => body,
            false => {
                let bytes = body.collect(api.body_bytes_max()).await?;
                if spec.is_s3() {
                    checksum::verify(operation.spec().input, &parts.headers, &bytes)?;
                }
                Body::from(bytes)
            }
        };
        let input = operation.decode(&routed, parts, body)?;

        let cx = self.context(call.request_id, parts, call.host, call.connection, caller, call.region);
        let needed = operation.access(&cx, &input)?;
        self.registry.authorize(&cx, api, &needed).await?;

        let output = operation.call(&cx, input).await?;

        Ok(output.encode(spec, routed.protocol, operation.spec(), trace))
    }

    fn context(
        &self,
        request_id: RequestId,
        parts: &Parts,
        host: &str,
        connection: &Connection,
        caller: Caller,
        region: Option<Region>,
    ) -> Context {
        let text = |name: http::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let scheme = if connection.secure { "https" } else { "http" };
        let authority =
            text(http::header::HOST).or(parts.uri.authority().map(|a| a.as_str())).unwrap_or(host);
        Context {
            account: caller.principal.account().unwrap_or(self.account),
            region: region.unwrap_or_else(|| self.region.clone()),
            caller,
            request_id,
            now: self.clock.now(),
            origin: Origin {
                address: connection.peer,
                secure: connection.secure,
                user_agent: text(http::header::USER_AGENT).map(str::to_owned),
                endpoint: [scheme, "://", authority].concat(),
                trace: text(http::HeaderName::from_static("x-amzn-trace-id")).map(str::to_owned),
                via: None,
            },
        }
    }
}

/// What the steps need to know beside the request.
struct Call<'a> {
    request_id: RequestId,
    host: &'a str,
    connection: &'a Connection,
    region: Option<Region>,
}

/// How far a call came, for the encoding of its error and for the log.
#[derive(Default)]
struct Progress {
    protocol: Option<Protocol>,
    operation: &'static str,
}

/// What `X-Amz-Target` says of the service, for those that share a signing name.
pub(crate) fn target_prefix(parts: &Parts) -> Option<&str> {
    let target = parts.headers.get("x-amz-target")?.to_str().ok()?;
    target.rsplit_once('.').map(|(prefix, _)| prefix)
}

/// The host without its port, in lower case.
fn host(parts: &Parts) -> String {
    let header = parts.headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
    let authority = header.or(parts.uri.authority().map(|a| a.as_str())).unwrap_or_default();
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => authority,
    };
    name.to_ascii_lowercase()
}

fn set_path(parts: &mut Parts, path: &str) -> Result<(), ApiError> {
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let uri = format!("{path}{query}").parse();
    parts.uri = uri.map_err(|_| ApiError::new("InvalidURI", 400, "Couldn't parse the specified URI."))?;
    Ok(())
}

/// The protocol in which a request that could not be routed is answered.
fn spoken(spec: &ServiceSpec, parts: &Parts) -> Protocol {
    let kind =
        parts.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let wanted = match kind {
        kind if kind.starts_with("application/x-amz-json-1.0") => Protocol::AwsJson10,
        kind if kind.starts_with("application/x-amz-json-1.1") => Protocol::AwsJson11,
        kind if kind.starts_with("application/cbor") => Protocol::RpcV2Cbor,
        kind if kind.starts_with("application/x-www-form-urlencoded") => Protocol::AwsQuery,
        _ => spec.protocols[0],
    };
    if spec.protocols.contains(&wanted) { wanted } else { spec.protocols[0] }
}

/// A service that the platform does not have.
fn unknown_service(service: &str, parts: &Parts, trace: &Trace<'_>) -> Response<Body> {
    static NONE: ServiceSpec = ServiceSpec {
        name: "",
        api_version: "",
        target_prefix: None,
        protocols: &[Protocol::AwsJson11],
        xml_namespace: "",
        error_namespace: "",
        validation_code: "ValidationException",
        operations: &[],
        unavailable: &[],
        routes: &[],
    };
    let error =
        ApiError::new("NotImplemented", 501, format!("The service {service} is not available in Pagoda"));
    let form = parts.headers.get(http::header::CONTENT_TYPE);
    let is_form = form.is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let protocol = if is_form { Protocol::AwsQuery } else { Protocol::AwsJson11 };
    encode_error(&NONE, protocol, &error, trace)
}

fn plane_failure() -> Response<Body> {
    tracing::error!("a data plane panicked");
    let mut response = Response::new(Body::from(r#"{"message": "Internal server error"}"#));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
