//! CreateUser GetUser ListUsers DeleteUser

use std::collections::BTreeMap;

use pagoda_base::{AccountId, ids};
use pagoda_policy::Principal;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Decision, Outcome};

use crate::generated as g;
use crate::table::{self, Identity, USERS, User};
use crate::{Iam, entity, page, policy, tag};

pub(crate) async fn create(
    iam: &Iam,
    cx: &Context,
    input: g::CreateUserRequest,
) -> Result<g::CreateUserResponse, ApiError> {
    if let Some(boundary) = &input.permissions_boundary {
        policy::require(iam, cx.account, boundary).await?;
    }
    let identity = Identity {
        name: input.user_name,
        path: input.path.unwrap_or_else(|| "/".into()),
        id: ids::unique_id("AIDA", &*iam.random),
        created: cx.now,
        boundary: input.permissions_boundary,
        tags: tag::merge(cx, BTreeMap::new(), input.tags.unwrap_or_default())?,
        inline: BTreeMap::new(),
        attached: Vec::new(),
    };
    let user = User { identity, keys: Vec::new() };
    let key = table::key_in(&USERS, cx.account, &user.identity.name);
    match iam.store().commit(USERS.create(Commit::new(), &key, &user)?).await? {
        Outcome::CheckFailed { .. } => Err(entity::taken::<User>(&user.identity.name)),
        outcome => {
            outcome.done()?;
            Ok(g::CreateUserResponse { user: Some(describe(&user, cx.account)) })
        }
    }
}

pub(crate) async fn get(
    iam: &Iam,
    cx: &Context,
    input: g::GetUserRequest,
) -> Result<g::GetUserResponse, ApiError> {
    let name = match input.user_name {
        None if matches!(cx.caller.principal, Principal::Root(_)) => {
            return Ok(g::GetUserResponse { user: root(cx) });
        }
        name => named(cx, name)?,
    };
    let user = entity::load::<User>(iam, cx, &name).await?.record;
    Ok(g::GetUserResponse { user: describe(&user, cx.account) })
}

pub(crate) async fn list(
    iam: &Iam,
    cx: &Context,
    input: g::ListUsersRequest,
) -> Result<g::ListUsersResponse, ApiError> {
    let users = entity::all::<User>(iam, cx, input.path_prefix.as_deref()).await?;
    let page = page::cut(users, |user| &user.identity.name, input.marker.as_deref(), input.max_items)?;
    let users = page.items.iter().map(|user| g::User { tags: None, ..describe(user, cx.account) }).collect();
    Ok(g::ListUsersResponse { users, is_truncated: page.is_truncated, marker: page.marker })
}

pub(crate) async fn delete(iam: &Iam, cx: &Context, input: g::DeleteUserRequest) -> Result<Unit, ApiError> {
    entity::change(iam, cx, &input.user_name, |user: User| {
        if !user.keys.is_empty() {
            return Err(entity::in_use("delete access keys"));
        }
        if !user.identity.inline.is_empty() {
            return Err(entity::in_use("delete policies"));
        }
        if !user.identity.attached.is_empty() {
            return Err(entity::in_use("detach all policies"));
        }
        Ok(Decision::delete(Unit))
    })
    .await
}

/// The user that an operation is about: the one named, or the caller's own.
pub(crate) fn named(cx: &Context, name: Option<String>) -> Result<String, ApiError> {
    match (name, &cx.caller.principal) {
        (Some(name), _) => Ok(name),
        (None, Principal::User { arn, .. }) => Ok(arn.rsplit('/').next().unwrap_or_default().to_owned()),
        (None, _) => Err(ApiError::new(
            "ValidationError",
            400,
            "Must specify userName when calling with non-User credentials",
        )),
    }
}

fn describe(user: &User, account: AccountId) -> g::User {
    let identity = &user.identity;
    g::User {
        path: identity.path.clone(),
        user_name: identity.name.clone(),
        user_id: identity.id.clone(),
        arn: identity.arn(account, "user"),
        create_date: identity.created,
        permissions_boundary: policy::boundary(identity),
        tags: tag::described(&identity.tags),
        ..Default::default()
    }
}

/// The account's root user, as `GetUser` shows it to itself.
fn root(cx: &Context) -> g::User {
    g::User {
        path: "/".into(),
        user_name: "root".into(),
        user_id: cx.account.to_string(),
        arn: cx.caller.arn(),
        ..Default::default()
    }
}
