//! PutBucketCors GetBucketCors DeleteBucketCors
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html>

use pagoda_protocol::{ApiError, Unit, to_json};
use pagoda_service::Context;

use crate::generated as g;
use crate::table::Bucket;
use crate::{S3, bucket, error};

/// Rules of one bucket.
const RULES_MAX: usize = 100;
const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];

pub(crate) async fn put(s3: &S3, cx: &Context, input: g::PutBucketCorsRequest) -> Result<Unit, ApiError> {
    let rules = &input.cors_configuration.cors_rules;
    if rules.is_empty() || rules.len() > RULES_MAX {
        return Err(error::malformed_xml());
    }
    rules.iter().try_for_each(check)?;
    let cors = to_json(&input.cors_configuration);
    bucket::change(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref(), |bucket| {
        bucket.cors = Some(cors.clone());
        Ok(Unit)
    })
    .await
}

fn check(rule: &g::CORSRule) -> Result<(), ApiError> {
    if rule.allowed_methods.is_empty() || rule.allowed_origins.is_empty() {
        return Err(error::malformed_xml());
    }
    if let Some(method) = rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
        let message = format!("Found unsupported HTTP method in CORS config. Unsupported method is {method}");
        return Err(error::invalid_request(&message));
    }
    let wild = |text: &&String| text.matches('*').count() > 1;
    if let Some(origin) = rule.allowed_origins.iter().find(wild) {
        let message = format!("AllowedOrigin \"{origin}\" can not have more than one wildcard.");
        return Err(error::invalid_request(&message));
    }
    if let Some(header) = rule.allowed_headers.iter().flatten().find(wild) {
        let message = format!("AllowedHeader \"{header}\" can not have more than one wildcard.");
        return Err(error::invalid_request(&message));
    }
    if let Some(header) = rule.expose_headers.iter().flatten().find(|header| header.contains('*')) {
        let message = format!(
            "ExposeHeader \"{header}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
        );
        return Err(error::invalid_request(&message));
    }
    Ok(())
}

/// The rules of a bucket.
pub(crate) fn of(bucket: &Bucket) -> Result<Vec<g::CORSRule>, ApiError> {
    let stored: Option<g::CORSConfiguration> = Bucket::stored(bucket.cors.as_ref())?;
    Ok(stored.map(|stored| stored.cors_rules).unwrap_or_default())
}

pub(crate) async fn get(
    s3: &S3,
    cx: &Context,
    input: g::GetBucketCorsRequest,
) -> Result<g::GetBucketCorsOutput, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let rules = of(&bucket)?;
    if rules.is_empty() {
        let message = "The CORS configuration does not exist";
        return Err(
            ApiError::new("NoSuchCORSConfiguration", 404, message).with_field("BucketName", bucket.name)
        );
    }
    Ok(g::GetBucketCorsOutput { cors_rules: Some(rules) })
}

pub(crate) async fn delete(
    s3: &S3,
    cx: &Context,
    input: g::DeleteBucketCorsRequest,
) -> Result<Unit, ApiError> {
    bucket::change(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref(), |bucket| {
        bucket.cors = None;
        Ok(Unit)
    })
    .await
}
