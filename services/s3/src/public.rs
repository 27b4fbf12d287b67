//! Who may reach a bucket: its owner, its policy, and what the public access block leaves of it.

use std::sync::Arc;

use pagoda_policy::{Document, Kind, Named, Principal};
use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context, Ownership};
use serde_json::Value;

use crate::table::Bucket;
use crate::{S3, bucket};

/// Condition keys that, with a fixed value, keep a statement from being public.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>
const LIMITING_KEYS: [&str; 14] = [
    "aws:sourceip",
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:userid",
    "aws:principalorgid",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:vpcsourceip",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
];

/// Operators that say what a value is, rather than what it is not.
const LIMITING_OPERATORS: [&str; 7] = [
    "stringequals",
    "stringequalsignorecase",
    "stringlike",
    "arnequals",
    "arnlike",
    "ipaddress",
    "numericequals",
];

/// Who owns the resource of `access`, and the policy that speaks for it.
pub(crate) async fn ownership(s3: &S3, cx: &Context, access: &Access) -> Result<Ownership, ApiError> {
    let name = access.resource.strip_prefix("arn:aws:s3:::").and_then(|path| path.split('/').next());
    let Some(name) = name.filter(|_| access.action != "s3:CreateBucket") else {
        return Ok(Ownership::of(cx.account));
    };
    let bucket = bucket::load(s3, name).await?;
    of_bucket(cx, &bucket)
}

/// The same for a bucket that was read already.
pub(crate) fn of_bucket(cx: &Context, bucket: &Bucket) -> Result<Ownership, ApiError> {
    let policy = match &bucket.policy {
        Some(text) if !is_withheld(cx, bucket, text) => Some(compiled(bucket, text)?),
        _ => None,
    };
    Ok(Ownership { policy, ..Ownership::of(bucket.account) })
}

fn compiled(bucket: &Bucket, text: &str) -> Result<Named, ApiError> {
    // It was checked when it was stored; one that no longer reads must not be taken for none.
    let document = Document::parse(text, Kind::Resource).map_err(|_| ApiError::internal())?;
    Ok(Named { name: bucket.arn(), document: Arc::new(document) })
}

/// RestrictPublicBuckets: a public policy speaks only to the owner's account and to services.
fn is_withheld(cx: &Context, bucket: &Bucket, policy: &str) -> bool {
    let principal = &cx.caller.principal;
    let is_inside = matches!(principal, Principal::Service(_)) || principal.account() == Some(bucket.account);
    let restricts = bucket.block.is_some_and(|block| block.restrict_public_buckets);
    restricts && !is_inside && serde_json::from_str(policy).map_or(true, |policy| is_public(&policy))
}

/// Whether a policy lets in everybody.
pub(crate) fn is_public(document: &Value) -> bool {
    list(&document["Statement"]).iter().any(|statement| {
        statement["Effect"] == "Allow" && names_everybody(statement) && !is_limited(&statement["Condition"])
    })
}

/// The elements of an array, or the one value.
pub(crate) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn names_everybody(statement: &Value) -> bool {
    let everybody =
        |value: &Value| list(value).iter().any(|text| text.as_str().is_some_and(|t| t.contains('*')));
    match &statement["Principal"] {
        Value::Null => !statement["NotPrincipal"].is_null(),
        Value::Object(kinds) => kinds.values().any(everybody),
        other => everybody(other),
    }
}

fn is_limited(condition: &Value) -> bool {
    let Some(operators) = condition.as_object() else { return false };
    operators.iter().any(|(operator, keys)| {
        let operator = operator.to_ascii_lowercase();
        // With "for all values" or "if exists", requests without the key are let in.
        LIMITING_OPERATORS.contains(&operator.as_str())
            && keys.as_object().is_some_and(|keys| keys.iter().any(|(key, values)| limits(key, values)))
    })
}

fn limits(key: &str, values: &Value) -> bool {
    let key = key.to_ascii_lowercase();
    let fixed = |value: &Value| match value.as_str() {
        Some(text) if key == "aws:sourceip" || key == "aws:vpcsourceip" => is_narrow(text),
        Some(text) => !text.contains("${") && is_fixed(&key, text),
        None => false,
    };
    LIMITING_KEYS.contains(&key.as_str()) && !list(values).is_empty() && list(values).iter().all(fixed)
}

/// In an ARN, the account must be fixed; elsewhere, everything.
fn is_fixed(key: &str, text: &str) -> bool {
    let is_arn = key.ends_with("arn");
    let account = text.split(':').nth(4).filter(|account| !account.is_empty());
    match account {
        Some(account) if is_arn => !account.contains(['*', '?']),
        _ => !text.contains(['*', '?']),
    }
}

/// Ranges wider than /8 (IPv4) and /32 (IPv6) are as good as everybody.
fn is_narrow(range: &str) -> bool {
    let (address, bits) = range.split_once('/').map_or((range, None), |(a, b)| (a, b.parse::<u8>().ok()));
    let widest = if address.contains(':') { 32 } else { 8 };
    !range.contains('/') || bits.is_some_and(|bits| bits >= widest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(statement: Value, expected: bool) {
        assert_eq!(is_public(&json!({"Statement": [statement.clone()]})), expected, "{statement}");
        assert_eq!(is_public(&json!({"Statement": statement})), expected);
    }

    #[test]
    fn public_is_what_lets_everybody_in() {
        check(json!({"Effect": "Allow", "Principal": "*"}), true);
        check(json!({"Effect": "Allow", "Principal": {"AWS": "*"}}), true);
        check(json!({"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::1:root", "*"]}}), true);
        check(json!({"Effect": "Allow", "NotPrincipal": {"AWS": "1"}}), true);
        check(json!({"Effect": "Deny", "Principal": "*"}), false);
        check(json!({"Effect": "Allow", "Principal": {"AWS": "111122223333"}}), false);
        check(json!({"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}}), false);
        let limited = |operator: &str, key: &str, value: Value| json!({"Effect": "Allow", "Principal": "*", "Condition": {operator: {key: value}}});
        check(limited("StringEquals", "aws:SourceAccount", json!("111122223333")), false);
        check(limited("StringLike", "aws:PrincipalOrgID", json!("*")), true);
        check(limited("StringNotEquals", "aws:SourceAccount", json!("1")), true);
        check(limited("StringEqualsIfExists", "aws:SourceAccount", json!("1")), true);
        check(limited("StringEquals", "aws:UserAgent", json!("secret")), true);
        check(limited("IpAddress", "aws:SourceIp", json!("10.0.0.0/8")), false);
        check(limited("IpAddress", "aws:SourceIp", json!(["10.0.0.0/8", "0.0.0.0/0"])), true);
        check(
            limited("ArnLike", "aws:SourceArn", json!("arn:aws:cloudfront::111122223333:distribution/*")),
            false,
        );
        check(limited("ArnLike", "aws:SourceArn", json!("arn:aws:cloudfront::*:distribution/*")), true);
    }
}
