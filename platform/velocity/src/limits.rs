//! What a rendering may cost.

/// The most that one rendering takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rounds of one `#foreach`; it ends behind the last of them, as Velocity's do.
    pub iterations: usize,
    /// Parts of the template that are rendered, and expressions that are evaluated, over all rounds.
    pub steps: usize,
    /// Bytes of text, lists and maps that are made, over the whole rendering.
    pub memory_bytes: usize,
    /// Bytes of the result.
    pub output_bytes: usize,
    /// Macros, blocks and `#evaluate`d templates within each other.
    pub depth: usize,
}

impl Default for Limits {
    /// API Gateway's quotas for rounds (1,000) and payloads (10 MB); the others are ours.
    ///
    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
    fn default() -> Self {
        Self {
            iterations: 1_000,
            steps: 1_000_000,
            memory_bytes: 64 * 1024 * 1024,
            output_bytes: 10 * 1024 * 1024,
            depth: 20,
        }
    }
}
