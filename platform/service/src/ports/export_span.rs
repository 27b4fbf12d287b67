//! Spans, on their way to whoever collects them.

use crate::Span;

/// Exports spans.
pub trait ExportSpan: Send + Sync {
    /// Takes a span. It never waits: what there is no room for is lost.
    fn export(&self, span: Span);
}
