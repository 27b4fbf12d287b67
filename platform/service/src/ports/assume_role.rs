//! A role's session, for a service that acts with the role.

use async_trait::async_trait;
use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use zeroize::Zeroizing;

use crate::Context;

/// Temporary credentials.
#[derive(Clone)]
pub struct SessionCredentials {
    /// `ASIA…`.
    pub access_key_id: String,
    /// The secret to sign with.
    pub secret_access_key: Zeroizing<String>,
    /// The sealed token that must accompany the key.
    pub session_token: String,
    /// When they end.
    pub expiration: Timestamp,
}

/// Hands out sessions of roles to services of the platform.
#[async_trait]
pub trait AssumeRole: Send + Sync {
    /// A session of `role_arn` for `service` (such as `lambda.amazonaws.com`), if the role trusts it.
    ///
    /// # Errors
    /// `AccessDenied` when the role does not exist or does not trust the service.
    async fn assume(
        &self,
        cx: &Context,
        service: &str,
        role_arn: &str,
        session_name: &str,
        duration_seconds: i32,
    ) -> Result<SessionCredentials, ApiError>;
}
