//! PutPublicAccessBlock GetPublicAccessBlock DeletePublicAccessBlock
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;

use crate::generated as g;
use crate::table::Block;
use crate::{S3, bucket};

pub(crate) async fn put(
    s3: &S3,
    cx: &Context,
    input: g::PutPublicAccessBlockRequest,
) -> Result<Unit, ApiError> {
    let wanted = input.public_access_block_configuration;
    let block = Block {
        block_public_acls: wanted.block_public_acls.unwrap_or_default(),
        ignore_public_acls: wanted.ignore_public_acls.unwrap_or_default(),
        block_public_policy: wanted.block_public_policy.unwrap_or_default(),
        restrict_public_buckets: wanted.restrict_public_buckets.unwrap_or_default(),
    };
    bucket::change(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref(), |bucket| {
        bucket.block = Some(block);
        Ok(Unit)
    })
    .await
}

pub(crate) async fn get(
    s3: &S3,
    cx: &Context,
    input: g::GetPublicAccessBlockRequest,
) -> Result<g::GetPublicAccessBlockOutput, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let block = bucket.block.ok_or_else(|| {
        let message = "The public access block configuration was not found";
        ApiError::new("NoSuchPublicAccessBlockConfiguration", 404, message)
            .with_field("BucketName", bucket.name)
    })?;
    let configuration = g::PublicAccessBlockConfiguration {
        block_public_acls: Some(block.block_public_acls),
        ignore_public_acls: Some(block.ignore_public_acls),
        block_public_policy: Some(block.block_public_policy),
        restrict_public_buckets: Some(block.restrict_public_buckets),
    };
    Ok(g::GetPublicAccessBlockOutput { public_access_block_configuration: Some(configuration) })
}

pub(crate) async fn delete(
    s3: &S3,
    cx: &Context,
    input: g::DeletePublicAccessBlockRequest,
) -> Result<Unit, ApiError> {
    bucket::change(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref(), |bucket| {
        bucket.block = None;
        Ok(Unit)
    })
    .await
}
