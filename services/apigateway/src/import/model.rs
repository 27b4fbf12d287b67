//! From the schemas of a document to models.

use std::collections::BTreeMap;

use pagoda_base::{Random, ids};
use pagoda_protocol::ApiError;
use serde_json::{Map, Value};

use super::fields;
use crate::model::{ID_CHARS, check};
use crate::table::Model;

/// Where documents have their schemas.
const PLACES: [&str; 2] = ["#/definitions/", "#/components/schemas/"];

/// The models of an API while a document is read into it.
pub(super) struct Models {
    models: BTreeMap<String, Model>,
    /// Ids for new models, drawn ahead.
    random: Vec<String>,
    api: String,
}

impl Models {
    /// The document's named schemas and what is there, of which the document's count.
    pub(super) fn read(
        document: &Value,
        api: &str,
        present: Vec<Model>,
        random: &dyn Random,
    ) -> Result<Self, ApiError> {
        let schemas = document.get("definitions").or_else(|| document.pointer("/components/schemas"));
        let schemas = schemas.map(fields).transpose()?;
        let inline = schemas.map_or(0, Map::len) + count_inline(document);
        let mut models = Self {
            models: present.into_iter().map(|model| (model.name.clone(), model)).collect(),
            random: (0..inline).map(|_| ids::short_id(ID_CHARS, random)).collect(),
            api: api.to_owned(),
        };
        for (name, schema) in schemas.into_iter().flatten() {
            models.put(&alphanumeric(name), schema);
        }
        Ok(models)
    }

    /// The name of the model that a schema is, or refers to; what has no name is called after its place.
    pub(super) fn of(&mut self, schema: &Value, called: &str) -> Result<String, ApiError> {
        if let Some(name) = named(schema) {
            return Ok(name);
        }
        let name = alphanumeric(called);
        self.put(&name, schema);
        Ok(name)
    }

    fn put(&mut self, name: &str, schema: &Value) {
        let schema = format!("{:#}", self.referring(schema));
        let text = |field: &str| -> Option<String> {
            serde_json::from_str::<Value>(&schema).ok()?.get(field)?.as_str().map(str::to_owned)
        };
        let description = text("description");
        let id = match self.models.get(name) {
            Some(present) => present.id.clone(),
            None => self.random.pop().unwrap_or_else(|| name.to_ascii_lowercase()),
        };
        let model = Model {
            id,
            name: name.to_owned(),
            description,
            content_type: "application/json".into(),
            schema: Some(schema),
        };
        self.models.insert(name.to_owned(), model);
    }

    /// The schema with references to models, in the place of those within the document.
    fn referring(&self, schema: &Value) -> Value {
        match schema {
            Value::Object(fields) => {
                let field = |(name, value): (&String, &Value)| {
                    let target = (name == "$ref").then(|| named(schema)).flatten();
                    let value = match target {
                        Some(model) => {
                            format!("https://apigateway.amazonaws.com/restapis/{}/models/{model}", self.api)
                                .into()
                        }
                        None => self.referring(value),
                    };
                    (name.clone(), value)
                };
                Value::Object(fields.iter().map(field).collect())
            }
            Value::Array(items) => items.iter().map(|item| self.referring(item)).collect(),
            other => other.clone(),
        }
    }

    pub(super) fn done(self) -> Result<Vec<Model>, ApiError> {
        self.models.values().try_for_each(check)?;
        Ok(self.models.into_values().collect())
    }
}

/// The model that a schema refers to.
fn named(schema: &Value) -> Option<String> {
    let target = schema.get("$ref")?.as_str()?;
    PLACES.iter().find_map(|place| target.strip_prefix(place)).map(alphanumeric)
}

/// Names of models have letters and digits only.
fn alphanumeric(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// At least as many as there are schemas without names.
fn count_inline(document: &Value) -> usize {
    match document {
        Value::Object(fields) => {
            usize::from(fields.contains_key("schema")) + fields.values().map(count_inline).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(count_inline).sum(),
        _ => 0,
    }
}
