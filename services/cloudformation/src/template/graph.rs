//! What depends on what, and the order that follows from it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Checked, Invalid, Resource};

/// The names that a value refers to by `Ref`, `Fn::GetAtt` and `Fn::Sub`.
pub(crate) fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => {
            for (name, inner) in fields {
                match (name.as_str(), inner) {
                    ("Ref", Value::String(target)) if fields.len() == 1 => {
                        found.insert(target.clone());
                    }
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        found.extend(parts.first().and_then(Value::as_str).map(str::to_owned));
                    }
                    ("Fn::GetAtt", Value::String(text)) => {
                        found.extend(text.split('.').next().map(str::to_owned));
                    }
                    ("Fn::Sub", _) => substituted(inner, found),
                    _ => collect(inner, found),
                }
            }
        }
        _ => {}
    }
}

/// The variables of a `Fn::Sub` that it does not define itself.
fn substituted(value: &Value, found: &mut BTreeSet<String>) {
    let (text, own) = match value {
        Value::String(text) => (text.as_str(), None),
        Value::Array(parts) => (parts.first().and_then(Value::as_str).unwrap_or_default(), parts.get(1)),
        _ => return,
    };
    if let Some(own) = own {
        collect(own, found);
    }
    for name in variables(text) {
        let is_own = own.and_then(Value::as_object).is_some_and(|own| own.contains_key(name));
        if !is_own {
            found.insert(name.split('.').next().unwrap_or(name).to_owned());
        }
    }
}

/// The names in `${…}`; `${!…}` stands for itself.
pub(crate) fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name.trim())
        .filter(|name| !name.starts_with('!'))
}

/// The names of all resources, each behind those that it depends on.
pub(crate) fn order(resources: &BTreeMap<String, Resource>) -> Checked<Vec<String>> {
    let mut waiting: BTreeMap<&str, BTreeSet<String>> = resources
        .iter()
        .map(|(name, resource)| {
            let mut needed = references(&resource.properties);
            needed.extend(resource.depends_on.iter().cloned());
            needed.retain(|other| resources.contains_key(other));
            (name.as_str(), needed)
        })
        .collect();
    let mut ordered = Vec::with_capacity(resources.len());
    while !waiting.is_empty() {
        let ready: Vec<&str> =
            waiting.iter().filter(|(_, needed)| needed.is_empty()).map(|(name, _)| *name).collect();
        if ready.is_empty() {
            let circle: Vec<&str> = waiting.keys().copied().collect();
            return Err(Invalid::new(format!(
                "Circular dependency between resources: [{}]",
                circle.join(", ")
            )));
        }
        for name in &ready {
            waiting.remove(name);
        }
        for needed in waiting.values_mut() {
            needed.retain(|other| !ready.contains(&other.as_str()));
        }
        ordered.extend(ready.into_iter().map(str::to_owned));
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_found_wherever_they_stand() {
        let value = json!({
            "A": [{"Ref": "One"}, {"Fn::GetAtt": ["Two", "Arn"]}],
            "B": {"Fn::Sub": "x ${Three} ${Four.Arn} ${!Not} ${AWS::Region}"},
            "C": {"Fn::Sub": ["${Own} ${Five}", {"Own": {"Ref": "Six"}}]},
            "D": {"Fn::Join": ["", [{"Ref": "Seven"}]]},
        });
        let found: Vec<String> = references(&value).into_iter().collect();
        assert_eq!(found, ["AWS::Region", "Five", "Four", "One", "Seven", "Six", "Three", "Two"]);
    }
}
