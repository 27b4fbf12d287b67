//! PutBucketWebsite GetBucketWebsite DeleteBucketWebsite
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketWebsite.html>

use pagoda_protocol::{ApiError, Unit, to_json};
use pagoda_service::Context;

use crate::generated as g;
use crate::table::Bucket;
use crate::{S3, bucket, error};

/// Routing rules of one website.
const RULES_MAX: usize = 50;

pub(crate) async fn put(s3: &S3, cx: &Context, input: g::PutBucketWebsiteRequest) -> Result<Unit, ApiError> {
    check(&input.website_configuration)?;
    let website = to_json(&input.website_configuration);
    bucket::change(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref(), |bucket| {
        bucket.website = Some(website.clone());
        Ok(Unit)
    })
    .await
}

fn check(website: &g::WebsiteConfiguration) -> Result<(), ApiError> {
    let rules = website.routing_rules.as_deref().unwrap_or_default();
    let has_others =
        website.error_document.is_some() || website.index_document.is_some() || !rules.is_empty();
    match (&website.redirect_all_requests_to, &website.index_document) {
        (Some(_), _) if has_others => {
            let message = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.";
            return Err(error::invalid_request(message));
        }
        (None, None) => {
            let message =
                "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty";
            return Err(error::invalid_argument("IndexDocument", "null", message));
        }
        (None, Some(index)) if index.suffix.is_empty() || index.suffix.contains('/') => {
            let message = "The IndexDocument Suffix is not well formed";
            return Err(error::invalid_argument("IndexDocument", &index.suffix, message));
        }
        _ => {}
    }
    if website.error_document.as_ref().is_some_and(|document| document.key.is_empty()) {
        return Err(error::invalid_argument("ErrorDocument", "", "The ErrorDocument Key is not well formed"));
    }
    if rules.len() > RULES_MAX {
        let message = format!(
            "{} routing rules provided, the number of routing rules in a website configuration is limited to {RULES_MAX}.",
            rules.len()
        );
        return Err(error::invalid_request(&message));
    }
    rules.iter().try_for_each(check_rule)
}

fn check_rule(rule: &g::RoutingRule) -> Result<(), ApiError> {
    let redirect = &rule.redirect;
    if redirect.replace_key_with.is_some() && redirect.replace_key_prefix_with.is_some() {
        let message = "You can only define ReplaceKeyPrefix or ReplaceKey but not both.";
        return Err(error::invalid_request(message));
    }
    let in_range = |code: &Option<String>, from: u16, to: u16| {
        code.as_ref().is_none_or(|code| code.parse::<u16>().is_ok_and(|code| (from..=to).contains(&code)))
    };
    if !in_range(&redirect.http_redirect_code, 301, 399) {
        let code = redirect.http_redirect_code.as_deref().unwrap_or_default();
        let message =
            format!("The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300.");
        return Err(error::invalid_request(&message));
    }
    let Some(condition) = &rule.condition else { return Ok(()) };
    if condition.http_error_code_returned_equals.is_none() && condition.key_prefix_equals.is_none() {
        return Err(error::invalid_request(
            "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't be present.",
        ));
    }
    if !in_range(&condition.http_error_code_returned_equals, 400, 599) {
        let code = condition.http_error_code_returned_equals.as_deref().unwrap_or_default();
        let message =
            format!("The provided HTTP error code ({code}) is not valid. Valid codes are 4XX or 5XX.");
        return Err(error::invalid_request(&message));
    }
    Ok(())
}

/// The website of a bucket.
pub(crate) fn of(bucket: &Bucket) -> Result<Option<g::WebsiteConfiguration>, ApiError> {
    Bucket::stored(bucket.website.as_ref())
}

/// The bucket is no website.
pub(crate) fn none(bucket: &str) -> ApiError {
    let message = "The specified bucket does not have a website configuration";
    ApiError::new("NoSuchWebsiteConfiguration", 404, message).with_field("BucketName", bucket)
}

pub(crate) async fn get(
    s3: &S3,
    cx: &Context,
    input: g::GetBucketWebsiteRequest,
) -> Result<g::GetBucketWebsiteOutput, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let website = of(&bucket)?.ok_or_else(|| none(&bucket.name))?;
    Ok(g::GetBucketWebsiteOutput {
        redirect_all_requests_to: website.redirect_all_requests_to,
        index_document: website.index_document,
        error_document: website.error_document,
        routing_rules: website.routing_rules,
    })
}

pub(crate) async fn delete(
    s3: &S3,
    cx: &Context,
    input: g::DeleteBucketWebsiteRequest,
) -> Result<Unit, ApiError> {
    bucket::change(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref(), |bucket| {
        bucket.website = None;
        Ok(Unit)
    })
    .await
}
