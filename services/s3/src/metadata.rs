//! The headers that are stored with an object.

use std::collections::BTreeMap;

use pagoda_protocol::ApiError;

use crate::generated as g;
use crate::table::Headers;

/// All names and values of user metadata together, in bytes.
const METADATA_BYTES_MAX: usize = 2 * 1024;
/// What an object is that nobody said anything about.
pub(crate) const UNKNOWN_TYPE: &str = "binary/octet-stream";

macro_rules! headers_of {
    ($($input:ident),*) => {$(
        impl g::$input {
            /// The headers to store with the object.
            pub(crate) fn headers(&mut self) -> Result<Headers, ApiError> {
                check_class(stringify!($input), self.storage_class.as_deref())?;
                check_redirect(self.website_redirect_location.as_deref())?;
                Ok(Headers {
                    cache_control: self.cache_control.take(),
                    content_disposition: self.content_disposition.take(),
                    content_encoding: self.content_encoding.take().and_then(without_chunking),
                    content_language: self.content_language.take(),
                    content_type: self.content_type.take().filter(|kind| !kind.is_empty()),
                    expires: self.expires.take(),
                    redirect: self.website_redirect_location.take(),
                    metadata: checked(self.metadata.take().unwrap_or_default())?,
                })
            }
        }
    )*};
}

headers_of!(PutObjectRequest, CopyObjectRequest, CreateMultipartUploadRequest);

/// `aws-chunked` is how the body came, not what it is.
fn without_chunking(encoding: String) -> Option<String> {
    let kept = encoding.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "aws-chunked");
    let kept: Vec<_> = kept.collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

fn check_class(input: &str, class: Option<&str>) -> Result<(), ApiError> {
    let Some(class) = class.filter(|class| *class != "STANDARD") else { return Ok(()) };
    if class.parse::<g::ObjectStorageClass>().is_ok() {
        let operation = input.trim_end_matches("Request");
        return Err(ApiError::not_implemented(operation, &format!("StorageClass {class}")));
    }
    Err(ApiError::new("InvalidStorageClass", 400, "The storage class you specified is not valid")
        .with_field("StorageClassRequested", class))
}

fn check_redirect(location: Option<&str>) -> Result<(), ApiError> {
    let is_place = |text: &str| ["/", "http://", "https://"].iter().any(|start| text.starts_with(start));
    match location {
        Some(text) if !is_place(text) || text.len() > 2048 => {
            let message =
                "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.";
            Err(ApiError::new("InvalidRedirectLocation", 400, message))
        }
        _ => Ok(()),
    }
}

fn checked(metadata: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ApiError> {
    let size: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > METADATA_BYTES_MAX {
        let message = "Your metadata headers exceed the maximum allowed metadata size";
        return Err(ApiError::new("MetadataTooLarge", 400, message)
            .with_field("Size", size.to_string())
            .with_field("MaxSizeAllowed", METADATA_BYTES_MAX.to_string()));
    }
    Ok(metadata)
}
