//! Methods of lists: those of `java.util.List`.

use super::{Called, equals, index, position};
use crate::value::ListId;
use crate::{Heap, RenderError, Value};

pub(super) fn call(heap: &mut Heap, list: ListId, name: &str, arguments: &[Value]) -> Called {
    let length = heap.items(list).len();
    match (name, arguments) {
        ("size", []) => Ok(Value::from(length)),
        ("isEmpty", []) => Ok(Value::Flag(length == 0)),
        ("get", [at]) => Ok(heap.items(list)[present(name, at, length)?].clone()),
        ("set", [at, value]) => {
            let at = present(name, at, length)?;
            Ok(std::mem::replace(&mut heap.items_mut(list)[at], value.clone()))
        }
        ("add", [value]) => {
            heap.grown(list)?.push(value.clone());
            Ok(Value::Flag(true))
        }
        ("add", [at, value]) => {
            let at = index(name, at, length)?;
            heap.grown(list)?.insert(at, value.clone());
            Ok(Value::Null)
        }
        ("addAll", [Value::List(others)]) => {
            let others = heap.items(*others).to_vec();
            for other in &others {
                heap.grown(list)?.push(other.clone());
            }
            Ok(Value::Flag(!others.is_empty()))
        }
        ("remove", [at @ Value::Whole(_)]) => {
            let at = present(name, at, length)?;
            Ok(heap.items_mut(list).remove(at))
        }
        ("remove", [value]) => {
            let items = heap.items(list).to_vec();
            let found = position(heap, &items, value)?;
            if let Some(at) = found {
                heap.items_mut(list).remove(at);
            }
            Ok(Value::Flag(found.is_some()))
        }
        ("clear", []) => {
            heap.items_mut(list).clear();
            Ok(Value::Null)
        }
        ("contains", [value]) => Ok(Value::Flag(find(heap, list, value, false)?.is_some())),
        ("containsAll", [Value::List(others)]) => {
            for other in heap.items(*others).to_vec() {
                if find(heap, list, &other, false)?.is_none() {
                    return Ok(Value::Flag(false));
                }
            }
            Ok(Value::Flag(true))
        }
        ("indexOf", [value]) => Ok(place(find(heap, list, value, false)?)),
        ("lastIndexOf", [value]) => Ok(place(find(heap, list, value, true)?)),
        ("subList", [from, to]) => {
            let (from, to) = (index(name, from, length)?, index(name, to, length)?);
            let items = heap.items(list).get(from..to).map(<[Value]>::to_vec);
            heap.list(items.ok_or_else(|| RenderError::method(name, format!("{from} is behind {to}")))?)
        }
        _ => Ok(Value::Null),
    }
}

/// The place of an item that there is.
fn present(method: &str, at: &Value, length: usize) -> Result<usize, RenderError> {
    let at = index(method, at, length)?;
    match at < length {
        true => Ok(at),
        false => Err(RenderError::method(method, format!("Index: {at}, Size: {length}"))),
    }
}

fn find(
    heap: &mut Heap,
    list: ListId,
    value: &Value,
    from_the_end: bool,
) -> Result<Option<usize>, RenderError> {
    let items = heap.items(list).to_vec();
    heap.charge(items.len())?;
    if !from_the_end {
        return position(heap, &items, value);
    }
    for (at, item) in items.iter().enumerate().rev() {
        if equals(heap, item, value)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// As Java says that there is none: -1.
fn place(found: Option<usize>) -> Value {
    found.map_or(Value::Whole(-1), Value::from)
}
