//! Records of an API's documentation.

use pagoda_base::Timestamp;
use serde::{Deserialize, Serialize};

/// Words about a part of an API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DocumentationPart {
    pub(crate) id: String,
    pub(crate) location: Location,
    /// A JSON object, as it was given.
    pub(crate) properties: String,
}

/// What the words are about. Where a kind of part has a field, it is filled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Location {
    /// As `DocumentationPartType` names it.
    pub(crate) kind: String,
    pub(crate) path: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) name: Option<String>,
}

/// All parts, as they were when the version was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DocumentationVersion {
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) parts: Vec<DocumentationPart>,
}
