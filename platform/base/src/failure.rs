//! Errors that are nobody's request's fault.

/// Something inside broke. The caller learns no more than that; the log gets the text.
pub trait Failure: std::error::Error {
    /// Whether the same request may succeed when it is tried again.
    fn is_passing(&self) -> bool;
}
