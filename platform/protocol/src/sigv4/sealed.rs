//! The body of a request whose signature holds: checked against what was signed.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hmac::Key;
use http::request::Parts;

use super::chunked::{Chunks, Signing};
use super::payload::PayloadHash;
use super::refusal::Dialect;
use super::sha256_hex;
use super::stream::{Checked, Unchunked};
use crate::checksum::{Algorithm, Checksum};
use crate::{ApiError, Body};

/// What a verified signature says about the body that follows.
pub(super) struct Seal<'a> {
    pub(super) payload: &'a PayloadHash,
    pub(super) dialect: Dialect,
    pub(super) key: &'a Key,
    pub(super) amz_date: &'a str,
    pub(super) scope: &'a str,
    pub(super) signature: &'a str,
}

impl Seal<'_> {
    /// The body as the operation may see it.
    pub(super) fn body(self, parts: &Parts, body: Body) -> Result<Body, ApiError> {
        match self.payload {
            PayloadHash::OfBody | PayloadHash::Unsigned => Ok(body),
            PayloadHash::Sha256(hash) => self.hashed(hash, body),
            PayloadHash::SignedChunks { .. } => {
                let signing =
                    Signing::new(self.key.clone(), self.amz_date, self.scope.to_owned(), self.signature);
                unchunked(parts, body, Some(signing))
            }
            PayloadHash::UnsignedChunks => unchunked(parts, body, None),
        }
    }

    fn hashed(&self, hash: &str, body: Body) -> Result<Body, ApiError> {
        let dialect = self.dialect;
        if let Some(bytes) = body.bytes() {
            check_hash(dialect, hash, &sha256_hex(bytes))?;
            return Ok(body);
        }
        let length = body.len();
        let checked = Checked::new(body, Context::new(&SHA256), dialect, hash.to_owned());
        Ok(Body::stream(checked, length))
    }
}

/// Whether `actual` is the hash that was signed.
pub(super) fn check_hash(dialect: Dialect, signed: &str, actual: &str) -> Result<(), ApiError> {
    if verify_slices_are_equal(signed.to_ascii_lowercase().as_bytes(), actual.as_bytes()).is_ok() {
        return Ok(());
    }
    if dialect == Dialect::S3 {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(ApiError::new("XAmzContentSHA256Mismatch", 400, message)
            .with_field("ClientComputedContentSHA256", signed)
            .with_field("S3ComputedContentSHA256", actual));
    }
    Err(dialect.mismatch("", "", ""))
}

fn unchunked(parts: &Parts, body: Body, signing: Option<Signing>) -> Result<Body, ApiError> {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let length = header("x-amz-decoded-content-length").and_then(|text| text.parse::<u64>().ok());
    let length = length.ok_or_else(|| {
        ApiError::new("MissingContentLength", 411, "You must provide the Content-Length HTTP header.")
    })?;
    let checksum = header("x-amz-trailer").map(|name| {
        let name = name.trim().to_ascii_lowercase();
        Algorithm::of_header(&name).map(|algorithm| (name, Checksum::new(algorithm)))
    });
    let checksum = match checksum {
        Some(None) => return Err(ApiError::not_implemented("aws-chunked", "x-amz-trailer")),
        Some(some) => some,
        None => None,
    };
    Ok(Body::stream(Unchunked::new(body, Chunks::new(length, signing, checksum)), Some(length)))
}
