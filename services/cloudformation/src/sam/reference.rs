//! References to what the transform makes: `!Ref Api.Stage`, `!Ref Function.Alias`, and layers, whose logical
//! ids it changes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Old names and new ones.
type Names = BTreeMap<String, String>;

/// The document with references by the old names turned into such by the new ones.
pub(super) fn renamed(value: Value, names: &Names) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| renamed(item, names)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| field(name, value, names)).collect())
        }
        scalar => scalar,
    }
}

fn field(name: String, value: Value, names: &Names) -> (String, Value) {
    let target = |text: &str| names.get(text).map(|new| json!(new));
    let value = match (name.as_str(), value) {
        ("Ref" | "DependsOn", Value::String(text)) => target(&text).unwrap_or(Value::String(text)),
        ("DependsOn", Value::Array(items)) => {
            let items = items.into_iter().map(|item| item.as_str().and_then(target).unwrap_or(item));
            items.collect()
        }
        ("Fn::GetAtt", Value::Array(parts)) => {
            let mut parts = parts;
            if let Some(new) = parts.first().and_then(Value::as_str).and_then(target) {
                parts[0] = new;
            }
            Value::Array(parts)
        }
        ("Fn::GetAtt", Value::String(text)) => json!(attribute(&text, names)),
        ("Fn::Sub", Value::String(text)) => json!(substituted(&text, names)),
        ("Fn::Sub", Value::Array(parts)) => {
            let parts = parts.into_iter().map(|part| match part {
                Value::String(text) => json!(substituted(&text, names)),
                own => renamed(own, names),
            });
            parts.collect()
        }
        (_, value) => renamed(value, names),
    };
    (name, value)
}

/// `{name}` or `{name}.{attribute}`.
fn attribute(text: &str, names: &Names) -> String {
    if let Some(new) = names.get(text) {
        return new.clone();
    }
    match text.rsplit_once('.').and_then(|(name, attribute)| Some((names.get(name)?, attribute))) {
        Some((new, attribute)) => format!("{new}.{attribute}"),
        None => text.to_owned(),
    }
}

fn substituted(text: &str, names: &Names) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else { break };
        written.push_str(&format!("{before}${{{}}}", attribute(name, names)));
        rest = behind;
    }
    written.push_str(rest);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_follow_their_targets() {
        let names = BTreeMap::from([
            ("Layer".to_owned(), "Layer0".to_owned()),
            ("F.Alias".to_owned(), "FAliaslive".to_owned()),
        ]);
        for (before, after) in [
            (json!({ "Ref": "Layer" }), json!({ "Ref": "Layer0" })),
            (json!({ "Ref": "F" }), json!({ "Ref": "F" })),
            (
                json!({ "Fn::GetAtt": ["Layer", "LayerVersionArn"] }),
                json!({ "Fn::GetAtt": ["Layer0", "LayerVersionArn"] }),
            ),
            (json!({ "Fn::GetAtt": "F.Alias.AliasArn" }), json!({ "Fn::GetAtt": "FAliaslive.AliasArn" })),
            (
                json!({ "Fn::Sub": "${F.Alias} ${F.Arn} ${!Layer} ${" }),
                json!({ "Fn::Sub": "${FAliaslive} ${F.Arn} ${!Layer} ${" }),
            ),
            (
                json!({ "Fn::Sub": ["${x}", { "x": { "Ref": "F.Alias" } }] }),
                json!({ "Fn::Sub": ["${x}", { "x": { "Ref": "FAliaslive" } }] }),
            ),
            (json!({ "DependsOn": ["Layer", "F"] }), json!({ "DependsOn": ["Layer0", "F"] })),
            (json!({ "Layer": ["Layer"] }), json!({ "Layer": ["Layer"] })),
        ] {
            assert_eq!(renamed(before, &names), after);
        }
    }
}
