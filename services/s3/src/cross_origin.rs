//! Cross-origin requests: what a bucket's rules let a browser do.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html#how-s3-evaluates-cors>

use async_trait::async_trait;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use pagoda_protocol::{ApiError, Body};
use pagoda_service::CrossOrigin;
use percent_encoding::percent_decode_str;

use crate::generated::CORSRule;
use crate::table::Bucket;
use crate::{S3, bucket, cors};

const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

#[async_trait]
impl CrossOrigin for S3 {
    async fn preflight(&self, path: &str, headers: &HeaderMap) -> Result<Response<Body>, ApiError> {
        preflight(&of_path(self, path).await?, headers)
    }

    async fn add(&self, path: &str, request: &Parts, answer: &mut HeaderMap) {
        // An answer is not lost because its bucket cannot be read; the browser then refuses it.
        if let Ok(bucket) = of_path(self, path).await {
            add(&bucket, request, answer);
        }
    }
}

async fn of_path(s3: &S3, path: &str) -> Result<Bucket, ApiError> {
    let name = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let name = percent_decode_str(name).decode_utf8_lossy();
    bucket::load(s3, &name).await
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The answer to an OPTIONS request.
pub(crate) fn preflight(bucket: &Bucket, headers: &HeaderMap) -> Result<Response<Body>, ApiError> {
    let bad = |message: &str| ApiError::new("BadRequest", 400, message);
    let origin = text(headers, "origin")
        .ok_or_else(|| bad("Insufficient information. Origin request header needed."))?;
    let method = text(headers, "access-control-request-method")
        .ok_or_else(|| bad("Invalid Access-Control-Request-Method: null"))?;
    let wanted = text(headers, "access-control-request-headers");
    let wanted = wanted.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    let wanted: Vec<String> = wanted.map(str::to_ascii_lowercase).collect();
    let rules = cors::of(bucket)?;
    if rules.is_empty() {
        return Err(forbidden("CORSResponse: CORS is not enabled for this bucket."));
    }
    let fits = |rule: &&CORSRule| admits(rule, origin, method) && wanted.iter().all(|name| takes(rule, name));
    let rule = rules.iter().find(fits).ok_or_else(|| {
        forbidden(
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request \
             method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the \
             resource's CORS spec.",
        )
    })?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::OK;
    tell(rule, origin, response.headers_mut());
    if !wanted.is_empty() {
        set(response.headers_mut(), "access-control-allow-headers", &wanted.join(", "));
    }
    Ok(response)
}

fn forbidden(message: &str) -> ApiError {
    ApiError::new("AccessForbidden", 403, message)
}

/// Adds what a browser needs to hand the answer of a cross-origin request to its page.
pub(crate) fn add(bucket: &Bucket, request: &Parts, answer: &mut HeaderMap) {
    let Some(origin) = text(&request.headers, "origin") else { return };
    let rules = cors::of(bucket).unwrap_or_default();
    if let Some(rule) = rules.iter().find(|rule| admits(rule, origin, request.method.as_str())) {
        tell(rule, origin, answer);
    }
}

fn admits(rule: &CORSRule, origin: &str, method: &str) -> bool {
    rule.allowed_methods.iter().any(|allowed| allowed == method)
        && rule.allowed_origins.iter().any(|allowed| fits(allowed, origin))
}

fn takes(rule: &CORSRule, header: &str) -> bool {
    rule.allowed_headers.iter().flatten().any(|allowed| fits(&allowed.to_ascii_lowercase(), header))
}

/// Patterns have at most one `*`.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

fn tell(rule: &CORSRule, origin: &str, headers: &mut HeaderMap) {
    let is_for_all = rule.allowed_origins.iter().any(|allowed| allowed == "*");
    set(headers, "access-control-allow-origin", if is_for_all { "*" } else { origin });
    set(headers, "access-control-allow-methods", &rule.allowed_methods.join(", "));
    if !is_for_all {
        set(headers, "access-control-allow-credentials", "true");
    }
    let exposed: Vec<&str> = rule.expose_headers.iter().flatten().map(String::as_str).collect();
    if !exposed.is_empty() {
        set(headers, "access-control-expose-headers", &exposed.join(", "));
    }
    if let Some(seconds) = rule.max_age_seconds {
        set(headers, "access-control-max-age", &seconds.to_string());
    }
    set(headers, "vary", VARY);
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_one_star() {
        for (pattern, text, expected) in [
            ("*", "https://a.test", true),
            ("https://*.a.test", "https://x.a.test", true),
            ("https://*.a.test", "https://a.test", false),
            ("ab*ba", "aba", false),
            ("https://a.test", "https://a.test.evil", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
