//! The synchronous invocation of a function.

use async_trait::async_trait;
use bytes::Bytes;
use pagoda_protocol::ApiError;

use crate::Context;

/// What to invoke, and with what.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function's ARN, with or without a qualifier.
    pub function_arn: String,
    /// The event, JSON of at most 6 MB.
    pub payload: Bytes,
    /// The ARN of the resource on whose behalf the caller invokes (`aws:SourceArn`).
    pub source_arn: Option<String>,
}

/// What a function answered.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The answer, or the error document.
    pub payload: Bytes,
    /// Set when the function failed.
    pub function_error: Option<FunctionError>,
    /// The version that ran, such as `$LATEST`.
    pub executed_version: String,
    /// The last 4 KB of the invocation's log.
    pub log_tail: Bytes,
}

/// How a function failed, as the `X-Amz-Function-Error` header says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionError {
    /// Every failure of a function reads `Unhandled` today.
    Unhandled,
}

impl FunctionError {
    /// The header's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unhandled => "Unhandled",
        }
    }
}

/// Invokes functions.
#[async_trait]
pub trait InvokeFunction: Send + Sync {
    /// Invokes as the caller of `cx`, who needs `lambda:InvokeFunction` from its own or the function's policy.
    ///
    /// # Errors
    /// `AccessDeniedException`, `ResourceNotFoundException`, `TooManyRequestsException`, …; a function's own
    /// failure is no error here but [`Invoked::function_error`].
    async fn invoke(&self, cx: &Context, invocation: Invocation) -> Result<Invoked, ApiError>;
}
