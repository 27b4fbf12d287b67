//! Cross-origin rules of a service's resources, which the front door applies: a preflight request is no
//! operation of any model, and carries no signature.

use async_trait::async_trait;
use http::HeaderMap;
use http::request::Parts;
use pagoda_protocol::{ApiError, Body};

/// Answers browsers' questions.
#[async_trait]
pub trait CrossOrigin: Send + Sync {
    /// The answer to an OPTIONS request for `path`, which names the bucket first.
    ///
    /// # Errors
    /// `AccessForbidden` when no rule lets the origin in.
    async fn preflight(&self, path: &str, headers: &HeaderMap) -> Result<http::Response<Body>, ApiError>;

    /// Adds the headers by which the answer to `request` is shown to its page, where a rule fits.
    async fn add(&self, path: &str, request: &Parts, answer: &mut HeaderMap);
}
