//! The checksums that requests state and answers tell.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pagoda_protocol::ApiError;
use pagoda_protocol::checksum::Algorithm;

use crate::error;
use crate::generated as g;
use crate::table::Sum;

/// What S3 computes where the client names nothing.
pub(crate) const DEFAULT: Algorithm = Algorithm::Crc64Nvme;

/// A shape with a member for each checksum.
pub(crate) trait Sums {
    /// The member of an algorithm.
    fn member(&mut self, algorithm: Algorithm) -> &mut Option<String>;
}

macro_rules! sums {
    ($($shape:ident),* $(,)?) => {$(
        impl Sums for g::$shape {
            fn member(&mut self, algorithm: Algorithm) -> &mut Option<String> {
                match algorithm {
                    Algorithm::Crc32 => &mut self.checksum_crc32,
                    Algorithm::Crc32c => &mut self.checksum_crc32c,
                    Algorithm::Crc64Nvme => &mut self.checksum_crc64_nvme,
                    Algorithm::Sha1 => &mut self.checksum_sha1,
                    Algorithm::Sha256 => &mut self.checksum_sha256,
                    Algorithm::Sha512 => &mut self.checksum_sha512,
                }
            }
        }
    )*};
}

sums!(
    Checksum,
    CompleteMultipartUploadOutput,
    CompleteMultipartUploadRequest,
    CompletedPart,
    CopyObjectResult,
    CopyPartResult,
    GetObjectOutput,
    HeadObjectOutput,
    ObjectPart,
    Part,
    PutObjectOutput,
    PutObjectRequest,
    UploadPartOutput,
    UploadPartRequest,
);

/// Writes `sum` into an answer.
pub(crate) fn tell(into: &mut impl Sums, sum: &Sum) {
    if let Some(algorithm) = named(&sum.algorithm) {
        *into.member(algorithm) = Some(sum.value.clone());
    }
}

/// The one checksum that a request states.
pub(crate) fn stated(request: &mut impl Sums) -> Result<Option<(Algorithm, String)>, ApiError> {
    let mut stated = None;
    for algorithm in Algorithm::ALL {
        let Some(value) = request.member(algorithm).take() else { continue };
        if stated.is_some() {
            let message =
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(error::invalid_request(message));
        }
        stated = Some((algorithm, value));
    }
    Ok(stated)
}

/// The same for a body's checksum, whose value must be one.
pub(crate) fn stated_of_body(request: &mut impl Sums) -> Result<Option<(Algorithm, String)>, ApiError> {
    let stated = stated(request)?;
    if let Some((algorithm, value)) = &stated
        && STANDARD.decode(value).map_or(0, |bytes| bytes.len()) != width(*algorithm)
    {
        let message = format!("Value for {} header is invalid.", algorithm.header());
        return Err(error::invalid_request(&message));
    }
    Ok(stated)
}

/// The length of a checksum, in bytes.
fn width(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Crc32 | Algorithm::Crc32c => 4,
        Algorithm::Crc64Nvme => 8,
        Algorithm::Sha1 => 20,
        Algorithm::Sha256 => 32,
        Algorithm::Sha512 => 64,
    }
}

/// The algorithm of S3's name.
pub(crate) fn named(name: &str) -> Option<Algorithm> {
    Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
}

/// The algorithm of the model's value, if the platform computes it.
pub(crate) fn wanted(
    operation: &str,
    value: Option<g::ChecksumAlgorithm>,
) -> Result<Option<Algorithm>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    match named(value.as_str()) {
        Some(algorithm) => Ok(Some(algorithm)),
        None => Err(ApiError::not_implemented(operation, &format!("ChecksumAlgorithm {}", value.as_str()))),
    }
}

/// The model's value for a stored checksum's kind.
pub(crate) fn kind(full: bool) -> g::ChecksumType {
    if full { g::ChecksumType::FullObject } else { g::ChecksumType::Composite }
}
