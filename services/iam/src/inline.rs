//! Put…Policy Get…Policy List…Policies Delete…Policy of users and roles: policies that live in their owner.

use pagoda_policy::Kind;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::Decision;

use crate::entity::{self, Entity};
use crate::generated as g;
use crate::table::{Role, User};
use crate::{Iam, page, policy};

pub(crate) async fn put_on_user(
    iam: &Iam,
    cx: &Context,
    input: g::PutUserPolicyRequest,
) -> Result<Unit, ApiError> {
    put::<User>(iam, cx, &input.user_name, input.policy_name, input.policy_document).await
}

pub(crate) async fn put_on_role(
    iam: &Iam,
    cx: &Context,
    input: g::PutRolePolicyRequest,
) -> Result<Unit, ApiError> {
    put::<Role>(iam, cx, &input.role_name, input.policy_name, input.policy_document).await
}

pub(crate) async fn get_of_user(
    iam: &Iam,
    cx: &Context,
    input: g::GetUserPolicyRequest,
) -> Result<g::GetUserPolicyResponse, ApiError> {
    let policy_document = get::<User>(iam, cx, &input.user_name, &input.policy_name).await?;
    let g::GetUserPolicyRequest { user_name, policy_name } = input;
    Ok(g::GetUserPolicyResponse { user_name, policy_name, policy_document })
}

pub(crate) async fn get_of_role(
    iam: &Iam,
    cx: &Context,
    input: g::GetRolePolicyRequest,
) -> Result<g::GetRolePolicyResponse, ApiError> {
    let policy_document = get::<Role>(iam, cx, &input.role_name, &input.policy_name).await?;
    let g::GetRolePolicyRequest { role_name, policy_name } = input;
    Ok(g::GetRolePolicyResponse { role_name, policy_name, policy_document })
}

pub(crate) async fn list_of_user(
    iam: &Iam,
    cx: &Context,
    input: g::ListUserPoliciesRequest,
) -> Result<g::ListUserPoliciesResponse, ApiError> {
    let page = list::<User>(iam, cx, &input.user_name, input.marker.as_deref(), input.max_items).await?;
    Ok(g::ListUserPoliciesResponse {
        policy_names: page.items,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

pub(crate) async fn list_of_role(
    iam: &Iam,
    cx: &Context,
    input: g::ListRolePoliciesRequest,
) -> Result<g::ListRolePoliciesResponse, ApiError> {
    let page = list::<Role>(iam, cx, &input.role_name, input.marker.as_deref(), input.max_items).await?;
    Ok(g::ListRolePoliciesResponse {
        policy_names: page.items,
        is_truncated: page.is_truncated,
        marker: page.marker,
    })
}

pub(crate) async fn delete_of_user(
    iam: &Iam,
    cx: &Context,
    input: g::DeleteUserPolicyRequest,
) -> Result<Unit, ApiError> {
    delete::<User>(iam, cx, &input.user_name, &input.policy_name).await
}

pub(crate) async fn delete_of_role(
    iam: &Iam,
    cx: &Context,
    input: g::DeleteRolePolicyRequest,
) -> Result<Unit, ApiError> {
    delete::<Role>(iam, cx, &input.role_name, &input.policy_name).await
}

async fn put<E: Entity>(
    iam: &Iam,
    cx: &Context,
    owner: &str,
    name: String,
    document: String,
) -> Result<Unit, ApiError> {
    policy::compile(&name, &document, Kind::Identity)?;
    entity::change(iam, cx, owner, |mut entity: E| {
        let inline = &mut entity.identity_mut().inline;
        inline.insert(name.clone(), document.clone());
        let all: usize = inline.values().map(|document| policy::chars(document)).sum();
        if all > E::INLINE_CHARS_MAX {
            let limit = E::INLINE_CHARS_MAX;
            let message = format!("Maximum policy size of {limit} bytes exceeded for {} {owner}", E::NOUN);
            return Err(g::LimitExceededException::new(message).into());
        }
        Ok(Decision::save(entity, Unit))
    })
    .await
}

async fn get<E: Entity>(iam: &Iam, cx: &Context, owner: &str, name: &str) -> Result<String, ApiError> {
    let entity = entity::load::<E>(iam, cx, owner).await?.record;
    let document = entity.identity().inline.get(name).ok_or_else(|| missing::<E>(name))?;
    Ok(policy::on_the_wire(document))
}

async fn list<E: Entity>(
    iam: &Iam,
    cx: &Context,
    owner: &str,
    marker: Option<&str>,
    max_items: Option<i32>,
) -> Result<page::Page<String>, ApiError> {
    let entity = entity::load::<E>(iam, cx, owner).await?.record;
    page::cut(entity.identity().inline.keys().cloned().collect(), |name: &String| name, marker, max_items)
}

async fn delete<E: Entity>(iam: &Iam, cx: &Context, owner: &str, name: &str) -> Result<Unit, ApiError> {
    entity::change(iam, cx, owner, |mut entity: E| match entity.identity_mut().inline.remove(name) {
        Some(_) => Ok(Decision::save(entity, Unit)),
        None => Err(missing::<E>(name)),
    })
    .await
}

fn missing<E: Entity>(name: &str) -> ApiError {
    g::NoSuchEntityException::new(format!("The {} policy with name {name} cannot be found.", E::NOUN)).into()
}
