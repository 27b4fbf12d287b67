//! PutBucketPolicy GetBucketPolicy DeleteBucketPolicy GetBucketPolicyStatus

use pagoda_policy::{Document, Kind};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use serde_json::Value;

use crate::generated as g;
use crate::table::Bucket;
use crate::{S3, bucket, public};

/// The longest bucket policy, in bytes.
const POLICY_BYTES_MAX: usize = 20 * 1024;

pub(crate) async fn put(s3: &S3, cx: &Context, input: g::PutBucketPolicyRequest) -> Result<Unit, ApiError> {
    let document = check(&input.bucket, &input.policy)?;
    bucket::change(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref(), |bucket| {
        owners_only(cx, bucket)?;
        if bucket.block.is_some_and(|block| block.block_public_policy) && public::is_public(&document) {
            return Err(blocked(cx, bucket));
        }
        bucket.policy = Some(input.policy.clone());
        Ok(Unit)
    })
    .await
}

/// Refuses a document that could not be this bucket's policy.
fn check(bucket: &str, text: &str) -> Result<Value, ApiError> {
    let malformed = |message: &str| ApiError::new("MalformedPolicy", 400, message);
    if text.len() > POLICY_BYTES_MAX {
        return Err(malformed("Policy exceeds the maximum allowed document size."));
    }
    Document::parse(text, Kind::Resource).map_err(|error| malformed(&error.to_string()))?;
    let document: Value =
        serde_json::from_str(text).map_err(|_| malformed("This policy contains invalid Json"))?;
    for statement in public::list(&document["Statement"]) {
        let actions = texts(&statement["Action"]).chain(texts(&statement["NotAction"]));
        if { actions }.any(|action| action != "*" && !action.to_ascii_lowercase().starts_with("s3:")) {
            return Err(malformed("Policy has invalid action"));
        }
        let resources = texts(&statement["Resource"]).chain(texts(&statement["NotResource"]));
        if { resources }.any(|resource| !is_within(bucket, resource)) {
            return Err(malformed("Policy has invalid resource"));
        }
    }
    Ok(document)
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    public::list(value).iter().filter_map(Value::as_str)
}

fn is_within(bucket: &str, resource: &str) -> bool {
    let Some(path) = resource.strip_prefix("arn:aws:s3:::") else { return false };
    path.strip_prefix(bucket).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '*']))
}

/// Others can be given much by a policy, but never the policy itself.
fn owners_only(cx: &Context, bucket: &Bucket) -> Result<(), ApiError> {
    if cx.caller.principal.account() == Some(bucket.account) {
        return Ok(());
    }
    let message = "The specified method is not allowed against this resource.";
    Err(ApiError::new("MethodNotAllowed", 405, message))
}

fn blocked(cx: &Context, bucket: &Bucket) -> ApiError {
    let message = format!(
        "User: {} is not authorized to perform: s3:PutBucketPolicy on resource: \"{}\" because public policies are \
         blocked by the BlockPublicPolicy block public access setting.",
        cx.caller.arn(),
        bucket.arn()
    );
    ApiError::new("AccessDenied", 403, message)
}

fn none(bucket: Bucket) -> ApiError {
    ApiError::new("NoSuchBucketPolicy", 404, "The bucket policy does not exist")
        .with_field("BucketName", bucket.name)
}

pub(crate) async fn get(
    s3: &S3,
    cx: &Context,
    input: g::GetBucketPolicyRequest,
) -> Result<g::GetBucketPolicyOutput, ApiError> {
    let mut bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    owners_only(cx, &bucket)?;
    match bucket.policy.take() {
        Some(policy) => Ok(g::GetBucketPolicyOutput { policy: Some(policy) }),
        None => Err(none(bucket)),
    }
}

pub(crate) async fn status(
    s3: &S3,
    cx: &Context,
    input: g::GetBucketPolicyStatusRequest,
) -> Result<g::GetBucketPolicyStatusOutput, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let Some(policy) = &bucket.policy else { return Err(none(bucket)) };
    let is_public = serde_json::from_str(policy).is_ok_and(|document: Value| public::is_public(&document));
    let policy_status = Some(g::PolicyStatus { is_public: Some(is_public) });
    Ok(g::GetBucketPolicyStatusOutput { policy_status })
}

pub(crate) async fn delete(
    s3: &S3,
    cx: &Context,
    input: g::DeleteBucketPolicyRequest,
) -> Result<Unit, ApiError> {
    bucket::change(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref(), |bucket| {
        owners_only(cx, bucket)?;
        bucket.policy = None;
        Ok(Unit)
    })
    .await
}
