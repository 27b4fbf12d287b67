//! TagUser UntagUser ListUserTags TagRole UntagRole ListRoleTags
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>

use std::collections::BTreeMap;

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::{Context, is_reserved_tag};
use pagoda_store::Decision;

use crate::entity::{self, Entity};
use crate::generated as g;
use crate::table::{Role, User};
use crate::{Iam, page};

/// Tags of one entity, reserved ones aside.
const TAGS_MAX: usize = 50;

pub(crate) type Tags = BTreeMap<String, String>;

pub(crate) async fn tag_user(iam: &Iam, cx: &Context, input: g::TagUserRequest) -> Result<Unit, ApiError> {
    set::<User>(iam, cx, &input.user_name, input.tags).await
}

pub(crate) async fn tag_role(iam: &Iam, cx: &Context, input: g::TagRoleRequest) -> Result<Unit, ApiError> {
    set::<Role>(iam, cx, &input.role_name, input.tags).await
}

pub(crate) async fn untag_user(
    iam: &Iam,
    cx: &Context,
    input: g::UntagUserRequest,
) -> Result<Unit, ApiError> {
    unset::<User>(iam, cx, &input.user_name, input.tag_keys).await
}

pub(crate) async fn untag_role(
    iam: &Iam,
    cx: &Context,
    input: g::UntagRoleRequest,
) -> Result<Unit, ApiError> {
    unset::<Role>(iam, cx, &input.role_name, input.tag_keys).await
}

pub(crate) async fn list_of_user(
    iam: &Iam,
    cx: &Context,
    input: g::ListUserTagsRequest,
) -> Result<g::ListUserTagsResponse, ApiError> {
    let page = of::<User>(iam, cx, &input.user_name, input.marker.as_deref(), input.max_items).await?;
    Ok(g::ListUserTagsResponse { tags: page.items, is_truncated: page.is_truncated, marker: page.marker })
}

pub(crate) async fn list_of_role(
    iam: &Iam,
    cx: &Context,
    input: g::ListRoleTagsRequest,
) -> Result<g::ListRoleTagsResponse, ApiError> {
    let page = of::<Role>(iam, cx, &input.role_name, input.marker.as_deref(), input.max_items).await?;
    Ok(g::ListRoleTagsResponse { tags: page.items, is_truncated: page.is_truncated, marker: page.marker })
}

async fn set<E: Entity>(iam: &Iam, cx: &Context, name: &str, tags: Vec<g::Tag>) -> Result<Unit, ApiError> {
    entity::change(iam, cx, name, |mut entity: E| {
        let present = std::mem::take(&mut entity.identity_mut().tags);
        entity.identity_mut().tags = merge(cx, present, tags.clone())?;
        Ok(Decision::save(entity, Unit))
    })
    .await
}

async fn unset<E: Entity>(iam: &Iam, cx: &Context, name: &str, keys: Vec<String>) -> Result<Unit, ApiError> {
    if !keys.iter().all(|key| cx.may_tag(key)) {
        return Err(reserved());
    }
    entity::change(iam, cx, name, |mut entity: E| {
        entity.identity_mut().tags.retain(|key, _| !keys.contains(key));
        Ok(Decision::save(entity, Unit))
    })
    .await
}

async fn of<E: Entity>(
    iam: &Iam,
    cx: &Context,
    name: &str,
    marker: Option<&str>,
    max_items: Option<i32>,
) -> Result<page::Page<g::Tag>, ApiError> {
    let entity = entity::load::<E>(iam, cx, name).await?.record;
    let tags = described(&entity.identity().tags).unwrap_or_default();
    page::cut(tags, |tag| &tag.key, marker, max_items)
}

/// `present` with `added` put over it.
pub(crate) fn merge(cx: &Context, mut present: Tags, added: Vec<g::Tag>) -> Result<Tags, ApiError> {
    let mut seen = Vec::new();
    for g::Tag { key, value } in added {
        let folded = key.to_lowercase();
        if seen.contains(&folded) {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(g::InvalidInputException::new(message).into());
        }
        if !cx.may_tag(&key) {
            return Err(reserved());
        }
        // Keys keep the case of their latest writing.
        present.retain(|present, _| present.to_lowercase() != folded);
        present.insert(key, value);
        seen.push(folded);
    }
    if present.keys().filter(|key| !is_reserved_tag(key)).count() > TAGS_MAX {
        let message = format!("The number of tags has reached the maximum limit of {TAGS_MAX}.");
        return Err(g::LimitExceededException::new(message).into());
    }
    Ok(present)
}

fn reserved() -> ApiError {
    g::InvalidInputException::new("Tag keys beginning with aws: are reserved.").into()
}

/// Tags as answers give them: left out where there are none.
pub(crate) fn described(tags: &Tags) -> Option<Vec<g::Tag>> {
    let tags: Vec<_> =
        tags.iter().map(|(key, value)| g::Tag { key: key.clone(), value: value.clone() }).collect();
    (!tags.is_empty()).then_some(tags)
}
