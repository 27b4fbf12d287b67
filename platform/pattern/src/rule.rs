//! What one rule of a leaf says about the field's values.

use std::net::IpAddr;

use serde_json::{Number, Value};

use crate::cidr::Block;
use crate::numeric::Range;
use crate::text::Text;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rule {
    Exact(Value),
    Text(Text),
    /// Any value but those that one of these matches.
    AnythingBut(Vec<Rule>),
    Numeric(Range),
    Exists(bool),
    Cidr(Block),
}

impl Rule {
    /// Whether one of the values matches; for `exists`, whether there are any.
    pub(crate) fn matches(&self, leaves: &[&Value]) -> bool {
        match self {
            Self::Exists(wanted) => *wanted != leaves.is_empty(),
            rule => leaves.iter().any(|leaf| rule.matches_leaf(leaf)),
        }
    }

    fn matches_leaf(&self, leaf: &Value) -> bool {
        match (self, leaf) {
            (Self::Exact(wanted), leaf) => wanted == leaf,
            (Self::Text(wanted), Value::String(text)) => wanted.matches(text),
            (Self::AnythingBut(unwanted), leaf) => !unwanted.iter().any(|rule| rule.matches_leaf(leaf)),
            (Self::Numeric(range), Value::Number(number)) => number.as_f64().is_some_and(|n| range.has(n)),
            (Self::Cidr(block), Value::String(text)) => {
                text.parse::<IpAddr>().is_ok_and(|address| block.has(address))
            }
            _ => false,
        }
    }

    /// The rule for a number that must be equal.
    pub(crate) fn number(number: &Number) -> Self {
        Self::Exact(Value::Number(number.clone()))
    }

    /// The rule for a text that must be equal.
    pub(crate) fn text(text: &str) -> Self {
        Self::Exact(Value::String(text.to_owned()))
    }
}
