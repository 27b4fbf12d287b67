//! Parameters: what a template declares, and the values that a stack gives.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};

use super::{Checked, Invalid, object};

/// A declared parameter.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) kind: String,
    pub(crate) default: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) no_echo: bool,
    pub(crate) allowed: Vec<String>,
    pattern: Option<String>,
    lengths: (Option<usize>, Option<usize>),
    range: (Option<f64>, Option<f64>),
    constraint_description: Option<String>,
}

const FIELDS: [&str; 11] = [
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
    "Type",
];

/// The values of a stack's parameters, by name.
pub(crate) type Values = BTreeMap<String, String>;

impl Declared {
    pub(crate) fn read(name: &str, value: &Value) -> Checked<Self> {
        let fields = object(value, &format!("Template format error: Parameter {name} must be an object."))?;
        if let Some(unknown) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
            return Err(Invalid::new(format!("Invalid template parameter property '{unknown}'")));
        }
        let text = |field: &str| fields.get(field).map(plain);
        let kind = text("Type").ok_or_else(|| {
            Invalid::new(format!(
                "Template format error: Every Parameters object must contain a Type member. ({name})"
            ))
        })?;
        let known = matches!(
            kind.as_str(),
            "String" | "Number" | "CommaDelimitedList" | "List<Number>" | "List<String>"
        ) || kind.starts_with("AWS::EC2::")
            || kind.starts_with("List<AWS::EC2::");
        if !known {
            return Err(Invalid::new(format!(
                "Template format error: Unrecognized parameter type: {kind}, or not available in Pagoda"
            )));
        }
        let allowed = fields.get("AllowedValues").and_then(Value::as_array);
        Ok(Self {
            kind,
            default: text("Default"),
            description: text("Description"),
            no_echo: text("NoEcho").is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
            allowed: allowed.into_iter().flatten().map(plain).collect(),
            pattern: text("AllowedPattern"),
            lengths: (
                text("MinLength").and_then(|number| number.parse().ok()),
                text("MaxLength").and_then(|number| number.parse().ok()),
            ),
            range: (
                text("MinValue").and_then(|number| number.parse().ok()),
                text("MaxValue").and_then(|number| number.parse().ok()),
            ),
            constraint_description: text("ConstraintDescription"),
        })
    }

    /// The value as `Ref` gives it: a list for the list types.
    pub(crate) fn typed(&self, value: &str) -> Value {
        if self.kind == "CommaDelimitedList" || self.kind.starts_with("List<") {
            return value.split(',').map(|item| json!(item.trim())).collect();
        }
        json!(value)
    }

    fn check(&self, name: &str, value: &str) -> Checked<()> {
        let invalid = |what: String| {
            let what = self.constraint_description.clone().unwrap_or(what);
            Err(Invalid::new(
                format!("Parameter '{name}' must satisfy constraint: {what}")
                    .replace("must satisfy constraint: must", "must"),
            ))
        };
        let items: Vec<&str> = match self.typed(value) {
            Value::Array(_) => value.split(',').map(str::trim).collect(),
            _ => vec![value],
        };
        if !self.allowed.is_empty()
            && items.iter().any(|item| !self.allowed.iter().any(|allowed| allowed == item))
        {
            let allowed = self.allowed.join(", ");
            return Err(Invalid::new(format!("Parameter '{name}' must be one of AllowedValues [{allowed}]")));
        }
        if let Some(pattern) = &self.pattern {
            let whole = Regex::new(&format!("^(?:{pattern})$")).map_err(|_| {
                Invalid::new(format!(
                    "Template format error: AllowedPattern of {name} is no regular expression"
                ))
            })?;
            if !whole.is_match(value) {
                return invalid(format!("must match pattern {pattern}"));
            }
        }
        let length = value.chars().count();
        if self.lengths.0.is_some_and(|least| length < least)
            || self.lengths.1.is_some_and(|most| length > most)
        {
            return invalid(format!(
                "must have a length between {:?} and {:?}",
                self.lengths.0, self.lengths.1
            ));
        }
        if self.kind == "Number" {
            let Ok(number) = value.parse::<f64>() else {
                return Err(Invalid::new(format!("Parameter '{name}' must be a number.")));
            };
            if self.range.0.is_some_and(|least| number < least)
                || self.range.1.is_some_and(|most| number > most)
            {
                return invalid(format!("must be between {:?} and {:?}", self.range.0, self.range.1));
            }
        }
        Ok(())
    }
}

/// The values that a stack has: given ones, else defaults.
pub(crate) fn values(declared: &BTreeMap<String, Declared>, given: &Values) -> Checked<Values> {
    let unknown: Vec<&str> =
        given.keys().filter(|name| !declared.contains_key(*name)).map(String::as_str).collect();
    if !unknown.is_empty() {
        return Err(Invalid::new(format!(
            "Parameters: [{}] do not exist in the template",
            unknown.join(", ")
        )));
    }
    let mut values = Values::new();
    let mut missing = Vec::new();
    for (name, parameter) in declared {
        match given.get(name).or(parameter.default.as_ref()) {
            None => missing.push(name.as_str()),
            Some(value) => {
                parameter.check(name, value)?;
                values.insert(name.clone(), value.clone());
            }
        }
    }
    if missing.is_empty() {
        Ok(values)
    } else {
        Err(Invalid::new(format!("Parameters: [{}] must have values", missing.join(", "))))
    }
}

/// A scalar as text.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(declared: Value, given: Option<&str>, expected: Result<&str, &str>) {
        let declared = BTreeMap::from([("P".to_owned(), Declared::read("P", &declared).unwrap())]);
        let given = given.map(|value| ("P".to_owned(), value.to_owned())).into_iter().collect();
        let found = values(&declared, &given).map(|values| values["P"].clone()).map_err(|invalid| invalid.0);
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn values_are_checked() {
        check(json!({"Type": "String", "Default": "a"}), None, Ok("a"));
        check(json!({"Type": "String", "Default": "a"}), Some("b"), Ok("b"));
        check(json!({"Type": "String"}), None, Err("Parameters: [P] must have values"));
        check(
            json!({"Type": "String", "AllowedValues": ["a", "b"]}),
            Some("c"),
            Err("Parameter 'P' must be one of AllowedValues [a, b]"),
        );
        check(json!({"Type": "Number", "Default": 5}), None, Ok("5"));
        check(json!({"Type": "Number"}), Some("x"), Err("Parameter 'P' must be a number."));
        check(
            json!({"Type": "String", "AllowedPattern": "[a-z]+"}),
            Some("A"),
            Err("Parameter 'P' must match pattern [a-z]+"),
        );
    }
}
