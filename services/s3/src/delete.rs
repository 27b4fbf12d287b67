//! DeleteObject DeleteObjects

use futures_util::stream::{self, StreamExt};
use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::generated as g;
use crate::outbox::Cause;
use crate::table::Bucket;
use crate::{S3, access, bucket, error, name, object};

/// Keys of one request.
const KEYS_MAX: usize = 1000;
/// Objects that one request removes at a time.
const AT_ONCE: usize = 32;

pub(crate) async fn one(
    s3: &S3,
    cx: &Context,
    input: g::DeleteObjectRequest,
) -> Result<g::DeleteObjectOutput, ApiError> {
    name::check_version(input.version_id.as_deref())?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    object::remove(s3, &bucket, &input.key, input.if_match.as_deref(), &cause(cx)).await?;
    Ok(g::DeleteObjectOutput::default())
}

pub(crate) async fn many(
    s3: &S3,
    cx: &Context,
    input: g::DeleteObjectsRequest,
) -> Result<g::DeleteObjectsOutput, ApiError> {
    let wanted = input.delete.objects;
    if wanted.is_empty() || wanted.len() > KEYS_MAX {
        return Err(error::malformed_xml());
    }
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let removals = wanted.into_iter().map(|wanted| {
        let bucket = &bucket;
        async move { (remove(s3, cx, bucket, &wanted).await, wanted) }
    });
    let outcomes: Vec<_> = stream::iter(removals).buffered(AT_ONCE).collect().await;
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for (outcome, wanted) in outcomes {
        let (key, version_id) = (Some(wanted.key), wanted.version_id);
        match outcome {
            Ok(()) => deleted.push(g::DeletedObject { key, version_id, ..Default::default() }),
            Err(error) => errors.push(g::Error {
                key,
                version_id,
                code: Some(error.code.into_owned()),
                message: Some(error.message),
            }),
        }
    }
    let is_quiet = input.delete.quiet == Some(true);
    Ok(g::DeleteObjectsOutput {
        deleted: Some(deleted).filter(|_| !is_quiet),
        errors: Some(errors),
        ..Default::default()
    })
}

fn cause(cx: &Context) -> Cause<'_> {
    Cause { cx, event: "ObjectRemoved:Delete" }
}

async fn remove(
    s3: &S3,
    cx: &Context,
    bucket: &Bucket,
    wanted: &g::ObjectIdentifier,
) -> Result<(), ApiError> {
    let version = wanted.version_id.as_deref();
    object::authorize(s3, cx, bucket, &access::removed(&bucket.name, &wanted.key, version)).await?;
    name::check_version(version)?;
    object::remove(s3, bucket, &wanted.key, wanted.e_tag.as_deref(), &cause(cx)).await
}
