//! From JSON to a pattern.

use serde_json::{Map, Value};

use super::filter::{self, Filter};
use super::{Fields, Invalid, Node};

/// The field that holds alternatives.
const OR: &str = "$or";

pub(super) fn fields(object: &Map<String, Value>) -> Result<Fields, Invalid> {
    if object.is_empty() {
        return Err(Invalid("Empty objects are not allowed".into()));
    }
    let mut fields = Fields::default();
    for (name, value) in object {
        match value {
            Value::Array(items) if name == OR && is_alternatives(items) => {
                fields.alternatives.push(alternatives(items)?);
            }
            Value::Array(items) => fields.each.push((name.clone(), any_of(items)?)),
            Value::Object(object) => fields.each.push((name.clone(), Node::Fields(self::fields(object)?))),
            _ => return Err(Invalid(format!("\"{name}\" must be an object or an array"))),
        }
    }
    Ok(fields)
}

/// A field that is called `$or` and holds values is a field.
fn is_alternatives(items: &[Value]) -> bool {
    let is_pattern =
        |item: &Value| item.as_object().is_some_and(|one| !one.keys().any(|key| filter::is_known(key)));
    items.len() > 1 && items.iter().all(is_pattern)
}

fn alternatives(items: &[Value]) -> Result<Vec<Fields>, Invalid> {
    let objects = items.iter().filter_map(Value::as_object);
    objects.map(fields).collect()
}

fn any_of(items: &[Value]) -> Result<Node, Invalid> {
    if items.is_empty() {
        return Err(Invalid("Empty arrays are not allowed".into()));
    }
    items.iter().map(Filter::read).collect::<Result<_, _>>().map(Node::AnyOf)
}
