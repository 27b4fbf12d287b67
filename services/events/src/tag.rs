//! TagResource UntagResource ListTagsForResource

use pagoda_base::Arn;
use pagoda_protocol::ApiError;
use pagoda_service::{Context, is_reserved_tag};
use pagoda_store::{Decision, update};

use crate::generated as g;
use crate::table::{self, Bus, Place, Rule, Tags};
use crate::{Events, bus, rule};

const TAGS_MAX: usize = 50;

/// The tags of a request that makes something.
pub(crate) fn checked(cx: &Context, given: Option<Vec<g::Tag>>) -> Result<Tags, ApiError> {
    let given = given.unwrap_or_default();
    check_keys(cx, given.iter().map(|tag| &tag.key))?;
    let tags: Tags = given.into_iter().map(|tag| (tag.key, tag.value)).collect();
    check_count(&tags).map(|()| tags)
}

fn check_keys<'k>(cx: &Context, keys: impl IntoIterator<Item = &'k String>) -> Result<(), ApiError> {
    match keys.into_iter().find(|key| !cx.may_tag(key)) {
        Some(_) => Err(ApiError::validation("System tags cannot be added/updated by requester.")),
        None => Ok(()),
    }
}

fn check_count(tags: &Tags) -> Result<(), ApiError> {
    match tags.keys().filter(|key| !is_reserved_tag(key)).count() > TAGS_MAX {
        true => Err(ApiError::validation("The number of tags exceeds the limit of 50 for the resource.")),
        false => Ok(()),
    }
}

/// What an ARN names.
enum Tagged {
    Bus(Place),
    Rule(Place, String),
}

fn read(cx: &Context, text: &str) -> Result<Tagged, ApiError> {
    let invalid = || {
        ApiError::validation(format!(
            "Parameter {text} is not valid. Reason: Provided Arn is not in correct format."
        ))
    };
    let arn: Arn = text.parse().map_err(|_| invalid())?;
    match arn.resource.split('/').collect::<Vec<_>>().as_slice() {
        ["event-bus", name] => Ok(Tagged::Bus(bus::place(cx, Some(name)))),
        ["rule", name] => Ok(Tagged::Rule(bus::place(cx, None), (*name).to_owned())),
        ["rule", bus, name] => Ok(Tagged::Rule(bus::place(cx, Some(bus)), (*name).to_owned())),
        _ => Err(invalid()),
    }
}

async fn change(
    events: &Events,
    cx: &Context,
    arn: &str,
    apply: impl Fn(&mut Tags) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    match read(cx, arn)? {
        Tagged::Bus(place) => {
            let present = events.bus(&place).await?;
            update(events.store(), &table::bus(&place), |found: Option<Bus>| {
                let mut bus = found.unwrap_or_else(|| present.clone());
                apply(&mut bus.tags)?;
                Ok::<_, ApiError>(Decision::save(bus, ()))
            })
            .await
        }
        Tagged::Rule(place, name) => {
            update(events.store(), &table::rule(&place, &name), |found: Option<Rule>| {
                let mut rule = found.ok_or_else(|| rule::missing(&place, &name))?;
                apply(&mut rule.tags)?;
                Ok::<_, ApiError>(Decision::save(rule, ()))
            })
            .await
        }
    }
}

pub(crate) async fn add(
    events: &Events,
    cx: &Context,
    input: g::TagResourceRequest,
) -> Result<g::TagResourceResponse, ApiError> {
    check_keys(cx, input.tags.iter().map(|tag| &tag.key))?;
    change(events, cx, &input.resource_arn, |tags| {
        tags.extend(input.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
        check_count(tags)
    })
    .await?;
    Ok(g::TagResourceResponse {})
}

pub(crate) async fn remove(
    events: &Events,
    cx: &Context,
    input: g::UntagResourceRequest,
) -> Result<g::UntagResourceResponse, ApiError> {
    check_keys(cx, &input.tag_keys)?;
    change(events, cx, &input.resource_arn, |tags| {
        input.tag_keys.iter().for_each(|key| drop(tags.remove(key)));
        Ok(())
    })
    .await?;
    Ok(g::UntagResourceResponse {})
}

pub(crate) async fn list(
    events: &Events,
    cx: &Context,
    input: g::ListTagsForResourceRequest,
) -> Result<g::ListTagsForResourceResponse, ApiError> {
    let tags = match read(cx, &input.resource_arn)? {
        Tagged::Bus(place) => events.bus(&place).await?.tags,
        Tagged::Rule(place, name) => rule::load(events, &place, &name).await?.tags,
    };
    let tags = tags.into_iter().map(|(key, value)| g::Tag { key, value }).collect();
    Ok(g::ListTagsForResourceResponse { tags: Some(tags) })
}
