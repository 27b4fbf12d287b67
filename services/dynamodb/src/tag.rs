//! TagResource UntagResource ListTagsOfResource

use std::collections::BTreeMap;

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::{Context, is_reserved_tag};
use pagoda_store::{Decision, update};

use crate::DynamoDb;
use crate::generated as g;
use crate::place::Place;
use crate::record::{self, Table};
use crate::table;

/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.html>
const TAGS_MAX: usize = 50;
const PAGE_TAGS: usize = 10;

pub(crate) async fn add(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::TagResourceInput,
) -> Result<Unit, ApiError> {
    change(dynamodb, cx, &input.resource_arn, |tags| {
        check_keys(cx, input.tags.iter().map(|tag| &tag.key))?;
        tags.extend(input.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
        check_count(tags)
    })
    .await
}

pub(crate) async fn remove(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::UntagResourceInput,
) -> Result<Unit, ApiError> {
    change(dynamodb, cx, &input.resource_arn, |tags| {
        check_keys(cx, &input.tag_keys)?;
        input.tag_keys.iter().for_each(|key| drop(tags.remove(key)));
        Ok(())
    })
    .await
}

/// Pages begin behind the tag that the token names.
pub(crate) async fn list(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::ListTagsOfResourceInput,
) -> Result<g::ListTagsOfResourceOutput, ApiError> {
    let place = Place::of(cx, &input.resource_arn)?;
    let table = table::load(dynamodb, &place).await?.record;
    let after = input.next_token.unwrap_or_default();
    let mut left = table.tags.into_iter().filter(|(key, _)| *key > after);
    let tags: Vec<_> = left.by_ref().take(PAGE_TAGS).map(|(key, value)| g::Tag { key, value }).collect();
    let next_token = left.next().and_then(|_| tags.last().map(|tag| tag.key.clone()));
    Ok(g::ListTagsOfResourceOutput { tags: Some(tags), next_token })
}

/// Refuses more tags than a table may have, and those that only the platform itself may set.
pub(crate) fn check(cx: &Context, tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    check_keys(cx, tags.keys())?;
    check_count(tags)
}

fn check_count(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.keys().filter(|key| !is_reserved_tag(key)).count() > TAGS_MAX {
        let message = format!("One or more parameter values were invalid: Too many tags: at most {TAGS_MAX}");
        return Err(ApiError::validation(message));
    }
    Ok(())
}

fn check_keys<'k>(cx: &Context, keys: impl IntoIterator<Item = &'k String>) -> Result<(), ApiError> {
    match keys.into_iter().find(|key| !cx.may_tag(key)) {
        Some(key) => {
            let message = format!("Tag keys starting with 'aws:' are reserved for AWS internal use: {key}");
            Err(ApiError::validation(message))
        }
        None => Ok(()),
    }
}

async fn change(
    dynamodb: &DynamoDb,
    cx: &Context,
    arn: &str,
    apply: impl Fn(&mut BTreeMap<String, String>) -> Result<(), ApiError>,
) -> Result<Unit, ApiError> {
    let place = Place::of(cx, arn)?;
    let key = record::table(&place);
    update(dynamodb.store(), &key, |found: Option<Table>| {
        let mut table = found.ok_or_else(|| {
            let message = format!("Requested resource not found: ResourcArn: {arn} not found");
            ApiError::from(g::ResourceNotFoundException::new(message))
        })?;
        apply(&mut table.tags)?;
        Ok::<_, ApiError>(Decision::save(table, ()))
    })
    .await?;
    dynamodb.known.forget(&key);
    Ok(Unit)
}
