//! A role's trust, for those who hand out its sessions.

use std::sync::Arc;

use async_trait::async_trait;
use pagoda_policy::{Keys, Named};
use pagoda_protocol::ApiError;

/// What a session of a role is made from.
#[derive(Debug, Clone)]
pub struct Role {
    /// `arn:aws:iam::…:role/…`.
    pub arn: String,
    /// `AROA…`.
    pub id: String,
    /// The name without the path.
    pub name: String,
    /// Who may assume it.
    pub trust: Named,
    /// The longest session, in seconds.
    pub max_session_duration_seconds: i32,
    /// The role's tags as `aws:PrincipalTag/…` keys.
    pub tags: Keys,
}

/// Reads roles.
#[async_trait]
pub trait ReadRole: Send + Sync {
    /// The role with this ARN, if there is one.
    async fn role(&self, arn: &str) -> Result<Option<Arc<Role>>, ApiError>;
}
