//! AWS IAM: users, access keys, roles, and the policies attached to them.
//!
//! Invariants: a secret access key is stored sealed only and shown once; an access key, its user and the
//! index between them change in one commit; every write makes what is kept in memory of policies and keys stale before
//! it is acknowledged.

mod access;
mod access_key;
mod attachment;
mod credential;
mod entity;
pub mod generated;
mod identity;
mod inline;
mod managed;
mod page;
mod policy;
mod role;
mod root;
mod table;
mod tag;
mod user;

use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::Random;
use pagoda_protocol::ApiError;
use pagoda_service::ports::Credential;
use pagoda_service::{Access, Context, Ownership, Sealer, Service, operations};
use pagoda_store::Store;

pub use root::RootKey;

use crate::table::{ROLES, USERS};

/// The IAM service.
pub struct Iam {
    store: Arc<dyn Store>,
    random: Arc<dyn Random>,
    sealer: Sealer,
    roots: Vec<(String, Credential)>,
    compiled: identity::Compiled,
    known: credential::Known,
}

impl Iam {
    /// IAM over `store`; `roots` are the accounts' root keys.
    pub fn new(
        store: Arc<dyn Store>,
        random: Arc<dyn Random>,
        sealer: Sealer,
        roots: Vec<RootKey>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            random,
            sealer,
            roots: roots.into_iter().map(credential::of_root).collect(),
            compiled: identity::nothing_compiled(),
            known: credential::nothing_known(),
        })
    }

    fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Makes all that is in memory stale. Called after every change, before it is acknowledged.
    fn forget(&self) {
        self.compiled.forget();
        self.known.forget();
    }
}

operations!(Iam {
    AttachRolePolicy => attachment::attach_to_role, on access::role_and_policy_attached;
    AttachUserPolicy => attachment::attach_to_user, on access::user_and_policy_attached;
    CreateAccessKey => access_key::create, on access::user;
    CreatePolicy => policy::create, on access::new_policy;
    CreatePolicyVersion => policy::create_version, on access::policy;
    CreateRole => role::create, on access::new_role;
    CreateUser => user::create, on access::new_user;
    DeleteAccessKey => access_key::delete, on access::user;
    DeletePolicy => policy::delete, on access::policy;
    DeletePolicyVersion => policy::delete_version, on access::policy;
    DeleteRole => role::delete, on access::role;
    DeleteRolePolicy => inline::delete_of_role, on access::role;
    DeleteUser => user::delete, on access::user;
    DeleteUserPolicy => inline::delete_of_user, on access::user;
    DetachRolePolicy => attachment::detach_from_role, on access::role_and_policy_detached;
    DetachUserPolicy => attachment::detach_from_user, on access::user_and_policy_detached;
    GetPolicy => policy::get, on access::policy;
    GetPolicyVersion => policy::get_version, on access::policy;
    GetRole => role::get, on access::role;
    GetRolePolicy => inline::get_of_role, on access::role;
    GetUser => user::get, on access::user;
    GetUserPolicy => inline::get_of_user, on access::user;
    ListAccessKeys => access_key::list, on access::user;
    ListAttachedRolePolicies => attachment::list_of_role, on access::role;
    ListAttachedUserPolicies => attachment::list_of_user, on access::user;
    ListPolicies => policy::list, on access::all_policies;
    ListPolicyVersions => policy::list_versions, on access::policy;
    ListRolePolicies => inline::list_of_role, on access::role;
    ListRoleTags => tag::list_of_role, on access::role;
    ListRoles => role::list, on access::all_roles;
    ListUserPolicies => inline::list_of_user, on access::user;
    ListUserTags => tag::list_of_user, on access::user;
    ListUsers => user::list, on access::all_users;
    PutRolePolicy => inline::put_on_role, on access::role;
    PutUserPolicy => inline::put_on_user, on access::user;
    SetDefaultPolicyVersion => policy::set_default_version, on access::policy;
    TagRole => tag::tag_role, on access::role;
    TagUser => tag::tag_user, on access::user;
    UntagRole => tag::untag_role, on access::role;
    UntagUser => tag::untag_user, on access::user;
    UpdateAccessKey => access_key::update_status, on access::user;
    UpdateAssumeRolePolicy => role::update_trust, on access::role;
    UpdateRole => role::update, on access::role;
});

#[async_trait]
impl Service for Iam {
    /// A request holds at most one policy document of 6,144 characters, percent-encoded, and some tags.
    const BODY_BYTES_MAX: usize = 256 * 1024;

    async fn ownership(&self, cx: &Context, access: &Access) -> Result<Ownership, ApiError> {
        Ok(Ownership { resource: self.full_arn(cx, &access.resource).await?, ..Ownership::of(cx.account) })
    }
}

impl Iam {
    /// The ARN with the path that the user or role really has; requests only give its name.
    async fn full_arn(&self, cx: &Context, arn: &str) -> Result<Option<String>, ApiError> {
        let name = policy::name_in(arn);
        if arn.contains(":user/") {
            let found = USERS.get(self.store(), &table::key_in(&USERS, cx.account, name)).await?;
            return Ok(found.map(|user| user.record.identity.arn(cx.account, "user")));
        }
        if arn.contains(":role/") {
            let found = ROLES.get(self.store(), &table::key_in(&ROLES, cx.account, name)).await?;
            return Ok(found.map(|role| role.record.identity.arn(cx.account, "role")));
        }
        Ok(None)
    }
}
