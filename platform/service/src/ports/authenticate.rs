//! The check of a request's signature, for services whose data plane decides itself whether it wants one.

use async_trait::async_trait;
use bytes::Bytes;
use pagoda_protocol::ApiError;

use crate::Caller;

/// Authenticates requests.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// The caller who signed the request for `service` (the name in the signature's scope); [`Caller::anonymous`] when nobody did.
    ///
    /// # Errors
    /// AWS's error for a signature that is wrong, expired, or made with an unknown key.
    async fn caller(
        &self,
        service: &'static str,
        parts: &http::request::Parts,
        body: &Bytes,
    ) -> Result<Caller, ApiError>;
}
