//! The IAM policy language: parse, evaluate, explain.
//!
//! Invariants: pure (no I/O, no clock, no caller but its arguments); an explicit deny anywhere wins;
//! what no statement allows is denied; a document that AWS would not store does not parse; matching is
//! free of backtracking explosions.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

mod condition;
mod decide;
mod document;
mod keys;
mod pattern;
mod principal;
mod statement;
mod strict_json;

pub use decide::{Decision, Grant, Policies, Reason, Request, decide};
pub use document::{DOCUMENT_BYTES_MAX, Document, Kind, Malformed, Named};
pub use keys::Keys;
pub use principal::Principal;
pub use statement::Effect;
