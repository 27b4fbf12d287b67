//! From JSON to a pattern.

use serde_json::{Map, Value};

use crate::Malformed;
use crate::cidr::Block;
use crate::numeric::Range;
use crate::rule::Rule;
use crate::text::{Folded, Text};
use crate::tree::{Fields, Node};

/// How many ways of matching `$or` may make of one pattern.
const ALTERNATIVES_MAX: usize = 1000;
/// How deeply objects may be nested.
const DEPTH_MAX: usize = 100;

type Parsed<T> = Result<T, Malformed>;

fn wrong<T>(reason: impl Into<String>) -> Parsed<T> {
    Err(Malformed(reason.into()))
}

/// Reads a whole pattern.
pub(crate) fn pattern(value: &Value) -> Parsed<Fields> {
    let Value::Object(object) = value else { return wrong("Filter is not an object") };
    let fields = fields(object, 0)?;
    if ways(&fields) > ALTERNATIVES_MAX {
        return wrong(format!("Event pattern has more than {ALTERNATIVES_MAX} $or combinations"));
    }
    Ok(fields)
}

/// The product of the alternatives, as far as it matters.
fn ways(fields: &Fields) -> usize {
    let named = fields.named.iter().filter_map(|(_, node)| match node {
        Node::Fields(fields) => Some(ways(fields)),
        Node::Rules(_) => None,
    });
    let lists = fields.alternatives.iter().map(|list| list.iter().map(ways).sum());
    named.chain(lists).fold(1, usize::saturating_mul)
}

fn fields(object: &Map<String, Value>, depth: usize) -> Parsed<Fields> {
    if object.is_empty() {
        return wrong("Empty objects are not allowed");
    }
    if depth > DEPTH_MAX {
        return wrong(format!("Objects are nested more than {DEPTH_MAX} deep"));
    }
    let mut fields = Fields::default();
    for (name, value) in object {
        match value {
            Value::Array(list) if name == "$or" && are_alternatives(list) => {
                let list =
                    list.iter().filter_map(Value::as_object).map(|object| self::fields(object, depth + 1));
                fields.alternatives.push(list.collect::<Parsed<_>>()?);
            }
            Value::Object(object) => {
                fields.named.push((name.clone(), Node::Fields(self::fields(object, depth + 1)?)));
            }
            Value::Array(list) => fields.named.push((name.clone(), Node::Rules(rules(list)?))),
            _ => return wrong(format!("\"{name}\" must be an object or an array")),
        }
    }
    Ok(fields)
}

/// `$or` is an operator before two or more objects that are not rules, and an ordinary field otherwise.
fn are_alternatives(list: &[Value]) -> bool {
    let is_fields = |value: &Value| {
        value.as_object().is_some_and(|object| !object.keys().any(|key| OPERATORS.contains(&key.as_str())))
    };
    list.len() >= 2 && list.iter().all(is_fields)
}

const OPERATORS: [&str; 8] =
    ["prefix", "suffix", "anything-but", "numeric", "exists", "cidr", "equals-ignore-case", "wildcard"];

fn rules(list: &[Value]) -> Parsed<Vec<Rule>> {
    if list.is_empty() {
        return wrong("Empty arrays are not allowed");
    }
    list.iter().map(rule).collect()
}

fn rule(value: &Value) -> Parsed<Rule> {
    match value {
        Value::Object(object) => {
            let mut entries = object.iter();
            match (entries.next(), entries.next()) {
                (Some((operator, operand)), None) => operation(operator, operand),
                (None, _) => wrong("Empty objects are not allowed"),
                _ => wrong("Only one key allowed in match expression"),
            }
        }
        Value::Array(_) => wrong("Match value must be String, number, true, false, or null"),
        leaf => Ok(Rule::Exact(leaf.clone())),
    }
}

fn operation(operator: &str, operand: &Value) -> Parsed<Rule> {
    match (operator, operand) {
        ("prefix" | "suffix", Value::Object(inner)) => match (inner.len(), inner.get("equals-ignore-case")) {
            (1, Some(Value::String(text))) => Ok(affix(operator, Folded::ignoring_case(text))),
            (1, Some(_)) => wrong("equals-ignore-case match pattern must be a string"),
            _ => wrong(format!("Unsupported {operator} match pattern: only equals-ignore-case is allowed")),
        },
        ("prefix" | "suffix" | "wildcard" | "equals-ignore-case", Value::String(text)) => {
            text_rule(operator, text)
        }
        ("prefix" | "suffix" | "wildcard" | "equals-ignore-case", _) => {
            wrong(format!("{operator} match pattern must be a string"))
        }
        ("anything-but", operand) => anything_but(operand),
        ("numeric", Value::Array(terms)) => Range::parse(terms).map(Rule::Numeric).map_err(Malformed),
        ("numeric", _) => wrong("Value of numeric must be an array."),
        ("exists", Value::Bool(wanted)) => Ok(Rule::Exists(*wanted)),
        ("exists", _) => wrong("exists match pattern must be either true or false."),
        ("cidr", Value::String(block)) => Block::parse(block).map(Rule::Cidr).map_err(Malformed),
        ("cidr", _) => wrong("prefix match pattern must be a string"),
        _ => wrong(format!("Unrecognized match type {operator}")),
    }
}

fn affix(operator: &str, wanted: Folded) -> Rule {
    Rule::Text(if operator == "prefix" { Text::Prefix(wanted) } else { Text::Suffix(wanted) })
}

fn text_rule(operator: &str, text: &str) -> Parsed<Rule> {
    Ok(match operator {
        "wildcard" => Rule::Text(Text::wildcard(text).map_err(Malformed)?),
        "equals-ignore-case" => Rule::Text(Text::Equal(Folded::ignoring_case(text))),
        affixed => affix(affixed, Folded::exactly(text)),
    })
}

fn anything_but(operand: &Value) -> Parsed<Rule> {
    let unwanted = match operand {
        Value::Object(inner) => {
            let mut entries = inner.iter();
            match (entries.next(), entries.next()) {
                (Some((operator, operand)), None) => anything_but_operation(operator, operand)?,
                _ => return wrong("Only one key allowed in match expression"),
            }
        }
        Value::Array(list) => plain_list(list)?,
        leaf => plain_list(std::slice::from_ref(leaf))?,
    };
    Ok(Rule::AnythingBut(unwanted))
}

/// Texts alone, or numbers alone.
fn plain_list(list: &[Value]) -> Parsed<Vec<Rule>> {
    if list.is_empty() {
        return wrong("Empty arrays are not allowed");
    }
    if list.iter().any(Value::is_string) && list.iter().any(Value::is_number) {
        return wrong(
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        );
    }
    let plain = |value: &Value| match value {
        Value::String(text) => Ok(Rule::text(text)),
        Value::Number(number) => Ok(Rule::number(number)),
        _ => wrong("Inside anything but list, start|null|boolean is not supported."),
    };
    list.iter().map(plain).collect()
}

fn anything_but_operation(operator: &str, operand: &Value) -> Parsed<Vec<Rule>> {
    if !["prefix", "suffix", "wildcard", "equals-ignore-case"].contains(&operator) {
        return wrong(format!("Unsupported anything-but pattern: {operator}"));
    }
    let list = match operand {
        Value::Array(list) if list.is_empty() => return wrong("Empty arrays are not allowed"),
        Value::Array(list) => list.as_slice(),
        Value::Object(_) if operator.ends_with("fix") => return Ok(vec![operation(operator, operand)?]),
        one => std::slice::from_ref(one),
    };
    let one = |value: &Value| match value {
        Value::String(text) if text.is_empty() && operator.ends_with("fix") => {
            wrong(format!("Null {operator} not allowed"))
        }
        Value::String(text) => text_rule(operator, text),
        _ => wrong(format!("{operator} match pattern must be a string")),
    };
    list.iter().map(one).collect()
}
