//! The code that a request brings: inline, or in S3.

use std::fs::File;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use tokio::io::AsyncWriteExt as _;

use crate::Lambda;
use crate::generated as g;
use crate::image::{IMAGE_BYTES_MAX, Image};
use crate::package::{self, Hold};

/// The largest archive that a request may hold itself, in bytes.
const INLINE_BYTES_MAX: usize = 50 * 1024 * 1024;

/// Where a request says its code is.
#[derive(Default)]
pub(crate) struct Source {
    pub(crate) zip_file: Option<Bytes>,
    pub(crate) s3_bucket: Option<String>,
    pub(crate) s3_key: Option<String>,
    pub(crate) s3_object_version: Option<String>,
    pub(crate) image_uri: Option<String>,
}

impl From<g::FunctionCode> for Source {
    fn from(code: g::FunctionCode) -> Self {
        let g::FunctionCode { zip_file, s3_bucket, s3_key, s3_object_version, image_uri } = code;
        Self { zip_file, s3_bucket, s3_key, s3_object_version, image_uri }
    }
}

/// What came of it.
pub(crate) struct Published {
    pub(crate) hold: Hold,
    /// How it is run, if it is an image.
    pub(crate) image: Option<Image>,
}

impl Lambda {
    /// Fetches the archive, and unpacks it unless it is there already.
    ///
    /// # Errors
    /// `InvalidParameterValueException` for an archive that cannot be read, found or unpacked.
    pub(crate) async fn publish(&self, cx: &Context, source: Source) -> Result<Published, ApiError> {
        if let Some(uri) = source.image_uri {
            if source.zip_file.is_some() || source.s3_bucket.is_some() || source.s3_key.is_some() {
                return Err(invalid(
                    "Please do not provide other FunctionCode parameters when providing an ImageUri.",
                ));
            }
            let archive = self.fetch_image(cx, &uri).await?;
            let (hold, image) = self.packages.publish_image(archive, uri).await?;
            return Ok(Published { hold, image: Some(image) });
        }
        let archive = self.fetch(cx, source).await?;
        Ok(Published { hold: self.packages.publish(archive).await?, image: None })
    }

    /// The image's archive, an object in S3.
    async fn fetch_image(&self, cx: &Context, uri: &str) -> Result<File, ApiError> {
        let place = uri.strip_prefix("s3://").and_then(|place| place.split_once('/'));
        let Some((bucket, key)) = place.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty()) else {
            let message = format!(
                "Source image {uri} is not valid. There is no registry here: provide the URI of an OCI image layout \
                 in S3, s3://bucket/key."
            );
            return Err(invalid(&message));
        };
        let failed = |error| of_s3(error, bucket, key);
        let (bytes, content) = self.ports.read_object.read(cx, bucket, key, None).await.map_err(failed)?;
        if bytes > IMAGE_BYTES_MAX {
            return Err(invalid(&format!("The source image must be smaller than {IMAGE_BYTES_MAX} bytes.")));
        }
        let broken =
            |error: std::io::Error| ApiError { cause: Some(error.to_string()), ..ApiError::internal() };
        let mut file = tokio::fs::File::from_std(self.packages.scratch().map_err(broken)?);
        let mut content = content;
        while let Some(frame) = content.frame().await {
            let data = frame.map_err(failed)?.into_data().unwrap_or_default();
            file.write_all(&data).await.map_err(broken)?;
        }
        file.flush().await.map_err(broken)?;
        Ok(file.into_std().await)
    }

    async fn fetch(&self, cx: &Context, source: Source) -> Result<Bytes, ApiError> {
        let Source { zip_file, s3_bucket, s3_key, s3_object_version, .. } = source;
        match (zip_file, s3_bucket, s3_key) {
            (Some(archive), None, None) if s3_object_version.is_none() => check_inline(archive),
            (None, Some(bucket), Some(key)) => {
                self.fetch_object(cx, &bucket, &key, s3_object_version.as_deref()).await
            }
            (None, None, None) => Err(invalid("Please provide a source for function code.")),
            (Some(_), _, _) => {
                Err(invalid("Please do not provide other FunctionCode parameters when providing a ZipFile."))
            }
            _ => Err(invalid("Please provide both an S3Bucket and an S3Key.")),
        }
    }

    async fn fetch_object(
        &self,
        cx: &Context,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Bytes, ApiError> {
        let failed = |error| of_s3(error, bucket, key);
        let (bytes, content) = self.ports.read_object.read(cx, bucket, key, version).await.map_err(failed)?;
        if bytes > package::UNPACKED_BYTES_MAX {
            return Err(invalid(&package::too_large()));
        }
        content.collect(package::UNPACKED_BYTES_MAX as usize).await.map_err(failed)
    }
}

fn check_inline(archive: Bytes) -> Result<Bytes, ApiError> {
    if archive.len() > INLINE_BYTES_MAX {
        let message = "Request must be smaller than 70167211 bytes for the CreateFunction operation";
        return Err(ApiError::new("RequestEntityTooLargeException", 413, message));
    }
    Ok(archive)
}

/// S3's error as Lambda passes it on.
fn of_s3(error: ApiError, bucket: &str, key: &str) -> ApiError {
    let detail = format!("S3 Error Code: {}. S3 Error Message: {}", error.code, error.message);
    if error.status.is_server_error() {
        return error;
    }
    if error.status == http::StatusCode::FORBIDDEN {
        let message = format!(
            "Your access has been denied by S3, please make sure your request credentials have permission to \
             GetObject for {bucket}/{key}. {detail}"
        );
        return ApiError::new("AccessDeniedException", 403, message);
    }
    invalid(&format!("Error occurred while GetObject. {detail}"))
}

fn invalid(message: &str) -> ApiError {
    g::InvalidParameterValueException::new(message).into()
}
