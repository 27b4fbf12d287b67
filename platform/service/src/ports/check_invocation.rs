//! Whether a service may invoke a function, before it promises to.

use async_trait::async_trait;
use pagoda_protocol::ApiError;

use crate::Context;

/// Checks functions that are to be invoked later.
#[async_trait]
pub trait CheckInvocation: Send + Sync {
    /// Whether the function is there and lets the caller of `cx` invoke it on behalf of `source_arn`.
    ///
    /// # Errors
    /// `AccessDeniedException`, `ResourceNotFoundException`.
    async fn check(&self, cx: &Context, function_arn: &str, source_arn: &str) -> Result<(), ApiError>;
}
