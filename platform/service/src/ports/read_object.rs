//! An S3 object, read by another service on its caller's behalf.

use async_trait::async_trait;
use pagoda_protocol::{ApiError, ByteStream};

use crate::Context;

/// Reads objects.
#[async_trait]
pub trait ReadObject: Send + Sync {
    /// The object's length in bytes and its content, if the caller of `cx` may `s3:GetObject` it.
    ///
    /// # Errors
    /// S3's own: `NoSuchBucket`, `NoSuchKey`, `AccessDenied`.
    async fn read(
        &self,
        cx: &Context,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
    ) -> Result<(u64, ByteStream), ApiError>;
}
