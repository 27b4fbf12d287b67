//! Numbers with numbers.

use super::Rendered;
use crate::syntax::Operator;
use crate::{RenderError, Value};

/// The result; nothing where a side is no number, or where whole numbers are divided by zero.
pub(super) fn apply(operator: Operator, a: &Value, b: &Value) -> Rendered<Value> {
    if let (Value::Whole(a), Value::Whole(b)) = (a, b) {
        return whole(operator, *a, *b);
    }
    let (Some(a), Some(b)) = (a.number(), b.number()) else { return Ok(Value::Null) };
    Ok(match operator {
        Operator::Add => Value::Float(a + b),
        Operator::Subtract => Value::Float(a - b),
        Operator::Multiply => Value::Float(a * b),
        Operator::Divide if b != 0.0 => Value::Float(a / b),
        Operator::Remainder if b != 0.0 => Value::Float(a % b),
        _ => Value::Null,
    })
}

fn whole(operator: Operator, a: i64, b: i64) -> Rendered<Value> {
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide | Operator::Remainder if b == 0 => return Ok(Value::Null),
        Operator::Divide => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    result.map(Value::Whole).ok_or(RenderError::Overflow)
}
