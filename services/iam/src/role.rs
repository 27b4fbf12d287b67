//! CreateRole GetRole ListRoles DeleteRole UpdateRole UpdateAssumeRolePolicy

use std::collections::BTreeMap;

use pagoda_base::{AccountId, ids};
use pagoda_policy::Kind;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Decision, Outcome};

use crate::generated as g;
use crate::table::{self, Identity, ROLES, Role};
use crate::{Iam, entity, page, policy, tag};

/// The longest session of a role that does not say, in seconds.
const SESSION_SECONDS_DEFAULT: i32 = 3_600;
/// Characters of a trust policy, white space aside.
const TRUST_CHARS_MAX: usize = 2_048;

pub(crate) async fn create(
    iam: &Iam,
    cx: &Context,
    input: g::CreateRoleRequest,
) -> Result<g::CreateRoleResponse, ApiError> {
    check_trust(&input.assume_role_policy_document)?;
    if let Some(boundary) = &input.permissions_boundary {
        policy::require(iam, cx.account, boundary).await?;
    }
    let identity = Identity {
        name: input.role_name,
        path: input.path.unwrap_or_else(|| "/".into()),
        id: ids::unique_id("AROA", &*iam.random),
        created: cx.now,
        boundary: input.permissions_boundary,
        tags: tag::merge(cx, BTreeMap::new(), input.tags.unwrap_or_default())?,
        inline: BTreeMap::new(),
        attached: Vec::new(),
    };
    let role = Role {
        identity,
        trust: input.assume_role_policy_document,
        description: input.description,
        max_session_duration_seconds: input.max_session_duration.unwrap_or(SESSION_SECONDS_DEFAULT),
    };
    let key = table::key_in(&ROLES, cx.account, &role.identity.name);
    match iam.store().commit(ROLES.create(Commit::new(), &key, &role)?).await? {
        Outcome::CheckFailed { .. } => Err(entity::taken::<Role>(&role.identity.name)),
        outcome => {
            outcome.done()?;
            iam.forget();
            Ok(g::CreateRoleResponse { role: describe(&role, cx.account) })
        }
    }
}

pub(crate) async fn get(
    iam: &Iam,
    cx: &Context,
    input: g::GetRoleRequest,
) -> Result<g::GetRoleResponse, ApiError> {
    let role = entity::load::<Role>(iam, cx, &input.role_name).await?.record;
    Ok(g::GetRoleResponse { role: describe(&role, cx.account) })
}

pub(crate) async fn list(
    iam: &Iam,
    cx: &Context,
    input: g::ListRolesRequest,
) -> Result<g::ListRolesResponse, ApiError> {
    let roles = entity::all::<Role>(iam, cx, input.path_prefix.as_deref()).await?;
    let page = page::cut(roles, |role| &role.identity.name, input.marker.as_deref(), input.max_items)?;
    let roles = page.items.iter().map(|role| g::Role { tags: None, ..describe(role, cx.account) }).collect();
    Ok(g::ListRolesResponse { roles, is_truncated: page.is_truncated, marker: page.marker })
}

pub(crate) async fn delete(iam: &Iam, cx: &Context, input: g::DeleteRoleRequest) -> Result<Unit, ApiError> {
    entity::change(iam, cx, &input.role_name, |role: Role| {
        if !role.identity.inline.is_empty() {
            return Err(entity::in_use("delete policies"));
        }
        if !role.identity.attached.is_empty() {
            return Err(entity::in_use("detach all policies"));
        }
        Ok(Decision::delete(Unit))
    })
    .await
}

pub(crate) async fn update(
    iam: &Iam,
    cx: &Context,
    input: g::UpdateRoleRequest,
) -> Result<g::UpdateRoleResponse, ApiError> {
    entity::change(iam, cx, &input.role_name, |mut role: Role| {
        role.description = input.description.clone().or(role.description);
        role.max_session_duration_seconds =
            input.max_session_duration.unwrap_or(role.max_session_duration_seconds);
        Ok(Decision::save(role, g::UpdateRoleResponse::default()))
    })
    .await
}

pub(crate) async fn update_trust(
    iam: &Iam,
    cx: &Context,
    input: g::UpdateAssumeRolePolicyRequest,
) -> Result<Unit, ApiError> {
    check_trust(&input.policy_document)?;
    entity::change(iam, cx, &input.role_name, |mut role: Role| {
        role.trust = input.policy_document.clone();
        Ok(Decision::save(role, Unit))
    })
    .await
}

fn check_trust(document: &str) -> Result<(), ApiError> {
    policy::check_size(document, TRUST_CHARS_MAX, "ACLSizePerRole")?;
    policy::compile("", document, Kind::Trust).map(drop)
}

fn describe(role: &Role, account: AccountId) -> g::Role {
    let identity = &role.identity;
    g::Role {
        path: identity.path.clone(),
        role_name: identity.name.clone(),
        role_id: identity.id.clone(),
        arn: identity.arn(account, "role"),
        create_date: identity.created,
        assume_role_policy_document: Some(policy::on_the_wire(&role.trust)),
        description: role.description.clone(),
        max_session_duration: Some(role.max_session_duration_seconds),
        permissions_boundary: policy::boundary(identity),
        tags: tag::described(&identity.tags),
        ..Default::default()
    }
}
