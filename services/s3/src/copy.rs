//! CopyObject

use std::collections::BTreeMap;

use pagoda_protocol::{ApiError, ByteStream};
use pagoda_service::Context;

use crate::condition::{Reading, Writing, quoted};
use crate::content::{self, BODY_BYTES_MAX};
use crate::digest::{Intake, Stated};
use crate::generated as g;
use crate::object::{self, New};
use crate::outbox::Cause;
use crate::source::Source;
use crate::table::{Bucket, Object};
use crate::{S3, acl, bucket, checksum, error, get, name, tag};

pub(crate) async fn copy(
    s3: &S3,
    cx: &Context,
    mut input: g::CopyObjectRequest,
) -> Result<g::CopyObjectOutput, ApiError> {
    name::check_key(&input.key)?;
    let grants =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
    acl::check_object(input.acl, grants)?;
    let source = Source::parse(&input.copy_source)?;
    let replaces = input.metadata_directive == Some(g::MetadataDirective::Replace);
    let class_given = input.storage_class.is_some();
    let redirect_given = input.website_redirect_location.is_some();
    if source.bucket == input.bucket
        && source.key == input.key
        && !replaces
        && !class_given
        && !redirect_given
    {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing \
                       the object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(error::invalid_request(message));
    }
    let own = checksum::wanted("CopyObject", input.checksum_algorithm)?;
    let condition = Writing::new(input.if_match.take(), input.if_none_match.take())?;
    let reading = Reading {
        if_match: input.copy_source_if_match.take(),
        if_none_match: input.copy_source_if_none_match.take(),
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    let target = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let (original, body, from) =
        opened(s3, cx, &source, input.expected_source_bucket_owner.as_deref(), &reading).await?;
    if original.size > BODY_BYTES_MAX {
        let message = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
        return Err(error::invalid_request(message));
    }
    let given = input.headers()?;
    let headers = match replaces {
        true => given,
        // The redirect is never copied: it belongs to the key.
        false => crate::table::Headers { redirect: given.redirect, ..original.headers },
    };
    let tags = match input.tagging_directive {
        Some(g::TaggingDirective::Replace) => tag::of_header(input.tagging.as_deref())?,
        _ => copied_tags(s3, cx, &from, &source, original.tags).await?,
    };
    let kept = own.or_else(|| checksum::named(&original.sum.algorithm));
    let mut intake = Intake::new(body, Stated::default(), kept, BODY_BYTES_MAX);
    let taken = content::take(s3, &mut intake, original.size).await?;
    let digest = intake.finish()?;
    let new = New { size: digest.size, etag: digest.etag(), sum: digest.sum(), headers, tags, taken };
    let cause = Cause { cx, event: "ObjectCreated:Copy" };
    let object = object::save(s3, &target, &input.key, new, &condition, &cause).await?;

    let mut result = g::CopyObjectResult {
        e_tag: Some(quoted(&object.etag)),
        last_modified: Some(object.modified),
        checksum_type: Some(checksum::kind(object.sum.full)),
        ..Default::default()
    };
    checksum::tell(&mut result, &object.sum);
    Ok(g::CopyObjectOutput { copy_object_result: Some(result), ..Default::default() })
}

/// The source of a copy, if its conditions hold.
pub(crate) async fn opened(
    s3: &S3,
    cx: &Context,
    source: &Source,
    expected_owner: Option<&str>,
    reading: &Reading,
) -> Result<(Object, ByteStream, Bucket), ApiError> {
    name::check_version(source.version.as_deref())?;
    let bucket = bucket::open(s3, cx, &source.bucket, expected_owner).await?;
    let (object, body) = get::whole(s3, cx, &bucket, &source.key).await?;
    reading.check_source(&object)?;
    Ok((object, body, bucket))
}

/// Tags are copied by who may read them.
async fn copied_tags(
    s3: &S3,
    cx: &Context,
    from: &Bucket,
    source: &Source,
    tags: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    if !tags.is_empty() {
        let arn = crate::access::object_arn(&source.bucket, &source.key);
        let reading = pagoda_service::Access::new("s3:GetObjectTagging", arn);
        object::authorize(s3, cx, from, &reading).await?;
    }
    Ok(tags)
}
