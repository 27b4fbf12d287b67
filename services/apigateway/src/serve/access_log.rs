//! A stage's access log: one line for each request, in the words of the stage.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html>

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\$context((?:\.[A-Za-z0-9_-]+)+)").expect("the pattern is a constant that tests compile")
});

/// The words of a line, and what stands between them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Format {
    parts: Vec<Part>,
    /// Values stand in JSON, and must not end its texts.
    is_json: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A JSON pointer into the context.
    Variable(String),
}

impl Format {
    pub(crate) fn read(text: &str) -> Self {
        let (mut parts, mut from) = (Vec::new(), 0);
        for found in VARIABLE.captures_iter(text) {
            let (Some(whole), Some(name)) = (found.get(0), found.get(1)) else { continue };
            parts.push(Part::Text(text[from..whole.start()].to_owned()));
            parts.push(Part::Variable(name.as_str().replace('.', "/")));
            from = whole.end();
        }
        parts.push(Part::Text(text[from..].to_owned()));
        Self { parts, is_json: text.trim_start().starts_with('{') }
    }

    /// The line of a request. What it has no value for is `-`.
    pub(crate) fn line(&self, context: &Value) -> String {
        let value = |pointer: &str| match context.pointer(pointer) {
            None | Some(Value::Null) => "-".to_owned(),
            Some(Value::String(text)) => self.escaped(text),
            Some(other) => other.to_string(),
        };
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Variable(pointer) => value(pointer),
        };
        self.parts.iter().map(part).collect()
    }

    /// A value that begins no line of its own.
    fn escaped(&self, text: &str) -> String {
        if !self.is_json {
            return text.replace(char::is_control, " ");
        }
        let quoted = Value::from(text).to_string();
        quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(format: &str, expected: &str) {
        let context = json!({
            "requestId": "r", "status": 200, "path": "/a\nb", "identity": { "userAgent": "\"x\"", "user": null },
        });
        assert_eq!(Format::read(format).line(&context), expected);
    }

    #[test]
    fn a_line_has_values_in_the_places_of_variables() {
        check("$context.requestId [$context.status] $context.identity.userAgent", "r [200] \"x\"");
        check("$context.identity.user $context.none.deep $context $other", "- - $context $other");
        check("$context.path", "/a b");
        check(
            "{\"id\":\"$context.requestId\",\"agent\":\"$context.identity.userAgent\",\"p\":\"$context.path\"}",
            r#"{"id":"r","agent":"\"x\"","p":"/a\nb"}"#,
        );
    }
}
