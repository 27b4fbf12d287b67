//! Redirects of a website: of everything, and by routing rules.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html>

use http::{Response, StatusCode};
use pagoda_protocol::Body;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::Visit;
use super::answer::header;
use crate::generated as g;

/// What cannot stand in a URL's path.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// The response that sends a visitor elsewhere.
pub(super) fn to(status: u16, location: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::MOVED_PERMANENTLY);
    header(response.headers_mut(), "location", location);
    header(response.headers_mut(), "content-length", "0");
    response
}

/// RedirectAllRequestsTo.
pub(super) fn everything(target: &g::RedirectAllRequestsTo, visit: &Visit<'_>) -> Response<Body> {
    let protocol = target.protocol.map_or(protocol_of(visit), |protocol| protocol.as_str());
    let path = visit.request.uri.path_and_query().map_or("/", |path| path.as_str());
    to(301, &format!("{protocol}://{}{path}", target.host_name))
}

/// The first rule for the key, whatever becomes of the request.
pub(super) fn by_prefix<'w>(website: &'w g::WebsiteConfiguration, key: &str) -> Option<&'w g::RoutingRule> {
    let rules = website.routing_rules.as_deref().unwrap_or_default();
    rules.iter().find(|rule| match &rule.condition {
        None => true,
        Some(condition) => condition.http_error_code_returned_equals.is_none() && is_below(condition, key),
    })
}

/// The first rule for the key when the request ends in `status`.
pub(super) fn by_error<'w>(
    website: &'w g::WebsiteConfiguration,
    key: &str,
    status: StatusCode,
) -> Option<&'w g::RoutingRule> {
    let rules = website.routing_rules.as_deref().unwrap_or_default();
    rules.iter().find(|rule| {
        rule.condition.as_ref().is_some_and(|condition| {
            condition.http_error_code_returned_equals.as_deref() == Some(status.as_str())
                && is_below(condition, key)
        })
    })
}

fn is_below(condition: &g::Condition, key: &str) -> bool {
    condition.key_prefix_equals.as_deref().is_none_or(|prefix| key.starts_with(prefix))
}

/// What a rule says.
pub(super) fn by_rule(rule: &g::RoutingRule, visit: &Visit<'_>) -> Response<Body> {
    let redirect = &rule.redirect;
    let prefix = rule.condition.as_ref().and_then(|condition| condition.key_prefix_equals.as_deref());
    let key = match (&redirect.replace_key_with, &redirect.replace_key_prefix_with) {
        (Some(key), _) => key.clone(),
        (None, Some(with)) => {
            let rest = visit.key.strip_prefix(prefix.unwrap_or_default()).unwrap_or(visit.key);
            format!("{with}{rest}")
        }
        (None, None) => visit.key.to_owned(),
    };
    let protocol = redirect.protocol.map_or(protocol_of(visit), |protocol| protocol.as_str());
    let host = redirect.host_name.as_deref().unwrap_or_else(|| host_of(visit));
    let status = redirect.http_redirect_code.as_deref().and_then(|code| code.parse().ok()).unwrap_or(301);
    to(status, &format!("{protocol}://{host}/{}", utf8_percent_encode(&key, PATH)))
}

fn protocol_of(visit: &Visit<'_>) -> &'static str {
    if visit.cx.origin.endpoint.starts_with("https:") { "https" } else { "http" }
}

fn host_of<'v>(visit: &'v Visit<'_>) -> &'v str {
    let endpoint = visit.cx.origin.endpoint.as_str();
    endpoint.split_once("://").map_or(endpoint, |(_, host)| host)
}
