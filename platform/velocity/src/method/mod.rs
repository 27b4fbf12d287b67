//! The methods of values: those of Java's classes that templates use.
//!
//! A method that a value hasn't got has no value, so that its call is printed as it was written.

mod list;
mod map;
mod number;
mod text;

use std::sync::Arc;

use crate::{Heap, RenderError, Value};

type Called = Result<Value, RenderError>;

pub(crate) fn call(heap: &mut Heap, value: &Value, name: &str, arguments: &[Value]) -> Called {
    match (value, name, arguments) {
        (Value::Null | Value::Host(_) | Value::Loop(_) | Value::Block(_), ..) => Ok(Value::Null),
        (_, "toString", []) => Ok(Value::from(heap.print(value)?)),
        (_, "equals", [other]) => equals(heap, value, other).map(Value::Flag),
        (Value::Text(of), ..) => text::call(heap, of, name, arguments),
        (Value::List(list), ..) => list::call(heap, *list, name, arguments),
        (Value::Map(map), ..) => map::call(heap, *map, name, arguments),
        (Value::Entry(pair), "getKey", []) => Ok(heap.items(*pair)[0].clone()),
        (Value::Entry(pair), "getValue", []) => Ok(heap.items(*pair)[1].clone()),
        (Value::Flag(_), "booleanValue", []) => Ok(value.clone()),
        (Value::Whole(_) | Value::Float(_), ..) => number::call(value, name, arguments),
        _ => Ok(Value::Null),
    }
}

/// As Java's `equals`: values of different kinds never are.
fn equals(heap: &mut Heap, a: &Value, b: &Value) -> Result<bool, RenderError> {
    let is_nested = |value: &Value| matches!(value, Value::List(_) | Value::Map(_) | Value::Entry(_));
    if a == b {
        return Ok(true);
    }
    Ok(is_nested(a) && is_nested(b) && heap.to_json(a)? == heap.to_json(b)?)
}

/// Whether a list or the values of a map have a value.
fn position(heap: &mut Heap, items: &[Value], wanted: &Value) -> Result<Option<usize>, RenderError> {
    for (at, item) in items.iter().enumerate() {
        if equals(heap, item, wanted)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// An argument as a key, which is a text here.
fn key(heap: &mut Heap, argument: &Value) -> Result<Arc<str>, RenderError> {
    match argument {
        Value::Text(text) => Ok(Arc::clone(text)),
        other => Ok(heap.print(other)?.into()),
    }
}

/// An argument as a place in something of this length.
fn index(method: &str, argument: &Value, length: usize) -> Result<usize, RenderError> {
    let Value::Whole(whole) = argument else {
        return Err(RenderError::method(method, "the index is no whole number"));
    };
    usize::try_from(*whole)
        .ok()
        .filter(|at| *at <= length)
        .ok_or_else(|| RenderError::method(method, format!("Index: {whole}, Size: {length}")))
}
