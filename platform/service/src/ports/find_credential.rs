//! From an access key id to the secret it was given with and the caller it stands for.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::Caller;

/// An access key in force.
#[derive(Clone)]
pub struct Credential {
    /// The secret that signatures are made with.
    pub secret: Zeroizing<String>,
    /// Whom the key stands for.
    pub caller: Caller,
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCredential {
    /// Nobody has this key, or it is inactive.
    #[error("The security token included in the request is invalid.")]
    Unknown,
    /// The session is over.
    #[error("The security token included in the request is expired")]
    Expired,
    /// The store did not answer.
    #[error("the credentials cannot be read now")]
    Unavailable,
}

/// Looks access keys up.
#[async_trait]
pub trait FindCredential: Send + Sync {
    /// The credential that `access_key_id`, with its session token if it is a temporary one, names.
    async fn find(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
    ) -> Result<Credential, NoCredential>;
}
