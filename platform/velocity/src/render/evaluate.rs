//! The values of expressions.

use std::sync::Arc;

use super::{Rendered, Renderer};
use crate::syntax::{Expression, Literal, Operator};
use crate::{RenderError, Value};

impl Renderer<'_> {
    pub(super) fn evaluate(&mut self, expression: &Expression) -> Rendered<Value> {
        self.step()?;
        match expression {
            Expression::Literal(literal) => Ok(match literal {
                Literal::Flag(flag) => Value::Flag(*flag),
                Literal::Whole(whole) => Value::Whole(*whole),
                Literal::Float(float) => Value::Float(*float),
                Literal::Text(text) => Value::Text(Arc::clone(text)),
            }),
            Expression::Interpolated(program) => {
                Ok(Value::Text(self.apart(|inner| inner.block(&program.body))?.into()))
            }
            Expression::Reference(reference) => self.resolve(reference),
            Expression::List(items) => {
                let items = items.iter().map(|item| self.evaluate(item)).collect::<Result<_, _>>()?;
                self.heap.list(items)
            }
            Expression::Map(entries) => self.map(entries),
            Expression::Range(ends) => self.range(&ends.0, &ends.1),
            Expression::Not(inner) => Ok(Value::Flag(!self.holds(inner)?)),
            Expression::Negative(inner) => match self.evaluate(inner)? {
                Value::Whole(whole) => whole.checked_neg().map(Value::Whole).ok_or(RenderError::Overflow),
                Value::Float(float) => Ok(Value::Float(-float)),
                _ => Ok(Value::Null),
            },
            Expression::Binary(operator, sides) => self.binary(*operator, &sides.0, &sides.1),
        }
    }

    /// Whether `#if` lets pass. Texts, numbers, lists and maps that stand there themselves do not; as values
    /// of references they do, empty ones too.
    pub(super) fn holds(&mut self, condition: &Expression) -> Rendered<bool> {
        let value = self.evaluate(condition)?;
        Ok(match condition {
            Expression::Literal(_)
            | Expression::Interpolated(_)
            | Expression::List(_)
            | Expression::Map(_)
            | Expression::Range(_) => value == Value::Flag(true),
            _ => value.holds(),
        })
    }

    fn map(&mut self, entries: &[(Expression, Expression)]) -> Rendered<Value> {
        let mut read = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.evaluate(key)?;
            let key = self.text(&key)?;
            read.push((key, self.evaluate(value)?));
        }
        self.heap.map(read)
    }

    /// The whole numbers from one to another, both included, upwards or downwards.
    fn range(&mut self, first: &Expression, last: &Expression) -> Rendered<Value> {
        let (Value::Whole(first), Value::Whole(last)) = (self.evaluate(first)?, self.evaluate(last)?) else {
            return Ok(Value::Null);
        };
        let count = usize::try_from(first.abs_diff(last)).ok().and_then(|count| count.checked_add(1));
        let count = count.filter(|count| *count <= self.steps).ok_or(RenderError::Limit("steps"))?;
        self.steps -= count;
        self.heap.charge(count * size_of::<Value>())?;
        let items: Vec<Value> = if first <= last {
            (first..=last).map(Value::Whole).collect()
        } else {
            (last..=first).rev().map(Value::Whole).collect()
        };
        self.heap.list(items)
    }

    fn binary(&mut self, operator: Operator, left: &Expression, right: &Expression) -> Rendered<Value> {
        match operator {
            Operator::Or => return Ok(Value::Flag(self.holds(left)? || self.holds(right)?)),
            Operator::And => return Ok(Value::Flag(self.holds(left)? && self.holds(right)?)),
            _ => {}
        }
        let (a, b) = (self.evaluate(left)?, self.evaluate(right)?);
        match operator {
            Operator::Equal => Ok(Value::Flag(self.equal(&a, &b)?)),
            Operator::NotEqual => Ok(Value::Flag(!self.equal(&a, &b)?)),
            Operator::Less | Operator::AtMost | Operator::Greater | Operator::AtLeast => {
                Ok(Value::Flag(compare(operator, &a, &b)))
            }
            Operator::Add if a.as_text().or(b.as_text()).is_some() => {
                let (a, b) = (self.side(left, &a)?, self.side(right, &b)?);
                self.heap.text([&*a, &*b].concat())
            }
            _ => super::arithmetic::apply(operator, &a, &b),
        }
    }

    /// One side of two texts that are joined; without a value, the reference as it was written.
    fn side(&mut self, expression: &Expression, value: &Value) -> Rendered<Arc<str>> {
        match expression {
            Expression::Reference(reference) if *value == Value::Null => Ok(self.source(reference)),
            _ => self.text(value),
        }
    }

    /// Numbers are equal by their worth, and whatever is not of one kind by what it prints.
    fn equal(&mut self, a: &Value, b: &Value) -> Rendered<bool> {
        if *a == Value::Null || *b == Value::Null {
            return Ok(a == b);
        }
        if let (Some(a), Some(b)) = (a.number(), b.number()) {
            return Ok(a == b);
        }
        match (a, b) {
            (Value::Text(a), Value::Text(b)) => Ok(a == b),
            (Value::Flag(a), Value::Flag(b)) => Ok(a == b),
            _ => Ok(self.text(a)? == self.text(b)?),
        }
    }
}

/// Only numbers have an order.
fn compare(operator: Operator, a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.number(), b.number()) else { return false };
    match operator {
        Operator::Less => a < b,
        Operator::AtMost => a <= b,
        Operator::Greater => a > b,
        _ => a >= b,
    }
}
