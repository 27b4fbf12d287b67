//! Methods of numbers: those of `java.lang.Number`, and the parsers that templates reach through any number.

use std::cmp::Ordering;

use super::Called;
use crate::{RenderError, Value};

pub(super) fn call(value: &Value, name: &str, arguments: &[Value]) -> Called {
    let number = value.number().unwrap_or_default();
    Ok(match (name, arguments) {
        ("intValue" | "longValue", []) => Value::Whole(whole(value)),
        ("doubleValue" | "floatValue", []) => Value::Float(number),
        ("isNaN", []) => Value::Flag(number.is_nan()),
        ("compareTo", [other]) => {
            let other = other.number().ok_or_else(|| RenderError::method(name, "not a number"))?;
            Value::Whole(match number.partial_cmp(&other) {
                Some(Ordering::Less) => -1,
                Some(Ordering::Greater) => 1,
                _ => 0,
            })
        }
        ("parseInt" | "parseLong" | "parseDouble" | "valueOf", [Value::Text(text)]) => {
            parsed(value, name, text)?
        }
        ("valueOf", [given @ (Value::Whole(_) | Value::Float(_))]) => given.clone(),
        _ => Value::Null,
    })
}

/// Cut off at the point.
fn whole(value: &Value) -> i64 {
    match value {
        Value::Whole(whole) => *whole,
        // The cast saturates, as Java's does.
        other => other.number().unwrap_or_default() as i64,
    }
}

/// What a text stands for; `valueOf` makes the kind of number that it is called on.
fn parsed(value: &Value, name: &str, text: &str) -> Called {
    let is_float = name == "parseDouble" || (name == "valueOf" && matches!(value, Value::Float(_)));
    let read = if is_float {
        text.trim().parse().ok().map(Value::Float)
    } else {
        text.parse().ok().map(Value::Whole)
    };
    read.ok_or_else(|| RenderError::method(name, format!("For input string: \"{text}\"")))
}
