//! S3's errors in its own words, with the fields that name what they are about.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use pagoda_protocol::ApiError;
use pagoda_store::BlobError;

use crate::generated as g;

/// The bucket does not exist.
pub(crate) fn no_such_bucket(bucket: &str) -> ApiError {
    let error: ApiError = g::NoSuchBucket::new("The specified bucket does not exist").into();
    error.with_field("BucketName", bucket)
}

/// The object does not exist.
pub(crate) fn no_such_key(key: &str) -> ApiError {
    let error: ApiError = g::NoSuchKey::new("The specified key does not exist.").into();
    error.with_field("Key", key)
}

/// The upload does not exist, or no longer.
pub(crate) fn no_such_upload(id: &str) -> ApiError {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                   aborted or completed.";
    ApiError::new("NoSuchUpload", 404, message).with_field("UploadId", id)
}

/// 403 without a reason.
pub(crate) fn access_denied() -> ApiError {
    ApiError::new("AccessDenied", 403, "Access Denied")
}

/// 400: `argument` cannot be `value`.
pub(crate) fn invalid_argument(argument: &'static str, value: &str, message: &str) -> ApiError {
    ApiError::new("InvalidArgument", 400, message)
        .with_field("ArgumentName", argument)
        .with_field("ArgumentValue", value)
}

/// 400: what was asked contradicts itself.
pub(crate) fn invalid_request(message: &str) -> ApiError {
    ApiError::new("InvalidRequest", 400, message)
}

/// 400: the document breaks a rule that its schema does not tell.
pub(crate) fn malformed_xml() -> ApiError {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    ApiError::new("MalformedXML", 400, message)
}

/// 412: `condition`, a header's name, does not hold.
pub(crate) fn precondition_failed(condition: &'static str) -> ApiError {
    let message = "At least one of the pre-conditions you specified did not hold";
    ApiError::new("PreconditionFailed", 412, message).with_field("Condition", condition)
}

/// 400: the body is not what its digest says.
pub(crate) fn bad_digest(algorithm: &str) -> ApiError {
    ApiError::new(
        "BadDigest",
        400,
        format!("The {algorithm} you specified did not match the calculated checksum."),
    )
}

/// 400: the object would be larger than `max`.
pub(crate) fn entity_too_large(proposed: u64, max: u64) -> ApiError {
    ApiError::new("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size")
        .with_field("ProposedSize", proposed.to_string())
        .with_field("MaxSizeAllowed", max.to_string())
}

/// 409: others kept writing the same thing.
pub(crate) fn conflict() -> ApiError {
    let message = "A conflicting conditional operation is currently in progress against this resource. Please try again.";
    ApiError::new("OperationAborted", 409, message)
}

/// What became of a body on its way in or out.
pub(crate) fn of_blob(error: BlobError) -> ApiError {
    match error {
        // The body itself says what is wrong with it.
        BlobError::Body(cause) => match cause.downcast::<ApiError>() {
            Ok(error) => error,
            Err(cause) => internal(&cause.to_string()),
        },
        other => internal(&other.to_string()),
    }
}

fn internal(cause: &str) -> ApiError {
    let message = "We encountered an internal error. Please try again.";
    ApiError { cause: Some(cause.to_owned()), ..ApiError::new("InternalError", 500, message) }
}
