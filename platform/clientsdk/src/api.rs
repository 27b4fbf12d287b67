//! What an SDK is made from.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// A deployed API.
#[derive(Debug, Clone, Default)]
pub struct Api {
    /// The API's name.
    pub name: String,
    /// The API's version, or where it has none the time of its deployment.
    pub version: String,
    /// The stage that the SDK calls.
    pub stage: String,
    /// Where the stage is served: `https://…`, without a slash at its end.
    pub endpoint: String,
    /// The region for which calls are signed.
    pub region: String,
    /// All operations.
    pub operations: Vec<Operation>,
    /// JSON schemas by the models' names.
    pub models: BTreeMap<String, Value>,
}

/// A method of a resource.
#[derive(Debug, Clone, Default)]
pub struct Operation {
    /// The operation's own name, if it has one.
    pub name: Option<String>,
    /// The verb; `ANY` is none that a client could send, and so has no method.
    pub verb: String,
    /// The resource's path, such as `/pets/{petId}`.
    pub path: String,
    /// What a request may bear besides its body. The path's variables need not be among them.
    pub parameters: Vec<Parameter>,
    /// The model of the request's body.
    pub body: Option<String>,
    /// The model of the answer's body.
    pub result: Option<String>,
    /// Whether calls are signed.
    pub is_signed: bool,
    /// Whether calls bear an API key.
    pub needs_key: bool,
}

/// A parameter of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the request.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Whether there is no request without it.
    pub is_required: bool,
}

/// Where a parameter stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A variable of the path.
    Path,
    /// The query string.
    Query,
    /// A header.
    Header,
}
