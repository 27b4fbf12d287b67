//! What is wrong with a template, or went wrong while it was rendered.

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line}, column {column}")]
pub struct SyntaxError {
    /// What was found, or missed.
    pub message: String,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
}

/// Why a template has no output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A method was called with what it cannot take, such as an index beyond the end of a list.
    #[error("Invocation of method '{method}' failed: {reason}")]
    Method {
        /// The method's name.
        method: String,
        /// What it could not take.
        reason: String,
    },
    /// A number does not fit into 64 bits.
    #[error("Arithmetic overflow")]
    Overflow,
    /// A text under `#evaluate`, or in double quotes, that is no template.
    #[error("{0}")]
    Syntax(#[from] SyntaxError),
    /// More of something than the limits allow.
    #[error("The template exceeds its limit of {0}")]
    Limit(&'static str),
}

impl RenderError {
    pub(crate) fn method(method: &str, reason: impl Into<String>) -> Self {
        Self::Method { method: method.to_owned(), reason: reason.into() }
    }
}
