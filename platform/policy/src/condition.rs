//! The `Condition` element: operators, set operators, `IfExists` and `Null`.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pagoda_base::Timestamp;
use serde_json::Value;

use crate::Keys;
use crate::document::Malformed;
use crate::pattern::{Match, Pattern};

/// One key under one operator, with the values that the policy gives it.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    operator: Operator,
    set: Set,
    if_exists: bool,
    key: String,
    values: Vec<Wanted>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    None,
    ForAll,
    ForAny,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Operator {
    test: Test,
    negated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    Text { ignore_case: bool, wildcards: bool },
    Arn,
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    Ip,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

#[derive(Debug, Clone)]
enum Wanted {
    Text(Pattern),
    Arn(Vec<Pattern>),
    Number(f64),
    Instant(Timestamp),
    Bool(bool),
    Bytes(Vec<u8>),
    Network(IpAddr, u8),
}

/// Reads a whole `Condition` element.
pub(crate) fn parse(element: &Value, variables: bool) -> Result<Vec<Condition>, Malformed> {
    let syntax = || Malformed::new("Syntax errors in policy.");
    let mut conditions = Vec::new();
    for (name, keys) in element.as_object().ok_or_else(syntax)? {
        for (key, values) in keys.as_object().ok_or_else(syntax)? {
            conditions.push(Condition::read(name, key, values, variables)?);
        }
    }
    Ok(conditions)
}

impl Condition {
    fn read(name: &str, key: &str, values: &Value, variables: bool) -> Result<Self, Malformed> {
        let unknown = || Malformed::new(format!("Invalid Condition type : {name}"));
        let (set, rest) = match name.split_once(':') {
            Some(("ForAllValues", rest)) => (Set::ForAll, rest),
            Some(("ForAnyValue", rest)) => (Set::ForAny, rest),
            Some(_) => return Err(unknown()),
            None => (Set::None, name),
        };
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let operator = operator(base).ok_or_else(unknown)?;
        if operator.test == Test::Null && (if_exists || set != Set::None) {
            return Err(unknown());
        }
        if !key.contains(':') {
            return Err(Malformed::new("Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
        }
        let texts = texts(values)?;
        let values = texts.iter().map(|text| wanted(operator.test, text, variables));
        let values = values
            .collect::<Option<_>>()
            .ok_or_else(|| Malformed::new(format!("Invalid value for condition {name} on {key}")))?;
        Ok(Self { operator, set, if_exists, key: key.to_ascii_lowercase(), values })
    }

    /// The key's name in lower case, for explanations.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Whether the request's keys satisfy this condition.
    pub(crate) fn holds(&self, keys: &Keys) -> bool {
        let found = keys.get(&self.key);
        if self.operator.test == Test::Null {
            return self
                .values
                .iter()
                .any(|v| matches!(v, Wanted::Bool(absent) if *absent == found.is_none()));
        }
        let Some(found) = found else {
            return match self.set {
                Set::ForAll => true,
                Set::ForAny => self.if_exists,
                Set::None => self.if_exists || self.operator.negated,
            };
        };
        match (self.set, found) {
            (Set::ForAll, _) => found.iter().all(|value| self.accepts(value, keys)),
            (Set::ForAny, _) => found.iter().any(|value| self.accepts(value, keys)),
            // Without a set operator only a single value can be judged.
            (Set::None, [value]) => self.accepts(value, keys),
            (Set::None, _) => false,
        }
    }

    fn accepts(&self, value: &str, keys: &Keys) -> bool {
        let mut any = false;
        for wanted in &self.values {
            match compare(self.operator.test, wanted, value, keys) {
                Match::Yes => any = true,
                Match::No => {}
                Match::Unresolved => return false,
            }
        }
        any != self.operator.negated
    }
}

fn texts(values: &Value) -> Result<Vec<String>, Malformed> {
    let one = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Malformed::new("Syntax errors in policy.")),
    };
    match values {
        Value::Array(values) => values.iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}

fn operator(name: &str) -> Option<Operator> {
    let text = |ignore_case, wildcards| Test::Text { ignore_case, wildcards };
    let (test, negated) = match name {
        "StringEquals" => (text(false, false), false),
        "StringNotEquals" => (text(false, false), true),
        "StringEqualsIgnoreCase" => (text(true, false), false),
        "StringNotEqualsIgnoreCase" => (text(true, false), true),
        "StringLike" => (text(false, true), false),
        "StringNotLike" => (text(false, true), true),
        "ArnEquals" | "ArnLike" => (Test::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
        "NumericEquals" => (Test::Numeric(Order::Equal), false),
        "NumericNotEquals" => (Test::Numeric(Order::Equal), true),
        "NumericLessThan" => (Test::Numeric(Order::Less), false),
        "NumericLessThanEquals" => (Test::Numeric(Order::LessEqual), false),
        "NumericGreaterThan" => (Test::Numeric(Order::Greater), false),
        "NumericGreaterThanEquals" => (Test::Numeric(Order::GreaterEqual), false),
        "DateEquals" => (Test::Date(Order::Equal), false),
        "DateNotEquals" => (Test::Date(Order::Equal), true),
        "DateLessThan" => (Test::Date(Order::Less), false),
        "DateLessThanEquals" => (Test::Date(Order::LessEqual), false),
        "DateGreaterThan" => (Test::Date(Order::Greater), false),
        "DateGreaterThanEquals" => (Test::Date(Order::GreaterEqual), false),
        "Bool" => (Test::Bool, false),
        "BinaryEquals" => (Test::Binary, false),
        "IpAddress" => (Test::Ip, false),
        "NotIpAddress" => (Test::Ip, true),
        "Null" => (Test::Null, false),
        _ => return None,
    };
    Some(Operator { test, negated })
}

fn wanted(test: Test, text: &str, variables: bool) -> Option<Wanted> {
    Some(match test {
        Test::Text { wildcards, .. } => Wanted::Text(Pattern::compile(text, variables, wildcards)),
        Test::Arn => Wanted::Arn(arn_patterns(text, variables)),
        Test::Numeric(_) => Wanted::Number(text.trim().parse().ok()?),
        Test::Date(_) => Wanted::Instant(instant(text)?),
        Test::Bool | Test::Null => Wanted::Bool(flag(text)?),
        Test::Binary => Wanted::Bytes(STANDARD.decode(text).ok()?),
        Test::Ip => {
            let (address, prefix) = network(text)?;
            Wanted::Network(address, prefix)
        }
    })
}

fn compare(test: Test, wanted: &Wanted, value: &str, keys: &Keys) -> Match {
    let holds = match (test, wanted) {
        (Test::Text { ignore_case, .. }, Wanted::Text(pattern)) => {
            return pattern.matches(value, keys, ignore_case);
        }
        (Test::Arn, Wanted::Arn(patterns)) => return arn_matches(patterns, value, keys),
        (Test::Numeric(order), Wanted::Number(limit)) => {
            value.trim().parse::<f64>().is_ok_and(|number| ordered(order, number.partial_cmp(limit)))
        }
        (Test::Date(order), Wanted::Instant(limit)) => {
            instant(value).is_some_and(|at| ordered(order, at.partial_cmp(limit)))
        }
        (Test::Bool, Wanted::Bool(expected)) => flag(value) == Some(*expected),
        (Test::Binary, Wanted::Bytes(expected)) => {
            STANDARD.decode(value).is_ok_and(|bytes| bytes == *expected)
        }
        (Test::Ip, Wanted::Network(address, prefix)) => {
            value.parse().is_ok_and(|ip: IpAddr| within(ip, *address, *prefix))
        }
        _ => false,
    };
    if holds { Match::Yes } else { Match::No }
}

fn ordered(order: Order, found: Option<std::cmp::Ordering>) -> bool {
    found.is_some_and(|found| match order {
        Order::Equal => found.is_eq(),
        Order::Less => found.is_lt(),
        Order::LessEqual => found.is_le(),
        Order::Greater => found.is_gt(),
        Order::GreaterEqual => found.is_ge(),
    })
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// An ISO 8601 instant, a bare date, or seconds since 1970.
fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse() {
        return Timestamp::from_second(seconds).ok();
    }
    text.parse().ok().or_else(|| format!("{text}T00:00:00Z").parse().ok())
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Ok(whole), str::parse).ok()?;
    (prefix <= whole).then_some((address, prefix))
}

fn within(ip: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let same = |a: u128, b: u128, width: u32| {
        let shift = width - u32::from(prefix);
        shift == width || a >> shift == b >> shift
    };
    match (ip.to_canonical(), network.to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => prefix == 0 || same(a.into(), b.into(), 128),
        _ => false,
    }
}

/// The six parts of an ARN as patterns; parts left out count as `*`.
pub(crate) fn arn_patterns(text: &str, variables: bool) -> Vec<Pattern> {
    let mut parts = split_arn(text);
    parts.resize(6, "*");
    parts.into_iter().map(|part| Pattern::compile(part, variables, true)).collect()
}

/// Splits at the first five colons that are not inside a variable.
fn split_arn(text: &str) -> Vec<&str> {
    let mut parts = Vec::with_capacity(6);
    let (mut start, mut in_variable) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '$' if text[at..].starts_with("${") => in_variable = true,
            '}' => in_variable = false,
            ':' if !in_variable && parts.len() < 5 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Matches an ARN part by part, so that a wildcard never reaches over a colon of the first five parts.
pub(crate) fn arn_matches(patterns: &[Pattern], arn: &str, keys: &Keys) -> Match {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if parts.len() != patterns.len() {
        return Match::No;
    }
    let mut answer = Match::Yes;
    for (pattern, part) in patterns.iter().zip(parts) {
        match pattern.matches(part, keys, false) {
            Match::Yes => {}
            Match::No => return Match::No,
            Match::Unresolved => answer = Match::Unresolved,
        }
    }
    answer
}
