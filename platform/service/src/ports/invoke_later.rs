//! The asynchronous invocation of a function.

use async_trait::async_trait;
use pagoda_protocol::ApiError;

use super::Invocation;
use crate::Context;

/// Puts events into functions' queues.
#[async_trait]
pub trait InvokeLater: Send + Sync {
    /// Queues an invocation as the caller of `cx`, who needs `lambda:InvokeFunction` from its own or the
    /// function's policy. The event is durable when this answers.
    ///
    /// # Errors
    /// `AccessDeniedException`, `ResourceNotFoundException`, `RequestTooLargeException`, and what may pass.
    async fn enqueue(&self, cx: &Context, invocation: Invocation) -> Result<(), ApiError>;
}
