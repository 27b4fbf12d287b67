//! From JSON schemas to types.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde_json::Value;

use crate::name;

/// How deeply schemas are followed; what is below is of any type.
const DEPTH_MAX: usize = 16;

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub(crate) enum Type {
    Text,
    Whole,
    Number,
    Flag,
    /// A list of values of one type.
    List {
        of: Box<Type>,
    },
    /// A class of the SDK.
    Model {
        name: String,
    },
    /// Whatever JSON can say.
    Any,
}

/// A class of the SDK.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
}

/// A field of a class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Field {
    /// As JSON has it.
    pub(crate) wire: String,
    /// In camel case; unique within its class.
    pub(crate) camel: String,
    /// In snake case; unique within its class.
    pub(crate) snake: String,
    #[serde(rename = "type")]
    pub(crate) of: Type,
}

/// The classes for an API's models, and the type of each model.
#[derive(Default)]
pub(crate) struct Classes {
    pub(crate) classes: Vec<Class>,
    types: BTreeMap<String, Type>,
    taken: HashSet<String>,
}

impl Classes {
    /// `taken`: names that other classes of the SDK have, in lower case.
    pub(crate) fn of(models: &BTreeMap<String, Value>, taken: HashSet<String>) -> Self {
        let mut classes = Self { taken, ..Self::default() };
        // Names first, so that models may refer to each other.
        for (model, schema) in models {
            let of = match has_fields(schema) {
                true => Type::Model { name: name::unique(name::pascal(model), &mut classes.taken) },
                false => Type::Any,
            };
            classes.types.insert(model.clone(), of);
        }
        for (model, schema) in models {
            match classes.types.get(model).cloned() {
                Some(Type::Model { name }) => classes.add(&name, schema, 0),
                _ => {
                    let of = classes.read(schema, model, 0);
                    classes.types.insert(model.clone(), of);
                }
            }
        }
        classes
    }

    /// The type of a model; of any, if there is no such model.
    pub(crate) fn model(&self, name: &str) -> Type {
        self.types.get(name).cloned().unwrap_or(Type::Any)
    }

    fn add(&mut self, name: &str, schema: &Value, depth: usize) {
        let (mut camels, mut snakes) = (HashSet::new(), HashSet::new());
        let mut fields = Vec::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (wire, property) in properties.into_iter().flatten() {
            let of = self.read(property, &format!("{name} {wire}"), depth + 1);
            fields.push(Field {
                wire: wire.clone(),
                camel: name::unique(name::camel(wire), &mut camels),
                snake: name::unique(name::snake(wire), &mut snakes),
                of,
            });
        }
        self.classes.push(Class { name: name.to_owned(), fields });
    }

    fn read(&mut self, schema: &Value, called: &str, depth: usize) -> Type {
        if depth > DEPTH_MAX {
            return Type::Any;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return self.model(target.rsplit('/').next().unwrap_or_default());
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("string") => Type::Text,
            Some("integer") => Type::Whole,
            Some("number") => Type::Number,
            Some("boolean") => Type::Flag,
            Some("array") => {
                let items = schema.get("items").filter(|items| items.is_object());
                let of =
                    items.map_or(Type::Any, |items| self.read(items, &format!("{called} item"), depth + 1));
                Type::List { of: Box::new(of) }
            }
            _ if has_fields(schema) => {
                let name = name::unique(name::pascal(called), &mut self.taken);
                self.add(&name, schema, depth);
                Type::Model { name }
            }
            _ => Type::Any,
        }
    }
}

fn has_fields(schema: &Value) -> bool {
    schema.get("properties").and_then(Value::as_object).is_some_and(|fields| !fields.is_empty())
}
