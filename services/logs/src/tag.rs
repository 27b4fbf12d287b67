//! TagResource UntagResource ListTagsForResource, of log groups.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/userguide/Working-with-log-groups-and-streams.html>

use std::collections::BTreeMap;

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::{Context, is_reserved_tag};
use pagoda_store::{Decision, update};

use crate::generated as g;
use crate::table::{self, Group};
use crate::{Logs, Scope, group};

/// Tags of one group, reserved ones aside.
const TAGS_MAX: usize = 50;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

pub(crate) async fn add(logs: &Logs, cx: &Context, input: g::TagResourceRequest) -> Result<Unit, ApiError> {
    change(logs, cx, &input.resource_arn, |tags| merged(cx, tags, input.tags.clone())).await
}

pub(crate) async fn remove(
    logs: &Logs,
    cx: &Context,
    input: g::UntagResourceRequest,
) -> Result<Unit, ApiError> {
    check_keys(cx, &input.tag_keys)?;
    change(logs, cx, &input.resource_arn, |mut tags| {
        tags.retain(|key, _| !input.tag_keys.contains(key));
        Ok(tags)
    })
    .await
}

pub(crate) async fn list(
    logs: &Logs,
    cx: &Context,
    input: g::ListTagsForResourceRequest,
) -> Result<g::ListTagsForResourceResponse, ApiError> {
    let name = group::named(None, Some(&input.resource_arn))?;
    let group = group::load(logs, &Scope::of(cx), &name).await?.record;
    Ok(g::ListTagsForResourceResponse { tags: Some(group.tags) })
}

/// `present` with `added` put over it.
pub(crate) fn merged(cx: &Context, mut present: Tags, added: Tags) -> Result<Tags, ApiError> {
    check_keys(cx, added.keys())?;
    present.extend(added);
    if present.keys().filter(|key| !is_reserved_tag(key)).count() > TAGS_MAX {
        let message = format!("A log group can have at most {TAGS_MAX} tags");
        return Err(g::TooManyTagsException::new(message).into());
    }
    Ok(present)
}

fn check_keys<'k>(cx: &Context, keys: impl IntoIterator<Item = &'k String>) -> Result<(), ApiError> {
    if keys.into_iter().all(|key| cx.may_tag(key)) {
        return Ok(());
    }
    Err(g::InvalidParameterException::new("Tag keys beginning with aws: are reserved.").into())
}

async fn change(
    logs: &Logs,
    cx: &Context,
    arn: &str,
    apply: impl Fn(Tags) -> Result<Tags, ApiError>,
) -> Result<Unit, ApiError> {
    let name = group::named(None, Some(arn))?;
    update(logs.store(), &table::group(&Scope::of(cx), &name), |found: Option<Group>| {
        let mut group = found.ok_or_else(group::missing)?;
        group.tags = apply(std::mem::take(&mut group.tags))?;
        Ok(Decision::save(group, Unit))
    })
    .await
}
