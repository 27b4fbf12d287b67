//! JSONPath in the dialect of Jayway's library: the paths of API Gateway's templates and mappings.
//!
//! Invariants: pure (no I/O, no caller but its arguments); a path is read once and followed often; following
//! one ends, and visits no more values than [`VISITS_MAX`], whatever the path and the document are.
//!
//! Source: <https://github.com/json-path/JsonPath>; where it is silent, what its version 2.0 does
//! (`tests/jayway-2.0.jsonl`).

mod comparison;
mod cursor;
mod filter;
mod find;
mod function;
mod parse;
mod path;

pub use find::{Exhausted, VISITS_MAX};
pub use path::Path;

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid JSONPath expression '{path}': {reason}")]
pub struct Malformed {
    /// The text.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}
