//! AWS Signature Version 4: verification of requests, and signing of our own.
//!
//! Invariants: signatures are compared in constant time; a body is only handed on through what checks it
//! against the signed hash or the signed chunks; requests must be given as they were received, before any
//! host or path is rewritten.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>

mod canonical;
mod chunked;
mod credential;
mod key;
mod payload;
mod presented;
mod refusal;
mod sealed;
mod sign;
mod stream;
mod version2;

pub use credential::Credential;
pub use key::SigningKeys;
pub use payload::PayloadHash;
pub use presented::{Form, PathStyle, Presented, parse};
pub use refusal::Dialect;
pub use sign::{Credentials, sign};

/// How far a request's time may be from ours, in seconds.
pub const SKEW_SECONDS_MAX: i64 = 15 * 60;
/// How long a presigned URL may live, in seconds: a week.
pub const EXPIRES_SECONDS_MAX: i64 = 604_800;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}
