//! Mapping expressions: where a parameter of an integration's request, or of an answer, has its value from.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html>

use std::borrow::Cow;

use http::HeaderMap;
use pagoda_jsonpath::Path;
use serde_json::Value;

use super::{Call, identity};
use crate::integration_response::literal;
use crate::table::Texts;

/// One expression.
#[derive(Debug)]
pub(crate) enum Expression {
    Literal(String),
    Header(String),
    /// All values of a header.
    Headers(String),
    Query(String),
    /// All values of a parameter.
    Queries(String),
    Path(String),
    /// The body, or a value in it.
    Body(Option<Path>),
    StageVariable(String),
    /// A JSON pointer into the request's context.
    Context(String),
}

/// What expressions look into.
pub(crate) struct Origin<'a> {
    pub(crate) headers: &'a HeaderMap,
    /// Percent-encoded.
    pub(crate) query: Option<&'a str>,
    pub(crate) path: &'a [(String, String)],
    /// The variable of the path that stands for several parts.
    pub(crate) greedy: Option<&'a str>,
    pub(crate) body: &'a [u8],
    pub(crate) variables: &'a Texts,
    pub(crate) context: Circumstances<'a>,
}

/// `$context`, made where it is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Circumstances<'a> {
    Of(&'a Call<'a>),
    Made(&'a Value),
}

impl Circumstances<'_> {
    fn pointer(self, pointer: &str) -> Option<String> {
        match self {
            Self::Of(call) => call.context().pointer(pointer).and_then(text),
            Self::Made(context) => context.pointer(pointer).and_then(text),
        }
    }
}

/// Whether a parameter of an integration's request can be mapped so.
pub(crate) fn maps_request(name: &str, value: &str) -> bool {
    const PLACES: [&str; 3] =
        ["integration.request.header.", "integration.request.querystring.", "integration.request.path."];
    let is_named = PLACES.iter().any(|prefix| name.strip_prefix(prefix).is_some_and(|name| !name.is_empty()));
    is_named && Expression::of_request(value).is_some()
}

/// Whether a header of an answer can be mapped so.
pub(crate) fn maps_response(name: &str, value: &str) -> bool {
    let header = name.strip_prefix("method.response.header.");
    let is_named = header.is_some_and(|name| http::HeaderName::from_bytes(name.as_bytes()).is_ok());
    is_named && Expression::of_response(value).is_some()
}

impl Expression {
    /// Reads an expression over the method's request.
    pub(crate) fn of_request(text: &str) -> Option<Self> {
        let Some(rest) = text.strip_prefix("method.request.") else { return Self::of_either(text) };
        let named =
            |prefix: &str| rest.strip_prefix(prefix).filter(|name| !name.is_empty()).map(str::to_owned);
        let found = named("header.").map(|name| Self::Header(name.to_ascii_lowercase()));
        let found =
            found.or_else(|| named("multivalueheader.").map(|name| Self::Headers(name.to_ascii_lowercase())));
        let found = found.or_else(|| named("querystring.").map(Self::Query));
        let found = found.or_else(|| named("multivaluequerystring.").map(Self::Queries));
        let found = found.or_else(|| named("path.").map(Self::Path));
        found.or_else(|| Self::of_body(rest))
    }

    /// Reads an expression over the integration's answer.
    pub(crate) fn of_response(text: &str) -> Option<Self> {
        let Some(rest) = text.strip_prefix("integration.response.") else { return Self::of_either(text) };
        let named = |prefix: &str| rest.strip_prefix(prefix).filter(|name| !name.is_empty());
        let found = named("header.").map(|name| Self::Header(name.to_ascii_lowercase()));
        let found =
            found.or_else(|| named("multivalueheader.").map(|name| Self::Headers(name.to_ascii_lowercase())));
        found.or_else(|| Self::of_body(rest))
    }

    fn of_body(rest: &str) -> Option<Self> {
        match rest.strip_prefix("body")? {
            "" => Some(Self::Body(None)),
            path => {
                let path = path
                    .strip_prefix('.')
                    .map(|path| format!("$.{path}"))
                    .or_else(|| path.starts_with('[').then(|| format!("${path}")))?;
                Path::parse(&path).ok().map(|path| Self::Body(Some(path)))
            }
        }
    }

    fn of_either(text: &str) -> Option<Self> {
        if let Some(text) = literal(text) {
            let is_line = !text.contains(['\r', '\n', '\0']);
            return is_line.then(|| Self::Literal(text.to_owned()));
        }
        let named = |prefix: &str| text.strip_prefix(prefix).filter(|name| !name.is_empty());
        let variable = named("stageVariables.").map(|name| Self::StageVariable(name.to_owned()));
        variable
            .or_else(|| named("context.").map(|path| Self::Context(format!("/{}", path.replace('.', "/")))))
    }

    /// The first value there, if there is any.
    pub(crate) fn find(&self, origin: &Origin<'_>) -> Option<String> {
        self.all(origin).into_iter().next()
    }

    /// All values there.
    pub(crate) fn all(&self, origin: &Origin<'_>) -> Vec<String> {
        let header = |name: &str| {
            let values = origin.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.map(str::to_owned).collect::<Vec<_>>()
        };
        let last = |mut values: Vec<String>| values.pop().into_iter().collect::<Vec<_>>();
        match self {
            Self::Literal(text) => vec![text.clone()],
            Self::Header(name) => last(header(name)),
            Self::Headers(name) => header(name),
            Self::Query(name) => last(identity::all_in_query(origin.query.unwrap_or_default(), name)),
            Self::Queries(name) => identity::all_in_query(origin.query.unwrap_or_default(), name),
            Self::Path(name) => {
                let found = origin.path.iter().find(|(own, _)| own == name);
                found.map(|(_, value)| value.clone()).into_iter().collect()
            }
            Self::Body(path) => in_body(origin.body, path.as_ref()).into_iter().collect(),
            Self::StageVariable(name) => origin.variables.get(name).cloned().into_iter().collect(),
            Self::Context(pointer) => origin.context.pointer(pointer).into_iter().collect(),
        }
    }
}

/// The body itself, or the value in it, which is JSON.
fn in_body(body: &[u8], path: Option<&Path>) -> Option<String> {
    let Some(path) = path else { return Some(String::from_utf8_lossy(body).into_owned()) };
    let document: Value = serde_json::from_slice(body).ok()?;
    path.find(&document).ok().flatten().as_deref().and_then(text)
}

/// A value as it stands in a header: texts without quotes.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Percent-encodes what stands for a variable of an address; the slashes of greedy ones stay.
pub(crate) fn encoded(text: &str, keeps_slashes: bool) -> Cow<'_, str> {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    const PATH: &AsciiSet = &PART.remove(b'/');
    utf8_percent_encode(text, if keeps_slashes { PATH } else { PART }).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: Option<Expression>, expected: &[&str]) {
        let mut headers = HeaderMap::new();
        headers.append("x-a", "1".parse().unwrap());
        headers.append("x-a", "2".parse().unwrap());
        let origin = Origin {
            headers: &headers,
            query: Some("q=a%20b&q=c&r"),
            path: &[("id".to_owned(), "7".to_owned())],
            greedy: None,
            body: br#"{"a":{"b":[1,"x"]},"n":null}"#,
            variables: &Texts::from([("v".to_owned(), "w".to_owned())]),
            context: Circumstances::Made(&serde_json::json!({ "identity": { "sourceIp": "::1" } })),
        };
        assert_eq!(expression.map(|expression| expression.all(&origin)).unwrap_or_default(), expected);
    }

    #[test]
    fn expressions_find_what_they_name() {
        let request = Expression::of_request;
        check(request("'x y'"), &["x y"]);
        check(request("method.request.header.X-A"), &["2"]);
        check(request("method.request.multivalueheader.X-A"), &["1", "2"]);
        check(request("method.request.querystring.q"), &["c"]);
        check(request("method.request.multivaluequerystring.q"), &["a b", "c"]);
        check(request("method.request.path.id"), &["7"]);
        check(request("method.request.body.a.b[1]"), &["x"]);
        check(request("method.request.body.a"), &[r#"{"b":[1,"x"]}"#]);
        check(request("method.request.body.n"), &[]);
        check(request("stageVariables.v"), &["w"]);
        check(request("context.identity.sourceIp"), &["::1"]);
        check(request("method.request.cookie.x"), &[]);
        check(request("'a\nb'"), &[]);
        check(Expression::of_response("integration.response.header.x-a"), &["2"]);
        check(Expression::of_response("integration.response.body.a.b[0]"), &["1"]);
        check(Expression::of_response("method.request.header.x-a"), &[]);
    }
}
