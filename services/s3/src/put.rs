//! PutObject

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::condition::{Writing, quoted};
use crate::digest::{Intake, Stated};
use crate::generated as g;
use crate::object::{self, New};
use crate::outbox::Cause;
use crate::{S3, acl, bucket, checksum, content, name, tag};

pub(crate) async fn put(
    s3: &S3,
    cx: &Context,
    mut input: g::PutObjectRequest,
) -> Result<g::PutObjectOutput, ApiError> {
    name::check_key(&input.key)?;
    let grants =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
    acl::check_object(input.acl, grants)?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let headers = input.headers()?;
    let tags = tag::of_header(input.tagging.as_deref())?;
    let own = checksum::wanted("PutObject", input.checksum_algorithm)?;
    let sum = checksum::stated_of_body(&mut input)?;
    let stated = Stated::new(input.content_md5.as_deref(), sum)?;
    let condition = Writing::new(input.if_match.take(), input.if_none_match.take())?;
    // A condition that fails already is told before the body is read; what counts is checked with the commit.
    let current = object::find(s3, &bucket, &input.key).await?;
    condition.check(&input.key, current.as_ref().map(|stored| &stored.record))?;

    let length = content::length(&input.body)?;
    let mut intake = Intake::new(input.body, stated, own, content::BODY_BYTES_MAX);
    let taken = content::take(s3, &mut intake, length).await?;
    let digest = intake.finish()?;
    let new = New { size: digest.size, etag: digest.etag(), sum: digest.sum(), headers, tags, taken };
    let cause = Cause { cx, event: "ObjectCreated:Put" };
    let object = object::save(s3, &bucket, &input.key, new, &condition, &cause).await?;

    let mut output = g::PutObjectOutput {
        e_tag: Some(quoted(&object.etag)),
        checksum_type: Some(checksum::kind(object.sum.full)),
        ..Default::default()
    };
    checksum::tell(&mut output, &object.sum);
    Ok(output)
}
