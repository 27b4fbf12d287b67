//! From text to a document: JSON, or YAML with CloudFormation's short forms (`!Ref`, `!GetAtt`, …).

use serde_json::{Value, json};
use yaml_serde::Value as Yaml;

use super::{Checked, Invalid, Object};

/// Deeper templates are refused.
const DEPTH_MAX: usize = 100;

/// Reads a template's text.
pub(crate) fn document(text: &str) -> Checked<Value> {
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(value);
    }
    let yaml: Yaml = yaml_serde::from_str(text)
        .map_err(|error| Invalid::new(format!("Template format error: YAML not well-formed. ({error})")))?;
    let value = converted(yaml, 0)?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Invalid::new("Template format error: unsupported structure."))
    }
}

fn converted(yaml: Yaml, depth: usize) -> Checked<Value> {
    if depth > DEPTH_MAX {
        return Err(Invalid::new("Template format error: the template is nested too deeply."));
    }
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(flag),
        Yaml::Number(number) => number_of(&number),
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => {
            Value::Array(items.into_iter().map(|item| converted(item, depth + 1)).collect::<Checked<_>>()?)
        }
        Yaml::Mapping(entries) => {
            let mut object = Object::new();
            for (key, value) in entries {
                object.insert(key_of(key)?, converted(value, depth + 1)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => short_form(&tagged.tag.to_string(), converted(tagged.value, depth + 1)?)?,
    })
}

fn number_of(number: &yaml_serde::Number) -> Value {
    if let Some(whole) = number.as_i64() {
        return json!(whole);
    }
    if let Some(whole) = number.as_u64() {
        return json!(whole);
    }
    number.as_f64().map_or(Value::Null, |float| json!(float))
}

fn key_of(key: Yaml) -> Checked<String> {
    match key {
        Yaml::String(text) => Ok(text),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Bool(flag) => Ok(flag.to_string()),
        _ => Err(Invalid::new("Template format error: keys must be text.")),
    }
}

/// `!Ref x` is `{"Ref": "x"}`, `!GetAtt a.b` is `{"Fn::GetAtt": ["a", "b"]}`, and so on.
fn short_form(tag: &str, value: Value) -> Checked<Value> {
    let name = tag.trim_start_matches('!');
    let value = match (name, value) {
        ("GetAtt", Value::String(text)) => {
            let (resource, attribute) = text.split_once('.').ok_or_else(|| {
                Invalid::new(format!(
                    "Template error: every Fn::GetAtt object requires two non-empty parameters, not {text}"
                ))
            })?;
            json!([resource, attribute])
        }
        (_, value) => value,
    };
    let long = match name {
        "Ref" | "Condition" => name.to_owned(),
        _ => format!("Fn::{name}"),
    };
    Ok(json!({ long: value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Value) {
        assert_eq!(document(text).unwrap(), expected);
    }

    #[test]
    fn short_forms_are_long_forms() {
        check("A: !Ref B", json!({"A": {"Ref": "B"}}));
        check("A: !GetAtt B.Arn.X", json!({"A": {"Fn::GetAtt": ["B", "Arn.X"]}}));
        check("A: !Sub 'x${B}'", json!({"A": {"Fn::Sub": "x${B}"}}));
        check("A: !If [C, !Ref X, !Ref Y]", json!({"A": {"Fn::If": ["C", {"Ref": "X"}, {"Ref": "Y"}]}}));
        check("A: !Condition C", json!({"A": {"Condition": "C"}}));
        check(
            "A: {B: 012345678901, Version: 2012-10-17}",
            json!({"A": {"B": "012345678901", "Version": "2012-10-17"}}),
        );
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for bad in ["", "- a", "a: [", "{\"a\":", "a: 1\na: 2", "a: !GetAtt x"] {
            assert!(document(bad).is_err(), "{bad}");
        }
        let deep = "a: ".to_owned() + &"[".repeat(5_000) + &"]".repeat(5_000);
        assert!(document(&deep).is_err());
    }
}
