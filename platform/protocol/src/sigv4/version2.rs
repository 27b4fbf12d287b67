//! Presigned URLs of Signature Version 2, for S3 only: what boto3 makes by default for `us-east-1`.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>

use std::collections::BTreeMap;

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;

use super::canonical;
use super::presented::PathStyle;
use crate::query::pairs;

/// Query parameters that are part of what is signed, sorted.
const SIGNED: [&str; 35] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// What is signed of a request whose URL is good until `expires`.
pub(super) fn string_to_sign(parts: &Parts, expires: &str) -> String {
    let query: Vec<_> = pairs(parts.uri.query().unwrap_or_default()).collect();
    let value = |name: &str| {
        let of_query = || {
            query.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_ref().into())
        };
        canonical::header(parts, name).or_else(of_query).unwrap_or_default()
    };
    let mut text =
        format!("{}\n{}\n{}\n{expires}\n", parts.method, value("content-md5"), value("content-type"));
    let mut ours = BTreeMap::new();
    for name in parts.headers.keys().map(http::HeaderName::as_str) {
        ours.insert(name.to_owned(), canonical::header(parts, name).unwrap_or_default());
    }
    ours.extend(query.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_ref().into())));
    for (name, value) in ours.iter().filter(|(name, _)| name.starts_with("x-amz-")) {
        text.push_str(&format!("{name}:{value}\n"));
    }
    let path_style = parts.extensions.get::<PathStyle>();
    text.push_str(path_style.map_or(parts.uri.path(), |path| &path.0));
    let mut separator = '?';
    for signed in SIGNED {
        for (_, value) in query.iter().filter(|(name, _)| name == signed) {
            text.push(separator);
            text.push_str(signed);
            if !value.is_empty() {
                text.push_str(&format!("={value}"));
            }
            separator = '&';
        }
    }
    text
}

/// Whether `signature` (base64) is `text`'s; takes the same time wherever it differs.
pub(super) fn is_signed(secret: &str, text: &str, signature: &str) -> bool {
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    STANDARD
        .decode(signature)
        .is_ok_and(|bytes| aws_lc_rs::hmac::verify(&key, text.as_bytes(), &bytes).is_ok())
}
