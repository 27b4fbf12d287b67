//! The compiled policies of callers, kept in memory until anything in IAM changes.

use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::AccountId;
use pagoda_policy::{Kind, Named, Principal};
use pagoda_protocol::ApiError;
use pagoda_service::ports::{IdentityPolicies, PoliciesOf, ReadRole, Role as RoleInfo};
use pagoda_service::{Caller, Remembered};

use crate::entity::Entity;
use crate::table::{self, Identity, ROLES, Role, USERS};
use crate::{Iam, policy};

/// Callers whose policies are kept; the least used make room.
const CALLERS_MAX: usize = 10_000;

/// Compiled policies by the unique id of a user or role.
pub(crate) type Compiled = Remembered<String, PoliciesOf>;

/// Nothing compiled yet.
pub(crate) fn nothing_compiled() -> Compiled {
    Remembered::new(CALLERS_MAX)
}

#[async_trait]
impl IdentityPolicies for Iam {
    async fn of(&self, caller: &Caller) -> Result<Arc<PoliciesOf>, ApiError> {
        if matches!(caller.principal, Principal::Anonymous | Principal::Root(_) | Principal::Service(_)) {
            return Ok(Arc::default());
        }
        // A session is known by its role's unique id, so that a role made anew inherits no old sessions.
        let id = caller.user_id.split(':').next().unwrap_or_default();
        let read = || async {
            let Some((account, identity)) = self.identity_of(&caller.principal).await? else {
                return Ok(None);
            };
            if identity.id != id {
                return Ok(None);
            }
            self.compile(account, &identity).await.map(Some)
        };
        self.compiled.get_or_read(id, read).await?.ok_or_else(invalid_token)
    }
}

impl Iam {
    async fn identity_of(&self, principal: &Principal) -> Result<Option<(AccountId, Identity)>, ApiError> {
        let name = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(match principal {
            Principal::User { account, arn } => {
                let key = table::key_in(&USERS, *account, &name(arn));
                USERS.get(self.store(), &key).await?.map(|stored| (*account, stored.record.identity))
            }
            Principal::Session { account, role_arn, .. } => {
                let key = table::key_in(&ROLES, *account, &name(role_arn));
                ROLES.get(self.store(), &key).await?.map(|stored| (*account, stored.record.identity))
            }
            Principal::Anonymous | Principal::Root(_) | Principal::Service(_) => None,
        })
    }

    async fn compile(&self, account: AccountId, identity: &Identity) -> Result<PoliciesOf, ApiError> {
        let inline = identity.inline.iter().map(|(name, text)| policy::compile(name, text, Kind::Identity));
        let mut compiled = inline.collect::<Result<Vec<_>, _>>()?;
        for arn in &identity.attached {
            compiled.extend(self.managed(account, arn).await?);
        }
        let boundary = match &identity.boundary {
            Some(arn) => self.managed(account, arn).await?,
            None => None,
        };
        if identity.boundary.is_some() && boundary.is_none() {
            // A boundary that cannot be read bounds everything.
            return Ok(PoliciesOf::default());
        }
        Ok(PoliciesOf { identity: compiled, boundary })
    }

    async fn managed(&self, account: AccountId, arn: &str) -> Result<Option<Named>, ApiError> {
        let found = policy::find(self, account, arn).await?;
        let document = found.as_ref().and_then(policy::Managed::document);
        document.map(|text| policy::compile(arn, text, Kind::Identity)).transpose()
    }
}

#[async_trait]
impl ReadRole for Iam {
    async fn role(&self, arn: &str) -> Result<Option<Arc<RoleInfo>>, ApiError> {
        let Some(account) = arn.parse::<pagoda_base::Arn>().ok().and_then(|arn| arn.account_id()) else {
            return Ok(None);
        };
        let key = table::key_in(&ROLES, account, policy::name_in(arn));
        let Some(stored) = ROLES.get(self.store(), &key).await? else { return Ok(None) };
        let Role { identity, trust, max_session_duration_seconds, .. } = stored.record;
        if identity.arn(account, Role::NOUN) != arn {
            return Ok(None);
        }
        let mut tags = pagoda_policy::Keys::new();
        for (key, value) in &identity.tags {
            tags.set(&format!("aws:PrincipalTag/{key}"), &**value);
        }
        Ok(Some(Arc::new(RoleInfo {
            arn: arn.to_owned(),
            trust: policy::compile(arn, &trust, Kind::Trust)?,
            id: identity.id,
            name: identity.name,
            max_session_duration_seconds,
            tags,
        })))
    }
}

fn invalid_token() -> ApiError {
    ApiError::new("InvalidClientTokenId", 403, "The security token included in the request is invalid.")
}
