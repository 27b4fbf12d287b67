//! Identity sources: where in a request an authorizer finds who asks.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html#apigw-CreateAuthorizer-request-identitySource>

use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::table::Texts;

/// One place of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Header(String),
    Query(String),
    StageVariable(String),
    /// A JSON pointer into the request's context.
    Context(String),
}

/// What identity sources look into.
pub(crate) struct Origin<'a> {
    pub(crate) headers: &'a HeaderMap,
    /// Percent-encoded.
    pub(crate) query: Option<&'a str>,
    pub(crate) variables: &'a Texts,
    pub(crate) context: &'a (dyn Fn() -> Value + Sync),
}

impl Source {
    /// Reads `method.request.header.X`, `method.request.querystring.x`, `stageVariables.x` or `context.x`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let named = |prefix: &str| text.strip_prefix(prefix).filter(|name| !name.is_empty());
        if let Some(name) = named("method.request.header.") {
            return Some(Self::Header(name.to_ascii_lowercase()));
        }
        if let Some(name) = named("method.request.querystring.") {
            return Some(Self::Query(name.to_owned()));
        }
        if let Some(name) = named("stageVariables.") {
            return Some(Self::StageVariable(name.to_owned()));
        }
        named("context.").map(|path| Self::Context(format!("/{}", path.replace('.', "/"))))
    }

    /// What a request has there; nothing and the empty text are the same.
    pub(crate) fn find(&self, origin: &Origin<'_>) -> Option<String> {
        let found = match self {
            Self::Header(name) => origin.headers.get(name)?.to_str().ok()?.to_owned(),
            Self::Query(name) => in_query(origin.query?, name)?,
            Self::StageVariable(name) => origin.variables.get(name)?.clone(),
            Self::Context(pointer) => match (origin.context)().pointer(pointer)? {
                Value::String(text) => text.clone(),
                Value::Null => return None,
                other => other.to_string(),
            },
        };
        (!found.is_empty()).then_some(found)
    }
}

fn in_query(query: &str, name: &str) -> Option<String> {
    all_in_query(query, name).pop()
}

/// All values of a parameter of a query string, decoded.
pub(crate) fn all_in_query(query: &str, name: &str) -> Vec<String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(source: &str, expected: Option<&str>) {
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, "t".parse().unwrap())]);
        let variables = Texts::from([("v".to_owned(), "1".to_owned())]);
        let context = || json!({ "stage": "s", "identity": { "sourceIp": "127.0.0.1", "user": null } });
        let origin = Origin {
            headers: &headers,
            query: Some("a=1&a=b%20c&e="),
            variables: &variables,
            context: &context,
        };
        assert_eq!(
            Source::read(source).and_then(|source| source.find(&origin)).as_deref(),
            expected,
            "{source}"
        );
    }

    #[test]
    fn sources_are_found_where_they_say() {
        check("method.request.header.Authorization", Some("t"));
        check("method.request.header.Other", None);
        check("method.request.querystring.a", Some("b c"));
        check("method.request.querystring.e", None);
        check("stageVariables.v", Some("1"));
        check("stageVariables.w", None);
        check("context.identity.sourceIp", Some("127.0.0.1"));
        check("context.identity.user", None);
        check("context.stage", Some("s"));
        check("method.request.path.x", None);
        check("method.request.header.", None);
    }
}
