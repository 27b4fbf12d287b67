//! What a request is for. The labels of the host decide, never the domain behind them, so any domain works.

use std::borrow::Cow;
use std::sync::Arc;

use http::request::Parts;
use pagoda_base::Region;
use pagoda_service::ports::CountInstances;
use pagoda_service::{CrossOrigin, DataPlane, Registry};

/// The data planes of the platform.
#[derive(Default, Clone)]
pub struct Planes {
    /// `{api}.execute-api.{region}.…`
    pub execute_api: Option<Arc<dyn DataPlane>>,
    /// `{id}.lambda-url.{region}.…`
    pub function_url: Option<Arc<dyn DataPlane>>,
    /// `{bucket}.s3-website.{region}.…`
    pub website: Option<Arc<dyn DataPlane>>,
    /// What runs, for the operator.
    pub instances: Option<Arc<dyn CountInstances>>,
    /// The rules of S3's buckets for requests from other sites' pages.
    pub cross_origin: Option<Arc<dyn CrossOrigin>>,
}

/// Where a request goes.
pub(crate) enum Destination<'a> {
    /// The platform's own pages below `/_pagoda/`.
    Platform,
    /// A data plane.
    Plane { plane: &'a Arc<dyn DataPlane>, name: String, region: Option<Region>, path: String },
    /// An AWS API, by its signing name; for S3 with the path in path style where the host named the bucket.
    Api { service: Cow<'a, str>, region: Option<Region>, path: Option<String> },
}

/// Prefix of the path form of a deployed API, for clients without wildcard DNS.
const EXECUTE_API_PATH: &str = "/_aws/execute-api/";

/// Prefix of the path form of a function URL.
const FUNCTION_URL_PATH: &str = "/_aws/lambda-url/";

/// First segments of REST paths, for requests that carry no signature to name the service.
const REST_PATHS: [(&str, &str); 7] = [
    ("/2015-03-31/functions", "lambda"),
    ("/2015-03-31/event-source-mappings", "lambda"),
    ("/2017-03-31/tags", "lambda"),
    ("/2018-10-31/layers", "lambda"),
    ("/2016-08-19/account-settings", "lambda"),
    ("/restapis", "apigateway"),
    ("/account", "apigateway"),
];

/// Decides where a request goes.
pub(crate) fn identify<'a>(
    parts: &'a Parts,
    host: &str,
    domain: &str,
    planes: &'a Planes,
    registry: &Registry,
) -> Destination<'a> {
    let path = parts.uri.path();
    if path == "/_pagoda" || path.starts_with("/_pagoda/") {
        return Destination::Platform;
    }
    if let Some(destination) = execute_api(host, path, planes) {
        return destination;
    }
    if let Some(destination) = function_url(host, path, planes) {
        return destination;
    }
    let labels: Vec<&str> = host.split('.').collect();
    if let Some(destination) = website(&labels, path, planes) {
        return destination;
    }
    if let Some((bucket, region)) = virtual_host(&labels) {
        // What is signed counts more than what the host says, or leaves out.
        let signed = scope(parts).and_then(|(_, region)| region);
        return bucket_in_host(&bucket, signed.or(region), path);
    }
    let (service, region) = service(parts, path, registry);
    match bucket_below_domain(host, domain) {
        Some(bucket) if service == "s3" => bucket_in_host(bucket, region, path),
        _ => Destination::Api { service, region, path: None },
    }
}

fn execute_api<'a>(host: &str, path: &str, planes: &'a Planes) -> Option<Destination<'a>> {
    let plane = planes.execute_api.as_ref()?;
    let mut labels = host.splitn(4, '.');
    if let (Some(api), Some("execute-api"), Some(region)) = (labels.next(), labels.next(), labels.next()) {
        let (name, path) = (api.to_owned(), path.to_owned());
        return Some(Destination::Plane { plane, name, region: region.parse().ok(), path });
    }
    let (api, rest) = path.strip_prefix(EXECUTE_API_PATH)?.split_once('/')?;
    Some(Destination::Plane { plane, name: api.to_owned(), region: None, path: format!("/{rest}") })
}

fn function_url<'a>(host: &str, path: &str, planes: &'a Planes) -> Option<Destination<'a>> {
    let plane = planes.function_url.as_ref()?;
    let mut labels = host.splitn(4, '.');
    let (Some(id), Some("lambda-url"), Some(region)) = (labels.next(), labels.next(), labels.next()) else {
        let (id, rest) = path.strip_prefix(FUNCTION_URL_PATH)?.split_once('/')?;
        return Some(Destination::Plane {
            plane,
            name: id.to_owned(),
            region: None,
            path: format!("/{rest}"),
        });
    };
    let (name, path) = (id.to_owned(), path.to_owned());
    Some(Destination::Plane { plane, name, region: region.parse().ok(), path })
}

fn website<'a>(labels: &[&str], path: &str, planes: &'a Planes) -> Option<Destination<'a>> {
    let plane = planes.website.as_ref()?;
    let at = labels.iter().position(|label| *label == "s3-website" || label.starts_with("s3-website-"))?;
    let region = match labels[at].strip_prefix("s3-website-") {
        Some(region) => Some(region),
        None => labels.get(at + 1).copied(),
    };
    let name = labels[..at].join(".");
    Some(Destination::Plane {
        plane,
        name,
        region: region.and_then(|r| r.parse().ok()),
        path: path.to_owned(),
    })
}

/// `{bucket}.s3.…` and `{bucket}.s3.{region}.…`.
fn virtual_host(labels: &[&str]) -> Option<(String, Option<Region>)> {
    let at = labels.iter().position(|label| *label == "s3").filter(|at| *at > 0)?;
    let region = labels.get(at + 1).filter(|_| labels.len() > at + 2).and_then(|label| label.parse().ok());
    Some((labels[..at].join("."), region))
}

/// `{bucket}.{domain}`, as SDKs address a bucket at an endpoint that is only a name.
fn bucket_below_domain<'h>(host: &'h str, domain: &str) -> Option<&'h str> {
    host.strip_suffix(domain)?.strip_suffix('.').filter(|bucket| !bucket.is_empty() && *bucket != "s3")
}

fn bucket_in_host<'a>(bucket: &str, region: Option<Region>, path: &str) -> Destination<'a> {
    Destination::Api { service: Cow::Borrowed("s3"), region, path: Some(format!("/{bucket}{path}")) }
}

fn service<'a>(parts: &'a Parts, path: &str, registry: &Registry) -> (Cow<'a, str>, Option<Region>) {
    if let Some((service, region)) = scope(parts) {
        return (service, region);
    }
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    if let Some((prefix, _)) = target.and_then(|target| target.split_once('.'))
        && let Some(api) = registry.apis().find(|api| api.spec().target_prefix == Some(prefix))
    {
        return (Cow::Borrowed(api.spec().name), None);
    }
    let kind =
        parts.headers.get(http::header::CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
    if path == "/" && kind.starts_with(b"application/x-www-form-urlencoded") {
        // An unsigned call of an awsQuery service is refused, by whichever of them.
        return (Cow::Borrowed("sts"), None);
    }
    let rest = REST_PATHS.iter().find(|(prefix, _)| path.strip_prefix(prefix).is_some_and(at_boundary));
    (Cow::Borrowed(rest.map_or("s3", |(_, service)| service)), None)
}

fn at_boundary(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

/// The credential scope of the signature: `…/20260101/us-east-1/lambda/aws4_request`.
fn scope(parts: &Parts) -> Option<(Cow<'_, str>, Option<Region>)> {
    let header = parts.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let in_header = header.and_then(|text| text.split("Credential=").nth(1));
    let scope = match in_header {
        Some(scope) => Cow::Borrowed(scope.split([',', ' ']).next()?),
        None => {
            let query = parts.uri.query()?;
            let value = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
            percent_encoding::percent_decode_str(value).decode_utf8().ok()?
        }
    };
    let mut fields = scope.rsplit('/');
    let (_terminator, service, region) = (fields.next()?, fields.next()?, fields.next()?);
    Some((Cow::Owned(service.to_owned()), region.parse().ok()))
}
