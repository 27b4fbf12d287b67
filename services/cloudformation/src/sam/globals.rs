//! Globals: properties that every resource of a kind has unless it says otherwise.

use serde_json::{Value, json};

use super::{TRANSFORM, check_properties};
use crate::template::{Checked, Invalid, Object, object};

/// The Globals section.
#[derive(Default)]
pub(crate) struct Globals {
    pub(crate) function: Object,
    pub(crate) api: Object,
    simple_table: Object,
}

impl Globals {
    pub(crate) fn read(section: Option<Value>) -> Checked<Self> {
        let Some(section) = section else { return Ok(Self::default()) };
        let kinds = object(&section, "'Globals' section is invalid: it must be a map")?;
        check_properties("Globals", kinds, &["Function", "Api", "SimpleTable"])?;
        let kind = |name: &str| match kinds.get(name) {
            None => Ok(Object::new()),
            Some(value) => object(
                value,
                &format!(
                    "Transform {TRANSFORM} failed with: 'Globals' section is invalid. {name} must be a map"
                ),
            )
            .cloned(),
        };
        Ok(Self { function: kind("Function")?, api: kind("Api")?, simple_table: kind("SimpleTable")? })
    }

    /// The properties of a resource over those of its kind: maps are merged, lists joined, scalars replaced.
    pub(crate) fn under(globals: &Object, resource: &Value) -> Checked<Object> {
        let own = resource.get("Properties").cloned().unwrap_or_else(|| json!({}));
        let mut globals = globals.clone();
        match resource.get("IgnoreGlobals") {
            None => {}
            Some(Value::Array(names)) => {
                globals.retain(|name, _| !names.iter().any(|ignored| ignored == name))
            }
            Some(all) if *all == "*" => globals.clear(),
            Some(_) => return Err(Invalid::new("IgnoreGlobals must be a list of properties, or '*'.")),
        }
        match merged(Value::Object(globals), own) {
            Value::Object(properties) => Ok(properties),
            _ => Err(Invalid::new("Template format error: Properties must be an object.")),
        }
    }

    pub(crate) fn simple_table(&self) -> &Object {
        &self.simple_table
    }
}

fn merged(global: Value, own: Value) -> Value {
    match (global, own) {
        (Value::Object(global), Value::Object(own)) if !is_function(&global) && !is_function(&own) => {
            let mut all = global;
            for (name, value) in own {
                let value = match all.remove(&name) {
                    Some(global) => merged(global, value),
                    None => value,
                };
                all.insert(name, value);
            }
            Value::Object(all)
        }
        (Value::Array(global), Value::Array(own)) => global.into_iter().chain(own).collect(),
        (_, own) => own,
    }
}

/// `{"Ref": …}` is a value, not a map.
fn is_function(fields: &Object) -> bool {
    fields.len() == 1 && fields.keys().all(|name| name == "Ref" || name.starts_with("Fn::"))
}
