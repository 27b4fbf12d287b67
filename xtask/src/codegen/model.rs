//! The reduced interface model of a service, as models/ keeps it: botocore's own form without its texts.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Outcome;

/// A service's model.
#[derive(Deserialize)]
pub(crate) struct Model {
    pub(crate) metadata: Metadata,
    pub(crate) operations: Ordered<Operation>,
    pub(crate) shapes: Ordered<Shape>,
}

/// Names and values in the order of the file.
pub(crate) struct Ordered<T>(pub(crate) Vec<(String, T)>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) api_version: String,
    pub(crate) endpoint_prefix: String,
    pub(crate) signing_name: Option<String>,
    pub(crate) protocols: Vec<String>,
    pub(crate) json_version: Option<String>,
    pub(crate) target_prefix: Option<String>,
    pub(crate) xml_namespace: Option<Namespace>,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub(crate) enum Namespace {
    Uri(String),
    Prefixed { prefix: Option<String>, uri: String },
}

#[derive(Deserialize)]
pub(crate) struct Operation {
    pub(crate) http: Http,
    pub(crate) input: Option<Reference>,
    pub(crate) output: Option<Reference>,
    #[serde(default)]
    pub(crate) errors: Vec<Reference>,
    #[serde(default)]
    pub(crate) deprecated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Http {
    pub(crate) method: String,
    pub(crate) request_uri: String,
    pub(crate) response_code: Option<u16>,
}

/// The use of a shape by an operation, a structure, a list or a map.
#[derive(Deserialize, Clone, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Reference {
    pub(crate) shape: String,
    pub(crate) location: Option<String>,
    pub(crate) location_name: Option<String>,
    pub(crate) flattened: bool,
    pub(crate) streaming: bool,
    pub(crate) xml_attribute: bool,
    pub(crate) xml_namespace: Option<Namespace>,
    pub(crate) timestamp_format: Option<String>,
    pub(crate) result_wrapper: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) members: Ordered<Reference>,
    pub(crate) required: Vec<String>,
    pub(crate) payload: Option<String>,
    pub(crate) member: Option<Reference>,
    pub(crate) key: Option<Reference>,
    pub(crate) value: Option<Reference>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) pattern: Option<String>,
    #[serde(rename = "enum")]
    pub(crate) values: Vec<String>,
    pub(crate) flattened: bool,
    pub(crate) streaming: bool,
    pub(crate) sensitive: bool,
    pub(crate) union: bool,
    pub(crate) document: bool,
    pub(crate) eventstream: bool,
    pub(crate) fault: bool,
    pub(crate) error: Option<ErrorFacts>,
    pub(crate) xml_namespace: Option<Namespace>,
    pub(crate) timestamp_format: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorFacts {
    pub(crate) code: Option<String>,
    pub(crate) http_status_code: Option<u16>,
}

impl Model {
    /// Reads the model at `path`.
    pub(crate) fn load(path: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Makes the enumerations `names` plain text.
    pub(crate) fn open(&mut self, names: &BTreeSet<String>) -> Outcome {
        for name in names {
            let shape = self.shapes.0.iter_mut().find(|(known, _)| known == name);
            let (_, shape) = shape.ok_or_else(|| format!("open: the model has no shape {name}"))?;
            shape.values.clear();
        }
        Ok(())
    }

    /// The shape `name`, which every reference of a sound model has.
    pub(crate) fn shape(&self, name: &str) -> &Shape {
        self.shapes.get(name).expect("a model's references name shapes that it has")
    }
}

impl Shape {
    /// The name of an exception's message, where the model gives it one. The rest have it on the wire
    /// all the same.
    pub(crate) fn message(&self) -> Option<&str> {
        let mut names = self.members.0.iter().map(|(name, _)| name.as_str());
        names.find(|name| ["message", "Message", "errorMessage"].contains(name))
    }
}

impl<T> Ordered<T> {
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Map::<String, Value>::deserialize(deserializer)?;
        let typed = entries.into_iter().map(|(key, value)| Ok((key, serde_json::from_value(value)?)));
        typed.collect::<Result<_, serde_json::Error>>().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Namespace {
    /// The prefix, which may be empty, and the URI.
    pub(crate) fn parts(&self) -> (&str, &str) {
        match self {
            Self::Uri(uri) => ("", uri),
            Self::Prefixed { prefix, uri } => (prefix.as_deref().unwrap_or(""), uri),
        }
    }
}
