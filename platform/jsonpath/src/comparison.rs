//! Comparisons between two values of a filter.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Value;

use crate::cursor::Cursor;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Matches,
    In,
    NotIn,
    Contains,
    All,
    Size,
    Empty,
    SubsetOf,
    AnyOf,
    NoneOf,
}

/// Of two that begin alike the longer one comes first.
const SYMBOLS: [(&str, Comparison); 17] = [
    ("===", Comparison::Equal),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("=~", Comparison::Matches),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("in", Comparison::In),
    ("nin", Comparison::NotIn),
    ("contains", Comparison::Contains),
    ("all", Comparison::All),
    ("size", Comparison::Size),
    ("empty", Comparison::Empty),
    ("subsetof", Comparison::SubsetOf),
    ("anyof", Comparison::AnyOf),
    ("noneof", Comparison::NoneOf),
];

impl Comparison {
    /// Passes a symbol, or a word with a blank or a bracket behind it.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let rest = cursor.rest();
        let is_whole = |symbol: &str| {
            let is_word = symbol.starts_with(|c: char| c.is_ascii_alphabetic());
            !is_word || rest[symbol.len()..].starts_with(|c: char| c.is_whitespace() || c == '[')
        };
        let lower = rest.get(..8).unwrap_or(rest).to_ascii_lowercase();
        let (symbol, comparison) =
            SYMBOLS.iter().find(|(symbol, _)| lower.starts_with(symbol) && is_whole(symbol))?;
        // The word as it was written has the length of the symbol.
        cursor.skip(symbol.len());
        Some(*comparison)
    }

    /// Whether a text, or a number as text, is of a pattern.
    pub(crate) fn matches(self, left: Option<&Value>, pattern: &Regex) -> bool {
        self == Self::Matches
            && match left {
                Some(Value::String(text)) => pattern.is_match(text),
                Some(number @ Value::Number(_)) => pattern.is_match(&number.to_string()),
                _ => false,
            }
    }

    /// Whether it holds between two values, either of which may be missing.
    pub(crate) fn holds(self, left: Option<&Value>, right: Option<&Value>) -> bool {
        let items = |value: Option<&Value>| value.and_then(Value::as_array).cloned();
        match self {
            Self::Equal => equal(left, right),
            Self::NotEqual => !equal(left, right),
            Self::Less => order(left, right).is_some_and(Ordering::is_lt),
            Self::AtMost => order(left, right).is_some_and(Ordering::is_le),
            Self::Greater => order(left, right).is_some_and(Ordering::is_gt),
            Self::AtLeast => order(left, right).is_some_and(Ordering::is_ge),
            Self::In => has(right, left),
            Self::NotIn => right.is_some_and(Value::is_array) && !has(right, left),
            Self::Contains => match (left, right) {
                (Some(Value::String(text)), Some(Value::String(part))) => text.contains(part.as_str()),
                _ => has(left, right),
            },
            Self::All => items(right).is_some_and(|wanted| wanted.iter().all(|one| has(left, Some(one)))),
            Self::SubsetOf => items(left).is_some_and(|own| own.iter().all(|one| has(right, Some(one)))),
            Self::AnyOf => items(left).is_some_and(|own| own.iter().any(|one| has(right, Some(one)))),
            Self::NoneOf => items(left).is_some_and(|own| !own.iter().any(|one| has(right, Some(one)))),
            Self::Size => length(left).is_some() && length(left) == right.and_then(Value::as_u64),
            Self::Empty => {
                length(left).is_some_and(|length| Some(length == 0) == right.and_then(Value::as_bool))
            }
            Self::Matches => false,
        }
    }
}

fn length(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Array(items) => Some(items.len() as u64),
        Value::String(text) => Some(text.encode_utf16().count() as u64),
        _ => None,
    }
}

/// Numbers are equal by their worth; what is missing equals nothing.
fn equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a == b || a.as_f64() == b.as_f64(),
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

fn has(list: Option<&Value>, wanted: Option<&Value>) -> bool {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.into_iter().any(|item| equal(Some(item), wanted))
}

/// Only numbers, and texts, have an order.
fn order(left: Option<&Value>, right: Option<&Value>) -> Option<Ordering> {
    match (left?, right?) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
