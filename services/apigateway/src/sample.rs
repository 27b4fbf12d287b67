//! What can be made of a model: its schema without references, and a mapping template.

use serde_json::{Map, Value, json};

use crate::table::Model;

/// How deeply references are followed; what is below is left as it is.
const DEPTH_MAX: usize = 16;

/// Names of models end references to them:
/// `https://apigateway.amazonaws.com/restapis/{id}/models/{name}`.
pub(crate) fn referred(schema: &Map<String, Value>) -> Option<&str> {
    let target = schema.get("$ref")?.as_str()?;
    target.split_once("/models/").map(|(_, name)| name)
}

fn schema_of<'m>(name: &str, models: &'m [Model]) -> Option<&'m str> {
    models.iter().find(|model| model.name == name)?.schema.as_deref()
}

/// The schema with the models in it that it refers to.
pub(crate) fn flattened(schema: &Value, models: &[Model]) -> Value {
    flatten(schema, models, 0)
}

fn flatten(schema: &Value, models: &[Model], depth: usize) -> Value {
    match schema {
        Value::Object(fields) if depth < DEPTH_MAX => {
            let named = referred(fields).and_then(|name| schema_of(name, models));
            if let Some(named) = named.and_then(|schema| serde_json::from_str(schema).ok()) {
                return flatten(&named, models, depth + 1);
            }
            fields.iter().map(|(name, value)| (name.clone(), flatten(value, models, depth + 1))).collect()
        }
        Value::Array(items) => items.iter().map(|item| flatten(item, models, depth + 1)).collect(),
        other => other.clone(),
    }
}

/// A mapping template that passes on what the schema describes.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_GetModelTemplate.html>
pub(crate) fn template(schema: &Value, models: &[Model]) -> String {
    let schema = flattened(schema, models);
    let mut out = String::from("#set($inputRoot = $input.path('$'))\n");
    write(&mut out, &schema, "$inputRoot", 0);
    out
}

fn write(out: &mut String, schema: &Value, place: &str, depth: usize) {
    let indent = "  ".repeat(depth);
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => {
            let variable = format!("$elem{depth}");
            let none = json!({});
            out.push_str(&format!("[\n{indent}#foreach({variable} in {place})\n{indent}  "));
            write(out, schema.get("items").unwrap_or(&none), &variable, depth + 1);
            out.push_str(&format!("#if($foreach.hasNext),#end\n{indent}#end\n{indent}]"));
        }
        Some("string") => out.push_str(&format!("\"{place}\"")),
        Some("integer" | "number" | "boolean" | "null") => out.push_str(place),
        _ => {
            out.push('{');
            let fields = schema.get("properties").and_then(Value::as_object);
            for (at, (name, value)) in fields.into_iter().flatten().enumerate() {
                let separator = if at > 0 { "," } else { "" };
                out.push_str(&format!("{separator}\n{indent}  {} : ", json!(name)));
                write(out, value, &format!("{place}.{name}"), depth + 1);
            }
            out.push_str(&format!("\n{indent}}}"));
        }
    }
}
