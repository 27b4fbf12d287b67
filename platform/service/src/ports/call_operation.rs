//! Any operation of any service, called inside the process, with the same authorization as from outside.

use async_trait::async_trait;
use pagoda_protocol::ApiError;
use serde_json::Value;

use crate::Context;

/// Calls operations by name.
#[async_trait]
pub trait CallOperation: Send + Sync {
    /// Calls `operation` of `service` (by its signing name) as the caller of `cx`; input and output have
    /// the API model's member names.
    ///
    /// # Errors
    /// Those of the operation, and `AccessDenied…` when the caller may not.
    async fn call(
        &self,
        cx: &Context,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, ApiError>;
}
