//! Which operation a request asks for.
//!
//! Invariants: an operation of the model that is not built is named in the answer; what is no operation
//! of the service gets the error that AWS gives for it.

use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::cbor;
use crate::query::pairs;
use crate::spec::{OperationSpec, Protocol, Route, Segment, ServiceSpec};
use crate::{ApiError, Location};

/// Where a request goes.
#[derive(Debug)]
pub struct Routed {
    /// The service that was asked.
    pub service: &'static ServiceSpec,
    /// How the request speaks, and the answer will.
    pub protocol: Protocol,
    /// The operation.
    pub target: Target,
    /// The labels of the path, decoded, by wire name.
    pub labels: Vec<(&'static str, String)>,
}

/// An operation, built or not.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// Built.
    Operation(&'static OperationSpec),
    /// Of the model, not built.
    Unavailable(&'static str),
}

/// Finds the operation of `service` that is asked for. `form` is the body for services that speak
/// awsQuery; others don't look at it.
pub fn route(service: &'static ServiceSpec, parts: &Parts, form: &[u8]) -> Result<Routed, ApiError> {
    let protocol = protocol_of(service, parts);
    match protocol {
        Protocol::AwsJson10 | Protocol::AwsJson11 => by_target(service, protocol, parts),
        Protocol::AwsQuery => by_action(service, parts, form),
        Protocol::RestJson1 | Protocol::RestXml => by_path(service, protocol, parts),
        Protocol::RpcV2Cbor => by_name(service, parts),
    }
}

fn protocol_of(service: &ServiceSpec, parts: &Parts) -> Protocol {
    if service.protocols.first() == Some(&Protocol::RpcV2Cbor) {
        return spoken(service, parts);
    }
    let is_json = |protocol: &Protocol| matches!(protocol, Protocol::AwsJson10 | Protocol::AwsJson11);
    let wants_json = parts.headers.contains_key("x-amz-target");
    let fitting = service.protocols.iter().find(|protocol| is_json(protocol) == wants_json);
    // The generator gives each service at least one protocol.
    fitting.or(service.protocols.first()).copied().unwrap_or(Protocol::AwsJson10)
}

/// What a client of a service with CBOR speaks, which may be of the time before it.
fn spoken(service: &ServiceSpec, parts: &Parts) -> Protocol {
    let (name, value) = cbor::HEADER;
    if parts.headers.get(name).is_some_and(|found| found == value) {
        return Protocol::RpcV2Cbor;
    }
    let is_json = |protocol: &&Protocol| matches!(protocol, Protocol::AwsJson10 | Protocol::AwsJson11);
    let json = service.protocols.iter().find(is_json).filter(|_| parts.headers.contains_key("x-amz-target"));
    let form = service.protocols.iter().find(|protocol| **protocol == Protocol::AwsQuery);
    json.or(form).copied().unwrap_or(Protocol::RpcV2Cbor)
}

/// `…/service/{service}/operation/{operation}`.
fn by_name(service: &'static ServiceSpec, parts: &Parts) -> Result<Routed, ApiError> {
    let mut segments = parts.uri.path().rsplit('/');
    let name = match (segments.next(), segments.next(), segments.next(), segments.next()) {
        (Some(name), Some("operation"), Some(_), Some("service")) => Some(name),
        _ => None,
    };
    name.and_then(|name| found(service, Protocol::RpcV2Cbor, name, Vec::new()))
        .ok_or_else(|| ApiError::new("UnknownOperationException", 404, ""))
}

fn found(
    service: &'static ServiceSpec,
    protocol: Protocol,
    name: &str,
    labels: Vec<(&'static str, String)>,
) -> Option<Routed> {
    let built = service.operation(name).map(Target::Operation);
    let target = built.or_else(|| service.unavailable(name).map(Target::Unavailable))?;
    Some(Routed { service, protocol, target, labels })
}

fn by_target(service: &'static ServiceSpec, protocol: Protocol, parts: &Parts) -> Result<Routed, ApiError> {
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let name = target.and_then(|target| {
        let (prefix, name) = target.rsplit_once('.')?;
        (Some(prefix) == service.target_prefix).then_some(name)
    });
    name.and_then(|name| found(service, protocol, name, Vec::new()))
        .ok_or_else(|| ApiError::new("UnknownOperationException", 400, ""))
}

fn by_action(service: &'static ServiceSpec, parts: &Parts, form: &[u8]) -> Result<Routed, ApiError> {
    let form = std::str::from_utf8(form)
        .map_err(|_| ApiError::new("MalformedInput", 400, "The request body is not valid UTF-8"))?;
    let query = parts.uri.query().unwrap_or_default();
    let value = |wanted: &str| pairs(query).chain(pairs(form)).find(|(name, _)| name == wanted);
    let Some((_, action)) = value("Action") else {
        return Err(ApiError::new("MissingAction", 400, "Missing Action"));
    };
    let version = value("Version").map_or_else(|| service.api_version.into(), |(_, version)| version);
    let known =
        (version == service.api_version).then(|| found(service, Protocol::AwsQuery, &action, Vec::new()));
    known.flatten().ok_or_else(|| {
        let message = format!("Could not find operation {action} for version {version}");
        ApiError::new("InvalidAction", 400, message)
    })
}

fn by_path(service: &'static ServiceSpec, protocol: Protocol, parts: &Parts) -> Result<Routed, ApiError> {
    let query: Vec<_> = pairs(parts.uri.query().unwrap_or_default()).collect();
    let has = |name: &str, wanted: Option<&str>| {
        query.iter().any(|(known, value)| known == name && wanted.is_none_or(|wanted| value == wanted))
    };
    let path = parts.uri.path();
    for route in service.routes {
        let fits = route.method == parts.method.as_str()
            && route.query.iter().all(|(name, value)| has(name, *value))
            && route.headers.iter().all(|name| parts.headers.contains_key(*name));
        let Some(labels) = fits.then(|| labels(route, path)).flatten() else { continue };
        let labels = labels.into_iter().map(|(name, raw)| Ok((name, decoded(service, raw)?)));
        let labels = labels.collect::<Result<_, ApiError>>()?;
        return found(service, protocol, route.operation, labels).ok_or_else(|| unknown(service));
    }
    Err(unknown(service))
}

fn unknown(service: &ServiceSpec) -> ApiError {
    if service.is_s3() {
        let message = "The specified method is not allowed against this resource.";
        return ApiError::new("MethodNotAllowed", 405, message);
    }
    ApiError::new("UnknownOperationException", 404, "")
}

fn decoded(service: &ServiceSpec, raw: &str) -> Result<String, ApiError> {
    let text = percent_decode_str(raw).decode_utf8().map_err(|_| {
        let code = if service.is_s3() { "InvalidURI" } else { "SerializationException" };
        ApiError::new(code, 400, "Couldn't parse the specified URI.")
    })?;
    Ok(text.into_owned())
}

/// The labels of `path` by `route`, still encoded, if it fits. A slash at the end counts for nothing
/// outside of a greedy label.
fn labels<'p>(route: &Route, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    let mut rest = path.strip_prefix('/').unwrap_or(path);
    let mut labels = Vec::new();
    for segment in route.segments {
        if let Segment::Greedy(name) = segment {
            labels.push((*name, rest));
            return (!rest.is_empty()).then_some(labels);
        }
        let (part, after) = rest.split_once('/').unwrap_or((rest, ""));
        rest = after;
        match segment {
            Segment::Literal(text) if *text == part => {}
            Segment::Label(name) if !part.is_empty() => labels.push((*name, part)),
            _ => return None,
        }
    }
    rest.is_empty().then_some(labels)
}

impl Routed {
    /// The label of `wire`.
    pub(crate) fn label(&self, wire: &str) -> Option<&str> {
        self.labels.iter().find(|(name, _)| *name == wire).map(|(_, value)| value.as_str())
    }
}

/// Members that a document has, rather than the rest of the HTTP message.
pub(crate) fn is_in_document(location: Location) -> bool {
    location == Location::Body
}
