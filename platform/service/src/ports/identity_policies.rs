//! The policies that are attached to a caller.

use std::sync::Arc;

use async_trait::async_trait;
use pagoda_policy::Named;
use pagoda_protocol::ApiError;

use crate::Caller;

/// A caller's own policies, compiled.
#[derive(Debug, Default)]
pub struct PoliciesOf {
    /// Inline and managed, of the user and its groups, or of the role.
    pub identity: Vec<Named>,
    /// The permissions boundary.
    pub boundary: Option<Named>,
}

/// Finds callers' policies. Called on every request: answers from memory once warm.
#[async_trait]
pub trait IdentityPolicies: Send + Sync {
    /// The policies of `caller`; none for root, services and anonymous callers.
    ///
    /// # Errors
    /// `InvalidClientTokenId` when the user or role no longer exists.
    async fn of(&self, caller: &Caller) -> Result<Arc<PoliciesOf>, ApiError>;
}
