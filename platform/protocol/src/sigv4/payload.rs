//! What a signature says about the body.

use http::request::Parts;

use super::refusal::Dialect;
use crate::ApiError;

/// The value that stands for the body in a canonical request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayloadHash {
    /// No header names it: the hash of the body counts.
    OfBody,
    /// This SHA-256 in hexadecimal.
    Sha256(String),
    /// `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// Chunks that carry signatures; the trailer too, where there is one.
    SignedChunks {
        /// A trailer follows the chunks.
        trailer: bool,
    },
    /// Chunks without signatures and a trailer with a checksum.
    UnsignedChunks,
}

impl PayloadHash {
    /// The text in the canonical request; nothing where it is the body's hash.
    pub fn as_str(&self) -> Option<&str> {
        Some(match self {
            Self::OfBody => return None,
            Self::Sha256(hash) => hash,
            Self::Unsigned => "UNSIGNED-PAYLOAD",
            Self::SignedChunks { trailer: false } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::SignedChunks { trailer: true } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::UnsignedChunks => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        })
    }

    /// What the header `x-amz-content-sha256` says.
    pub(super) fn of_header(parts: &Parts, dialect: Dialect) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get("x-amz-content-sha256") else {
            if dialect == Dialect::S3 {
                let message = "Missing required header for this request: x-amz-content-sha256";
                return Err(ApiError::new("InvalidRequest", 400, message));
            }
            return Ok(Self::OfBody);
        };
        Self::parse(value.to_str().unwrap_or_default(), dialect)
    }

    /// What `text` in place of a body's hash says.
    pub(super) fn parse(text: &str, dialect: Dialect) -> Result<Self, ApiError> {
        let named = [
            Self::Unsigned,
            Self::SignedChunks { trailer: false },
            Self::SignedChunks { trailer: true },
            Self::UnsignedChunks,
        ];
        if let Some(hash) = named.into_iter().find(|hash| hash.as_str() == Some(text)) {
            return Ok(hash);
        }
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self::Sha256(text.to_owned()));
        }
        let message = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                       STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid \
                       sha256 value.";
        if dialect != Dialect::S3 {
            return Err(dialect.invalid(message));
        }
        Err(ApiError::new("InvalidArgument", 400, message)
            .with_field("ArgumentName", "x-amz-content-sha256")
            .with_field("ArgumentValue", text))
    }
}
