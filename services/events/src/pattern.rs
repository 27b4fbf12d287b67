//! Event patterns: what an event must look like for a rule to match it.
//!
//! Invariants: a pattern is checked as a whole when it is read, so that matching cannot fail; its depth is
//! bounded by its length, which is at most [`BYTES_MAX`].
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

mod filter;
mod read;
mod wildcard;

use pagoda_protocol::ApiError;
use serde_json::Value;

use crate::generated as g;
use filter::Filter;

/// The longest pattern, in bytes.
const BYTES_MAX: usize = 4_096;

/// A pattern, compiled.
#[derive(Debug)]
pub(crate) struct Pattern(Fields);

/// What an object must have: all of the fields, and one alternative of each `$or`.
#[derive(Debug, Default)]
struct Fields {
    each: Vec<(String, Node)>,
    alternatives: Vec<Vec<Fields>>,
}

#[derive(Debug)]
enum Node {
    Fields(Fields),
    /// One of them must match.
    AnyOf(Vec<Filter>),
}

/// Why a text is no pattern.
struct Invalid(String);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `InvalidEventPatternException`, with the reason.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let invalid = |reason: &str| {
            let message = format!("Event pattern is not valid. Reason: {reason}");
            ApiError::from(g::InvalidEventPatternException::new(message))
        };
        if text.len() > BYTES_MAX {
            return Err(invalid(&format!("Event pattern must not be longer than {BYTES_MAX} bytes")));
        }
        let value: Value = serde_json::from_str(text).map_err(|error| invalid(&error.to_string()))?;
        let Value::Object(fields) = value else { return Err(invalid("Filter is not an object")) };
        read::fields(&fields).map(Self).map_err(|Invalid(reason)| invalid(&reason))
    }

    /// Whether the event matches.
    pub(crate) fn matches(&self, event: &Value) -> bool {
        self.0.matches(event)
    }
}

impl Fields {
    fn matches(&self, value: &Value) -> bool {
        match value {
            // Of several objects one must have it all.
            Value::Array(items) => items.iter().any(|item| self.matches(item)),
            Value::Object(_) => {
                let has = |(name, node): &(String, Node)| node.matches(value.get(name));
                self.each.iter().all(has)
                    && self.alternatives.iter().all(|either| either.iter().any(|one| one.matches(value)))
            }
            _ => false,
        }
    }

    /// Whether nothing is wanted but absences.
    fn matches_nothing(&self) -> bool {
        self.each.iter().all(|(_, node)| node.matches(None))
            && self.alternatives.iter().all(|either| either.iter().any(Self::matches_nothing))
    }
}

impl Node {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Fields(fields), Some(value)) => fields.matches(value),
            (Self::Fields(fields), None) => fields.matches_nothing(),
            (Self::AnyOf(filters), value) => filters.iter().any(|filter| filter.matches(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(pattern: Value, event: Value, expected: bool) {
        let compiled = Pattern::parse(&pattern.to_string());
        let compiled = compiled.unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!(compiled.matches(&event), expected, "{pattern} {event}");
    }

    #[test]
    fn values_are_compared() {
        check(json!({ "a": ["x", 1, null, true] }), json!({ "a": "x" }), true);
        check(json!({ "a": ["x", 1, null] }), json!({ "a": 1.0 }), true);
        check(json!({ "a": [null] }), json!({ "a": null }), true);
        check(json!({ "a": [null] }), json!({}), false);
        check(json!({ "a": ["1"] }), json!({ "a": 1 }), false);
        check(json!({ "a": ["x"] }), json!({ "a": ["y", "x"] }), true);
        check(json!({ "a": { "b": ["x"] } }), json!({ "a": { "b": "x", "c": 1 } }), true);
        check(json!({ "a": { "b": ["x"], "c": [1] } }), json!({ "a": [{ "b": "x", "c": 1 }] }), true);
        check(json!({ "a": { "b": ["x"], "c": [1] } }), json!({ "a": [{ "b": "x" }, { "c": 1 }] }), false);
        check(json!({ "a": [""] }), json!({ "a": "" }), true);
    }

    #[test]
    fn filters_match_texts() {
        let one = |filter: Value, text: &str, expected| {
            check(json!({ "a": [filter] }), json!({ "a": text }), expected)
        };
        one(json!({ "prefix": "ab" }), "abc", true);
        one(json!({ "prefix": "b" }), "abc", false);
        one(json!({ "prefix": { "equals-ignore-case": "AB" } }), "abc", true);
        one(json!({ "suffix": "bc" }), "abc", true);
        one(json!({ "suffix": { "equals-ignore-case": "BC" } }), "abc", true);
        one(json!({ "equals-ignore-case": "ABC" }), "abc", true);
        one(json!({ "equals-ignore-case": "ab" }), "abc", false);
        one(json!({ "wildcard": "a*c" }), "abbc", true);
        one(json!({ "wildcard": "a*c" }), "ab", false);
        one(json!({ "anything-but": "abc" }), "abc", false);
        one(json!({ "anything-but": ["x", "abc"] }), "abc", false);
        one(json!({ "anything-but": ["x"] }), "abc", true);
        one(json!({ "anything-but": { "prefix": "ab" } }), "abc", false);
        one(json!({ "anything-but": { "prefix": ["x", "y"] } }), "abc", true);
        one(json!({ "anything-but": { "suffix": "x" } }), "abc", true);
        one(json!({ "anything-but": { "equals-ignore-case": ["ABC"] } }), "abc", false);
        one(json!({ "anything-but": { "wildcard": "*b*" } }), "abc", false);
        one(json!({ "cidr": "10.0.0.0/24" }), "10.0.0.255", true);
        one(json!({ "cidr": "10.0.0.0/24" }), "10.0.1.0", false);
        one(json!({ "cidr": "2001:db8::/32" }), "2001:db8:1::1", true);
        one(json!({ "cidr": "0.0.0.0/0" }), "no address", false);
    }

    #[test]
    fn filters_match_numbers_and_presence() {
        let number = |filter: Value, value: f64, expected| {
            check(json!({ "a": [{ "numeric": filter }] }), json!({ "a": value }), expected);
        };
        number(json!(["=", 300]), 300.0, true);
        number(json!([">", 0, "<=", 5]), 5.0, true);
        number(json!([">", 0, "<=", 5]), 0.0, false);
        number(json!(["<", -1.5]), -2.0, true);
        check(json!({ "a": [{ "numeric": [">", 1] }] }), json!({ "a": "2" }), false);
        check(json!({ "a": [{ "exists": true }] }), json!({ "a": null }), true);
        check(json!({ "a": [{ "exists": true }] }), json!({}), false);
        check(json!({ "a": [{ "exists": false }] }), json!({}), true);
        check(json!({ "a": [{ "exists": false }] }), json!({ "a": 1 }), false);
        check(json!({ "a": { "b": [{ "exists": false }] } }), json!({}), true);
        check(json!({ "a": [{ "anything-but": [1, 2] }] }), json!({ "a": 3 }), true);
        check(json!({ "a": [{ "anything-but": "x" }] }), json!({}), false);
    }

    #[test]
    fn alternatives_are_one_or_the_other() {
        let pattern = json!({ "s": ["x"], "$or": [{ "a": [1] }, { "b": [{ "numeric": [">", 5] }] }] });
        check(pattern.clone(), json!({ "s": "x", "a": 1 }), true);
        check(pattern.clone(), json!({ "s": "x", "b": 6 }), true);
        check(pattern.clone(), json!({ "s": "x", "b": 5 }), false);
        check(pattern, json!({ "a": 1 }), false);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"a":"x"}"#,
            r#"{"a":[]}"#,
            r#"{"a":{}}"#,
            r#"{"a":[["x"]]}"#,
            r#"{"a":[{}]}"#,
            r#"{"a":[{"prefix":1}]}"#,
            r#"{"a":[{"prefix":"a","suffix":"b"}]}"#,
            r#"{"a":[{"unknown":"a"}]}"#,
            r#"{"a":[{"numeric":[">"]}]}"#,
            r#"{"a":[{"numeric":["!",1]}]}"#,
            r#"{"a":[{"numeric":[">",5,"<",1]}]}"#,
            r#"{"a":[{"numeric":[">",6000000000]}]}"#,
            r#"{"a":[{"exists":"yes"}]}"#,
            r#"{"a":[{"cidr":"10.0.0.0"}]}"#,
            r#"{"a":[{"cidr":"10.0.0.0/33"}]}"#,
            r#"{"a":[{"wildcard":"a**b"}]}"#,
            r#"{"a":[{"anything-but":[]}]}"#,
            r#"{"a":[{"anything-but":{"numeric":["=",1]}}]}"#,
            r#"{"$or":[{"a":[1]}],"b":[1],"c":"x"}"#,
        ] {
            let error = Pattern::parse(text).expect_err(text);
            assert_eq!(error.code, "InvalidEventPatternException", "{text}");
        }
    }
}
