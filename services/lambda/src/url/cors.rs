//! What pages of other sites are told.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors>

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use pagoda_protocol::Body;

use super::record::Cors;

/// The answer to a browser's question whether it may; functions are not asked.
pub(super) fn preflight(cors: &Cors, parts: &Parts) -> Option<Response<Body>> {
    let asked = parts.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    if parts.method != Method::OPTIONS {
        return None;
    }
    let mut response = Response::new(Body::from(String::new()));
    *response.status_mut() = StatusCode::OK;
    if cors.methods.iter().any(|method| method == "*" || method.as_bytes() == asked.as_bytes()) {
        add(cors, &parts.headers, response.headers_mut());
    }
    Some(response)
}

/// Lets the page see the answer, where the rules let it. They replace what the function says.
pub(super) fn add(cors: &Cors, asked: &HeaderMap, answer: &mut HeaderMap) {
    for name in [
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        header::ACCESS_CONTROL_MAX_AGE,
    ] {
        answer.remove(name);
    }
    let Some(origin) = asked.get(header::ORIGIN).filter(|origin| is_allowed(cors, origin)) else { return };
    let anybody = cors.origins.iter().any(|one| one == "*") && !cors.credentials;
    let shown = if anybody { HeaderValue::from_static("*") } else { origin.clone() };
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, shown);
    if !anybody {
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    if cors.credentials {
        answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    put_list(answer, header::ACCESS_CONTROL_ALLOW_METHODS, &cors.methods);
    put_list(answer, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.headers);
    put_list(answer, header::ACCESS_CONTROL_EXPOSE_HEADERS, &cors.exposed);
    if let Some(seconds) = cors.max_age_seconds {
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
    }
}

fn is_allowed(cors: &Cors, origin: &HeaderValue) -> bool {
    cors.origins.iter().any(|one| one == "*" || one.as_bytes() == origin.as_bytes())
}

fn put_list(answer: &mut HeaderMap, name: HeaderName, list: &[String]) {
    if let (false, Ok(value)) = (list.is_empty(), HeaderValue::from_str(&list.join(","))) {
        answer.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_origins_are_let_in() {
        for (origins, credentials, origin, expected) in [
            (vec!["*"], false, "https://a", Some("*")),
            (vec!["*"], true, "https://a", Some("https://a")),
            (vec!["https://a"], false, "https://a", Some("https://a")),
            (vec!["https://a"], false, "https://b", None),
            (vec![], false, "https://a", None),
        ] {
            let cors = Cors {
                origins: origins.iter().map(ToString::to_string).collect(),
                credentials,
                ..Cors::default()
            };
            let asked = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]);
            let forged = HeaderValue::from_static("https://function.says");
            let mut answer = HeaderMap::from_iter([(header::ACCESS_CONTROL_ALLOW_ORIGIN, forged)]);
            add(&cors, &asked, &mut answer);
            let shown = answer.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap());
            assert_eq!(shown, expected, "{origins:?} {origin}");
        }
    }
}
