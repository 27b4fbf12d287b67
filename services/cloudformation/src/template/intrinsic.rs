//! Intrinsic functions: a value of the template becomes the value that a resource gets.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::parameter::{Declared, Values};
use super::{Checked, Invalid, Object};

/// Deeper values are refused.
const DEPTH_MAX: usize = 100;
/// Conditions that refer to conditions.
const CONDITION_DEPTH_MAX: usize = 20;

/// What names stand for in one stack.
pub(crate) struct Scope<'a> {
    pub(crate) declared: &'a BTreeMap<String, Declared>,
    pub(crate) parameters: &'a Values,
    pub(crate) mappings: &'a Object,
    pub(crate) conditions: &'a Object,
    /// `AWS::Region` and the like.
    pub(crate) pseudo: &'a BTreeMap<&'static str, Value>,
    /// Values that other stacks export.
    pub(crate) exports: &'a BTreeMap<String, String>,
    /// What exists of the stack so far.
    pub(crate) resources: &'a BTreeMap<String, Made>,
}

/// A resource that exists.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made {
    /// What `Ref` gives.
    pub(crate) reference: String,
    /// What `Fn::GetAtt` gives, by attribute.
    pub(crate) attributes: Object,
}

impl Scope<'_> {
    /// The value with all functions carried out. `AWS::NoValue` leaves out the property or the element.
    pub(crate) fn resolve(&self, value: &Value) -> Checked<Value> {
        Ok(self.at(value, 0)?.unwrap_or(Value::Null))
    }

    /// Whether a condition, if there is one, holds.
    pub(crate) fn holds(&self, condition: Option<&str>) -> Checked<bool> {
        condition.map_or(Ok(true), |name| self.named_condition(name, 0))
    }

    fn at(&self, value: &Value, depth: usize) -> Checked<Option<Value>> {
        if depth > DEPTH_MAX {
            return Err(Invalid::new("Template error: a value is nested too deeply"));
        }
        match value {
            Value::Array(items) => {
                let items = items.iter().filter_map(|item| self.at(item, depth + 1).transpose());
                Ok(Some(Value::Array(items.collect::<Checked<_>>()?)))
            }
            Value::Object(fields) => match single(fields) {
                Some((name, argument)) if is_function(name) => self.call(name, argument, depth + 1),
                _ => {
                    let mut object = Object::new();
                    for (name, value) in fields {
                        if let Some(value) = self.at(value, depth + 1)? {
                            object.insert(name.clone(), value);
                        }
                    }
                    Ok(Some(Value::Object(object)))
                }
            },
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn call(&self, name: &str, argument: &Value, depth: usize) -> Checked<Option<Value>> {
        let arguments = |count: usize| match argument.as_array() {
            Some(items) if items.len() == count => Ok(items.as_slice()),
            _ => Err(malformed(name)),
        };
        let text = |value: &Value| self.text(name, value, depth);
        Ok(Some(match name {
            "Ref" => {
                return self
                    .reference(argument.as_str().ok_or_else(|| malformed(name))?)
                    .map(Some)
                    .map(skip_no_value);
            }
            "Fn::GetAtt" => self.attribute(argument, depth)?,
            "Fn::Sub" => json!(self.substitute(argument, depth)?),
            "Fn::Join" | "Fn::Select" | "Fn::Split" | "Fn::Length" => {
                self.list_function(name, argument, depth)?
            }
            "Fn::Base64" => json!(STANDARD.encode(text(argument)?)),
            "Fn::FindInMap" => {
                let [map, top, second] = arguments(3)? else { return Err(malformed(name)) };
                self.find_in_map(&text(map)?, &text(top)?, &text(second)?)?
            }
            "Fn::ImportValue" => {
                let export = text(argument)?;
                let found = self.exports.get(&export);
                json!(found.ok_or_else(|| Invalid::new(format!("No export named {export} found.")))?)
            }
            "Fn::GetAZs" => {
                let given = text(argument)?;
                let own = self.pseudo.get("AWS::Region").and_then(Value::as_str).unwrap_or_default();
                let region = if given.is_empty() { own } else { &given };
                json!([format!("{region}a"), format!("{region}b"), format!("{region}c")])
            }
            "Fn::ToJsonString" => json!(self.at(argument, depth)?.unwrap_or(Value::Null).to_string()),
            "Fn::If" => {
                let [condition, yes, no] = arguments(3)? else { return Err(malformed(name)) };
                let condition = condition.as_str().ok_or_else(|| malformed(name))?;
                let branch = if self.named_condition(condition, 0)? { yes } else { no };
                return self.at(branch, depth);
            }
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" => {
                json!(self.condition(&json!({ name: argument }), 0)?)
            }
            other => {
                return Err(Invalid::new(format!(
                    "Template error: the function {other} is unknown, or not available in Pagoda"
                )));
            }
        }))
    }

    /// The functions that take or give lists.
    fn list_function(&self, name: &str, argument: &Value, depth: usize) -> Checked<Value> {
        let arguments = |count: usize| match argument.as_array() {
            Some(items) if items.len() == count => Ok(items.as_slice()),
            _ => Err(malformed(name)),
        };
        let text = |value: &Value| self.text(name, value, depth);
        Ok(match name {
            "Fn::Join" => {
                let [separator, items] = arguments(2)? else { return Err(malformed(name)) };
                let separator = separator.as_str().ok_or_else(|| malformed(name))?;
                json!(self.texts(name, items, depth)?.join(separator))
            }
            "Fn::Select" => {
                let [index, items] = arguments(2)? else { return Err(malformed(name)) };
                let index: usize = text(index)?.parse().map_err(|_| malformed(name))?;
                let items = self.at(items, depth)?;
                let items = items.as_ref().and_then(Value::as_array).ok_or_else(|| malformed(name))?;
                items.get(index).cloned().ok_or_else(|| {
                    Invalid::new(format!(
                        "Template error: Fn::Select cannot select nonexistent value at index {index}"
                    ))
                })?
            }
            "Fn::Split" => {
                let [separator, whole] = arguments(2)? else { return Err(malformed(name)) };
                let separator =
                    separator.as_str().filter(|text| !text.is_empty()).ok_or_else(|| malformed(name))?;
                text(whole)?.split(separator).map(Value::from).collect()
            }
            "Fn::Length" => {
                let items = self.at(argument, depth)?;
                json!(items.as_ref().and_then(Value::as_array).ok_or_else(|| malformed(name))?.len())
            }
            _ => return Err(malformed(name)),
        })
    }

    fn reference(&self, name: &str) -> Checked<Value> {
        if let Some(value) = self.pseudo.get(name) {
            return Ok(value.clone());
        }
        if name == "AWS::NoValue" {
            return Ok(json!(NO_VALUE));
        }
        if let (Some(value), Some(declared)) = (self.parameters.get(name), self.declared.get(name)) {
            return Ok(declared.typed(value));
        }
        let made = self.resources.get(name);
        made.map(|made| json!(made.reference)).ok_or_else(|| unresolved(name))
    }

    fn attribute(&self, argument: &Value, depth: usize) -> Checked<Value> {
        let (name, attribute) = match argument {
            Value::Array(parts) if parts.len() == 2 => {
                let name = parts[0].as_str().ok_or_else(|| malformed("Fn::GetAtt"))?;
                (name.to_owned(), self.text("Fn::GetAtt", &parts[1], depth)?)
            }
            Value::String(text) => {
                let (name, attribute) = text.split_once('.').ok_or_else(|| malformed("Fn::GetAtt"))?;
                (name.to_owned(), attribute.to_owned())
            }
            _ => return Err(malformed("Fn::GetAtt")),
        };
        let made = self.resources.get(&name).ok_or_else(|| unresolved(&name))?;
        made.attributes.get(&attribute).cloned().ok_or_else(|| {
            Invalid::new(format!(
                "Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
            ))
        })
    }

    fn substitute(&self, argument: &Value, depth: usize) -> Checked<String> {
        let (text, own) = match argument {
            Value::String(text) => (text.as_str(), None),
            Value::Array(parts) if parts.len() == 2 => {
                (parts[0].as_str().ok_or_else(|| malformed("Fn::Sub"))?, parts[1].as_object())
            }
            _ => return Err(malformed("Fn::Sub")),
        };
        let mut written = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            written.push_str(before);
            let (name, behind) = after.split_once('}').ok_or_else(|| malformed("Fn::Sub"))?;
            match name.trim() {
                literal if literal.starts_with('!') => {
                    written.push_str("${");
                    written.push_str(&literal[1..]);
                    written.push('}');
                }
                name => written.push_str(&self.variable(name, own, depth)?),
            }
            rest = behind;
        }
        written.push_str(rest);
        Ok(written)
    }

    fn variable(&self, name: &str, own: Option<&Object>, depth: usize) -> Checked<String> {
        if let Some(value) = own.and_then(|own| own.get(name)) {
            return self.text("Fn::Sub", value, depth);
        }
        let value = match name.split_once('.') {
            Some(_) => self.attribute(&json!(name), depth)?,
            None => self.reference(name)?,
        };
        as_text(&value).ok_or_else(|| malformed("Fn::Sub"))
    }

    fn find_in_map(&self, map: &str, top: &str, second: &str) -> Checked<Value> {
        let found = self.mappings.get(map).and_then(|map| map.get(top)).and_then(|entry| entry.get(second));
        found.cloned().ok_or_else(|| {
            Invalid::new(format!("Template error: Unable to get mapping for {map}::{top}::{second}"))
        })
    }

    fn text(&self, function: &str, value: &Value, depth: usize) -> Checked<String> {
        let resolved = self.at(value, depth + 1)?.unwrap_or(Value::Null);
        as_text(&resolved).ok_or_else(|| malformed(function))
    }

    fn texts(&self, function: &str, value: &Value, depth: usize) -> Checked<Vec<String>> {
        let resolved = self.at(value, depth + 1)?.unwrap_or(Value::Null);
        let items = resolved.as_array().ok_or_else(|| malformed(function))?;
        items.iter().map(|item| as_text(item).ok_or_else(|| malformed(function))).collect()
    }

    fn named_condition(&self, name: &str, depth: usize) -> Checked<bool> {
        if depth > CONDITION_DEPTH_MAX {
            return Err(Invalid::new(format!("Template error: circular condition dependency at {name}")));
        }
        let condition = self.conditions.get(name);
        let unknown = || Invalid::new(format!("Template format error: Unresolved condition {name}"));
        self.condition(condition.ok_or_else(unknown)?, depth + 1)
    }

    fn condition(&self, value: &Value, depth: usize) -> Checked<bool> {
        let (name, argument) = value.as_object().and_then(single).ok_or_else(|| malformed("Conditions"))?;
        let many = |least: usize| match argument.as_array() {
            Some(items) if (least..=10).contains(&items.len()) => Ok(items),
            _ => Err(malformed(name)),
        };
        match name {
            "Condition" => self.named_condition(argument.as_str().ok_or_else(|| malformed(name))?, depth),
            "Fn::Equals" => {
                let items = many(2)?;
                let side = |value: &Value| Ok::<_, Invalid>(self.at(value, 0)?.unwrap_or(Value::Null));
                let (left, right) = (side(&items[0])?, side(&items[1])?);
                Ok(as_text(&left).zip(as_text(&right)).map_or(left == right, |(left, right)| left == right))
            }
            "Fn::Not" => Ok(!self.condition(&many(1)?[0], depth + 1)?),
            "Fn::And" => {
                many(2)?.iter().try_fold(true, |all, item| Ok(self.condition(item, depth + 1)? && all))
            }
            "Fn::Or" => {
                many(2)?.iter().try_fold(false, |any, item| Ok(self.condition(item, depth + 1)? || any))
            }
            other => Err(Invalid::new(format!("Template format error: {other} is no condition function"))),
        }
    }
}

/// Stands for `AWS::NoValue` between [`Scope::reference`] and its caller.
const NO_VALUE: &str = "\u{0}AWS::NoValue";

fn skip_no_value(value: Option<Value>) -> Option<Value> {
    value.filter(|value| value != NO_VALUE)
}

fn single(fields: &Object) -> Option<(&str, &Value)> {
    let mut entries = fields.iter();
    let (name, value) = entries.next()?;
    entries.next().is_none().then_some((name.as_str(), value))
}

fn is_function(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn malformed(function: &str) -> Invalid {
    Invalid::new(format!("Template error: every {function} object requires well-formed parameters"))
}

fn unresolved(name: &str) -> Invalid {
    Invalid::new(format!(
        "Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: Value, expected: Result<Value, &str>) {
        let declared = BTreeMap::from([
            ("Env".to_owned(), Declared::read("Env", &json!({"Type": "String"})).unwrap()),
            ("List".to_owned(), Declared::read("List", &json!({"Type": "CommaDelimitedList"})).unwrap()),
        ]);
        let made = Made {
            reference: "b-1".into(),
            attributes: [("Arn".to_owned(), json!("arn:b"))].into_iter().collect(),
        };
        let mappings = json!({"M": {"prod": {"Size": 5}}});
        let conditions = json!({
            "IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
            "IsNot": {"Fn::Not": [{"Condition": "IsProd"}]},
            "Loop": {"Condition": "Loop"},
        });
        let scope = Scope {
            declared: &declared,
            parameters: &[("Env".to_owned(), "prod".to_owned()), ("List".to_owned(), "a, b".to_owned())]
                .into(),
            mappings: mappings.as_object().unwrap(),
            conditions: conditions.as_object().unwrap(),
            pseudo: &BTreeMap::from([("AWS::Region", json!("us-east-1"))]),
            exports: &[("x".to_owned(), "v".to_owned())].into(),
            resources: &[("Bucket".to_owned(), made)].into(),
        };
        let found = scope.resolve(&value).map_err(|invalid| invalid.0);
        assert_eq!(found.as_ref().map_err(String::as_str), expected.as_ref().map_err(|text| *text));
    }

    #[test]
    fn functions() {
        check(json!({"Ref": "Env"}), Ok(json!("prod")));
        check(json!({"Ref": "List"}), Ok(json!(["a", "b"])));
        check(json!({"Ref": "Bucket"}), Ok(json!("b-1")));
        check(json!({"Fn::GetAtt": ["Bucket", "Arn"]}), Ok(json!("arn:b")));
        check(json!({"Fn::GetAtt": "Bucket.Arn"}), Ok(json!("arn:b")));
        check(
            json!({"Fn::Sub": "${AWS::Region}/${Bucket.Arn}/${!Keep}/${Env}"}),
            Ok(json!("us-east-1/arn:b/${Keep}/prod")),
        );
        check(json!({"Fn::Sub": ["${A}", {"A": {"Ref": "Env"}}]}), Ok(json!("prod")));
        check(json!({"Fn::Join": ["-", ["a", {"Ref": "Env"}, 1]]}), Ok(json!("a-prod-1")));
        check(json!({"Fn::Join": [",", {"Ref": "List"}]}), Ok(json!("a,b")));
        check(json!({"Fn::Select": [1, {"Ref": "List"}]}), Ok(json!("b")));
        check(json!({"Fn::Split": ["/", "a/b"]}), Ok(json!(["a", "b"])));
        check(json!({"Fn::Base64": "a"}), Ok(json!("YQ==")));
        check(json!({"Fn::FindInMap": ["M", {"Ref": "Env"}, "Size"]}), Ok(json!(5)));
        check(json!({"Fn::ImportValue": "x"}), Ok(json!("v")));
        check(json!({"Fn::If": ["IsProd", 1, 2]}), Ok(json!(1)));
        check(json!({"Fn::If": ["IsNot", 1, 2]}), Ok(json!(2)));
        check(json!({"a": {"Fn::If": ["IsNot", 1, {"Ref": "AWS::NoValue"}]}, "b": 1}), Ok(json!({"b": 1})));
        check(json!([{"Ref": "AWS::NoValue"}, 1]), Ok(json!([1])));
        check(json!({"Fn::ToJsonString": {"a": {"Ref": "Env"}}}), Ok(json!("{\"a\":\"prod\"}")));
        check(json!({"Fn::Length": {"Ref": "List"}}), Ok(json!(2)));
    }

    #[test]
    fn what_cannot_be_resolved_is_refused() {
        check(json!({"Fn::ImportValue": "nope"}), Err("No export named nope found."));
        check(
            json!({"Fn::Select": [5, ["a"]]}),
            Err("Template error: Fn::Select cannot select nonexistent value at index 5"),
        );
        check(
            json!({"Fn::GetAtt": ["Bucket", "X"]}),
            Err("Template error: resource Bucket does not support attribute type X in Fn::GetAtt"),
        );
        check(
            json!({"Fn::If": ["Loop", 1, 2]}),
            Err("Template error: circular condition dependency at Loop"),
        );
        check(
            json!({"Fn::Nope": 1}),
            Err("Template error: the function Fn::Nope is unknown, or not available in Pagoda"),
        );
    }
}
