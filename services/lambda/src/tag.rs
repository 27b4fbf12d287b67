//! TagResource UntagResource ListTags
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html>

use std::collections::BTreeMap;

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::{Context, is_reserved_tag};
use pagoda_store::{Decision, update};

use crate::Lambda;
use crate::generated as g;
use crate::table::{self, Function};
use crate::{name, source};

const TAGS_MAX: usize = 50;
const KEY_CHARACTERS_MAX: usize = 128;
const VALUE_CHARACTERS_MAX: usize = 256;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

pub(crate) async fn tag(
    lambda: &Lambda,
    cx: &Context,
    input: g::TagResourceRequest,
) -> Result<Unit, ApiError> {
    check(cx, input.tags.keys())?;
    change(lambda, cx, &input.resource, |tags| merge(tags, input.tags.clone())).await
}

pub(crate) async fn untag(
    lambda: &Lambda,
    cx: &Context,
    input: g::UntagResourceRequest,
) -> Result<Unit, ApiError> {
    check(cx, &input.tag_keys)?;
    change(lambda, cx, &input.resource, |mut tags| {
        tags.retain(|key, _| !input.tag_keys.contains(key));
        Ok(tags)
    })
    .await
}

pub(crate) async fn list(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListTagsRequest,
) -> Result<g::ListTagsResponse, ApiError> {
    if let Some(uuid) = source::tag::uuid(&input.resource) {
        return Ok(g::ListTagsResponse { tags: Some(source::tag::list(lambda, cx, uuid).await?) });
    }
    let loaded = lambda.load(&function(cx, &input.resource)?).await?;
    Ok(g::ListTagsResponse { tags: Some(loaded.function.record.tags.clone()) })
}

async fn change(
    lambda: &Lambda,
    cx: &Context,
    resource: &str,
    apply: impl Fn(Tags) -> Result<Tags, ApiError>,
) -> Result<Unit, ApiError> {
    if let Some(uuid) = source::tag::uuid(resource) {
        return source::tag::change(lambda, cx, uuid, apply).await.map(|()| Unit);
    }
    let named = function(cx, resource)?;
    let random = &*lambda.ports.random;
    update(lambda.store(), &table::function(&named.function), |found: Option<Function>| {
        let mut function = found.ok_or_else(|| name::missing(&named.arn()))?;
        function.tags = apply(std::mem::take(&mut function.tags))?;
        function.latest.revision = ids::uuid(random);
        Ok(Decision::save(function, Unit))
    })
    .await
}

/// Tags belong to functions, not to their versions.
fn function(cx: &Context, resource: &str) -> Result<name::Named, ApiError> {
    let named = name::parse(cx, resource)?;
    if named.qualifier.is_none() {
        return Ok(named);
    }
    let message = "Tags on function aliases and versions are not supported. Please specify a function ARN.";
    Err(g::InvalidParameterValueException::new(message).into())
}

/// Refuses tags that only the platform itself may set.
pub(crate) fn check<'k>(cx: &Context, keys: impl IntoIterator<Item = &'k String>) -> Result<(), ApiError> {
    if keys.into_iter().all(|key| cx.may_tag(key)) {
        return Ok(());
    }
    let message = "Tag keys beginning with aws: are reserved.";
    Err(g::InvalidParameterValueException::new(message).into())
}

/// `present` with `added` put over it. The platform's own tags count to no limit.
pub(crate) fn merge(mut present: Tags, added: Tags) -> Result<Tags, ApiError> {
    let invalid = |message: String| Err(g::InvalidParameterValueException::new(message).into());
    for (key, value) in added {
        if key.is_empty() || key.chars().count() > KEY_CHARACTERS_MAX {
            return invalid(format!("The tag key '{key}' must have 1 to {KEY_CHARACTERS_MAX} characters."));
        }
        if value.chars().count() > VALUE_CHARACTERS_MAX {
            return invalid(format!(
                "The value of the tag '{key}' has more than {VALUE_CHARACTERS_MAX} characters."
            ));
        }
        present.insert(key, value);
    }
    if present.keys().filter(|key| !is_reserved_tag(key)).count() > TAGS_MAX {
        return invalid(format!("A function can have at most {TAGS_MAX} tags."));
    }
    Ok(present)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_bounded() {
        let one = |key: &str, value: &str| Tags::from([(key.to_owned(), value.to_owned())]);
        assert_eq!(merge(one("a", "1"), one("a", "2")).unwrap(), one("a", "2"));
        assert!(merge(Tags::new(), one("", "x")).is_err());
        assert!(merge(Tags::new(), one("k", &"v".repeat(257))).is_err());
        let many: Tags = (0..50).map(|number| (number.to_string(), String::new())).collect();
        assert!(merge(many.clone(), Tags::new()).is_ok());
        assert!(merge(many.clone(), one("aws:x", "")).is_ok());
        assert!(merge(many, one("one more", "")).is_err());
    }
}
