//! Tags of buckets and objects: PutBucketTagging GetBucketTagging DeleteBucketTagging PutObjectTagging
//! GetObjectTagging DeleteObjectTagging, and the tagging header.

use std::collections::BTreeMap;

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::{Access, Context, is_reserved_tag};
use percent_encoding::percent_decode_str;

use crate::generated as g;
use crate::outbox::Cause;
use crate::{S3, bucket, error, name, object};

/// Tags of a bucket.
pub(crate) const BUCKET_MAX: usize = 50;
/// Tags of an object.
pub(crate) const OBJECT_MAX: usize = 10;

type Tags = BTreeMap<String, String>;

/// The tags, if there may be as many of these.
pub(crate) fn checked(tags: Vec<g::Tag>, max: usize) -> Result<Tags, ApiError> {
    match tags.iter().find(|tag| is_reserved_tag(&tag.key)) {
        Some(tag) => Err(system_tag("System tags cannot be added/updated by requester", &tag.key)),
        None => well_formed(tags, max),
    }
}

fn system_tag(message: &str, key: &str) -> ApiError {
    ApiError::new("InvalidTag", 400, message).with_field("TagKey", key)
}

/// A bucket's new tags in place of `present`. Its system tags stay: only the platform itself changes them.
pub(crate) fn of_new(cx: &Context, present: &Tags, tags: Vec<g::Tag>) -> Result<Tags, ApiError> {
    let new = well_formed(tags, BUCKET_MAX)?;
    let changed = |key: &&String| !cx.may_tag(key) && present.get(*key) != new.get(*key);
    if let Some(key) = new.keys().find(changed) {
        return Err(system_tag("System tags cannot be added/updated by requester", key));
    }
    match present.keys().find(changed) {
        Some(key) => Err(system_tag("System tags cannot be removed by requester", key)),
        None => Ok(new),
    }
}

fn well_formed(tags: Vec<g::Tag>, max: usize) -> Result<Tags, ApiError> {
    if tags.iter().filter(|tag| !is_reserved_tag(&tag.key)).count() > max {
        let (code, what) =
            if max == OBJECT_MAX { ("BadRequest", "Object") } else { ("BadRequest", "Bucket") };
        return Err(ApiError::new(code, 400, format!("{what} tags cannot be greater than {max}")));
    }
    let mut checked = Tags::new();
    for tag in tags {
        let invalid =
            |message: &str| Err(ApiError::new("InvalidTag", 400, message).with_field("TagKey", &*tag.key));
        if tag.key.is_empty() || tag.key.chars().count() > 128 {
            return invalid("The TagKey you have provided is invalid");
        }
        if tag.value.chars().count() > 256 {
            return invalid("The TagValue you have provided is invalid");
        }
        if checked.contains_key(&tag.key) {
            return invalid("Cannot provide multiple Tags with the same key");
        }
        checked.insert(tag.key, tag.value);
    }
    Ok(checked)
}

/// The tags in an `x-amz-tagging` header: `name=value&…`, percent-encoded.
pub(crate) fn of_header(header: Option<&str>) -> Result<Tags, ApiError> {
    let refused = || {
        let message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters \
                       without tag name duplicates.";
        error::invalid_argument("x-amz-tagging", header.unwrap_or_default(), message)
    };
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8().map(|text| text.into_owned()).map_err(|_| refused())
    };
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let tags = pairs.map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok(g::Tag { key: decoded(key)?, value: decoded(value)? })
    });
    checked(tags.collect::<Result<_, ApiError>>()?, OBJECT_MAX)
}

/// The same permission with the condition keys of tags that the request sets.
pub(crate) fn requested(mut access: Access, tags: &Tags) -> Access {
    for (name, value) in tags {
        access.keys.set(&format!("s3:RequestObjectTag/{name}"), value.as_str());
    }
    access.keys.set_all("s3:RequestObjectTagKeys", tags.keys().cloned().collect::<Vec<_>>());
    access
}

fn described(tags: &Tags) -> Vec<g::Tag> {
    tags.iter().map(|(key, value)| g::Tag { key: key.clone(), value: value.clone() }).collect()
}

pub(crate) async fn put_on_bucket(
    s3: &S3,
    cx: &Context,
    input: g::PutBucketTaggingRequest,
) -> Result<Unit, ApiError> {
    bucket::change(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref(), |bucket| {
        bucket.tags = of_new(cx, &bucket.tags, input.tagging.tag_set.clone())?;
        Ok(Unit)
    })
    .await
}

pub(crate) async fn of_bucket(
    s3: &S3,
    cx: &Context,
    input: g::GetBucketTaggingRequest,
) -> Result<g::GetBucketTaggingOutput, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    if bucket.tags.is_empty() {
        return Err(ApiError::new("NoSuchTagSet", 404, "The TagSet does not exist")
            .with_field("BucketName", bucket.name));
    }
    Ok(g::GetBucketTaggingOutput { tag_set: described(&bucket.tags) })
}

pub(crate) async fn delete_of_bucket(
    s3: &S3,
    cx: &Context,
    input: g::DeleteBucketTaggingRequest,
) -> Result<Unit, ApiError> {
    bucket::change(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref(), |bucket| {
        bucket.tags.retain(|key, _| !cx.may_tag(key));
        Ok(Unit)
    })
    .await
}

pub(crate) async fn put_on_object(
    s3: &S3,
    cx: &Context,
    input: g::PutObjectTaggingRequest,
) -> Result<g::PutObjectTaggingOutput, ApiError> {
    name::check_version(input.version_id.as_deref())?;
    let tags = checked(input.tagging.tag_set, OBJECT_MAX)?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    object::set_tags(s3, &bucket, &input.key, tags, &Cause { cx, event: "ObjectTagging:Put" }).await?;
    Ok(g::PutObjectTaggingOutput::default())
}

pub(crate) async fn of_object(
    s3: &S3,
    cx: &Context,
    input: g::GetObjectTaggingRequest,
) -> Result<g::GetObjectTaggingOutput, ApiError> {
    name::check_version(input.version_id.as_deref())?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let object = object::require(s3, cx, &bucket, &input.key).await?;
    Ok(g::GetObjectTaggingOutput { tag_set: described(&object.tags), ..Default::default() })
}

pub(crate) async fn delete_of_object(
    s3: &S3,
    cx: &Context,
    input: g::DeleteObjectTaggingRequest,
) -> Result<g::DeleteObjectTaggingOutput, ApiError> {
    name::check_version(input.version_id.as_deref())?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    object::set_tags(s3, &bucket, &input.key, Tags::new(), &Cause { cx, event: "ObjectTagging:Delete" })
        .await?;
    Ok(g::DeleteObjectTaggingOutput::default())
}
