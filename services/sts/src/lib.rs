//! AWS STS: who a caller is, and temporary credentials for roles.
//!
//! Invariants: a session is nothing but its sealed token, so that any node can check it and nothing is
//! stored; a role's trust policy alone decides who may assume it.

mod access;
mod assume_role;
pub mod generated;
mod identity;
mod session;

use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::{Arn, Clock, Random};
use pagoda_protocol::ApiError;
use pagoda_service::ports::ReadRole;
use pagoda_service::{Access, Authorizer, Context, Ownership, Sealer, Service, operations};

/// The STS service.
pub struct Sts {
    roles: Arc<dyn ReadRole>,
    authorizer: Authorizer,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    opened: session::OpenedTokens,
}

impl Sts {
    /// STS over IAM's roles.
    pub fn new(
        roles: Arc<dyn ReadRole>,
        authorizer: Authorizer,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Arc<Self> {
        Arc::new(Self { roles, authorizer, sealer, clock, random, opened: session::nothing_opened() })
    }
}

operations!(Sts {
    AssumeRole => assume_role::assume, on access::role;
    GetCallerIdentity => identity::get, on access::nobody_is_refused;
});

#[async_trait]
impl Service for Sts {
    const BODY_BYTES_MAX: usize = 64 * 1024;

    /// A role belongs to its account, and its trust policy must allow. A role that does not exist has no
    /// trust policy, and is refused in the same words.
    async fn ownership(&self, cx: &Context, access: &Access) -> Result<Ownership, ApiError> {
        let owner = access.resource.parse::<Arn>().ok().and_then(|arn| arn.account_id());
        let role = self.roles.role(&access.resource).await?;
        Ok(Ownership {
            policy: role.map(|role| role.trust.clone()),
            must_allow: true,
            ..Ownership::of(owner.unwrap_or(cx.account))
        })
    }
}
