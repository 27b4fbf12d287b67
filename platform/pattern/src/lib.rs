//! The event pattern language: which events a rule or a filter is for.
//!
//! Invariants: pure (no I/O, no caller but its arguments); a pattern that AWS would not store does not
//! parse; matching takes time in proportion to the pattern times the event, whatever either says (nothing
//! backtracks).
//!
//! EventBridge compares numbers as they were written. Events are read before they come here, so `3.0e2` is
//! `300.0`; `300` and `300.0` differ, as they do there.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html> and
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>

mod cidr;
mod numeric;
mod parse;
mod rule;
mod text;
mod tree;

use serde_json::Value;

/// An event pattern that was found to be well-formed.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    root: tree::Fields,
}

/// Why a text is not an event pattern, in EventBridge's words.
///
/// Its callers put `Event pattern is not valid. Reason: ` or their own sentence in front.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub(crate) String);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong at which field.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let value = serde_json::from_str(text).map_err(|cause| Malformed(format!("{cause}")))?;
        Self::from_value(&value)
    }

    /// The pattern that a JSON value is.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong at which field.
    pub fn from_value(value: &Value) -> Result<Self, Malformed> {
        parse::pattern(value).map(|root| Self { root })
    }

    /// Whether the event is one of those that the pattern describes.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        self.root.matches(Some(event))
    }
}
