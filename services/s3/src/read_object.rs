//! Objects for other services, read as their caller.

use async_trait::async_trait;
use pagoda_protocol::{ApiError, ByteStream};
use pagoda_service::Context;
use pagoda_service::ports::ReadObject;

use crate::{S3, access, bucket, get, name, object};

#[async_trait]
impl ReadObject for S3 {
    async fn read(
        &self,
        cx: &Context,
        bucket: &str,
        key: &str,
        version_id: Option<&str>,
    ) -> Result<(u64, ByteStream), ApiError> {
        let bucket = bucket::load(self, bucket).await?;
        object::authorize(self, cx, &bucket, &access::read(&bucket.name, key, version_id)).await?;
        name::check_version(version_id)?;
        let (object, body) = get::whole(self, cx, &bucket, key).await?;
        Ok((object.size, body))
    }
}
