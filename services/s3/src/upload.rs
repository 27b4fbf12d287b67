//! CreateMultipartUpload AbortMultipartUpload

use pagoda_protocol::ApiError;
use pagoda_protocol::checksum::Algorithm;
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome, Stored};

use crate::generated as g;
use crate::table::{self, Bucket, Left, UPLOADS, Upload};
use crate::{S3, acl, bucket, checksum, content, error, fence, name, tag};

pub(crate) async fn create(
    s3: &S3,
    cx: &Context,
    mut input: g::CreateMultipartUploadRequest,
) -> Result<g::CreateMultipartUploadOutput, ApiError> {
    name::check_key(&input.key)?;
    let grants =
        [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
    acl::check_object(input.acl, grants)?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let algorithm = checksum::wanted("CreateMultipartUpload", input.checksum_algorithm)?;
    let full = is_full(algorithm, input.checksum_type)?;
    let upload = Upload {
        initiated: cx.now,
        initiator: cx.caller.arn(),
        algorithm: algorithm.map(|algorithm| algorithm.name().to_owned()),
        full,
        headers: input.headers()?,
        tags: tag::of_header(input.tagging.as_deref())?,
    };
    let id = new_id(s3, cx);
    let key = table::upload(&bucket.incarnation, input.key.as_bytes(), &id);
    let commit = UPLOADS.create(fence::read(s3, &bucket).await?.guard()?, &key, &upload)?;
    let commit = commit.add(table::changes(&id), 1);
    match s3.store().commit(commit).await? {
        Outcome::CheckFailed { .. } => return Err(error::conflict()),
        outcome => outcome.done()?,
    };
    Ok(g::CreateMultipartUploadOutput {
        bucket: Some(bucket.name),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: algorithm.map(|_| checksum::kind(full)),
        ..Default::default()
    })
}

/// Sortable by time, and not to be guessed.
fn new_id(s3: &S3, cx: &Context) -> String {
    let mut bytes = [0; 24];
    s3.random.fill(&mut bytes);
    format!("{:016x}{}", cx.now.as_nanosecond().max(0) as u64, hex::encode(bytes))
}

/// Whether the object's checksum will be of all its bytes, or of its parts' checksums.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
fn is_full(algorithm: Option<Algorithm>, kind: Option<g::ChecksumType>) -> Result<bool, ApiError> {
    let is_crc64 = matches!(algorithm, None | Some(Algorithm::Crc64Nvme));
    let is_hash = matches!(algorithm, Some(Algorithm::Sha1 | Algorithm::Sha256 | Algorithm::Sha512));
    let name = algorithm.map_or("crc64nvme".to_owned(), |algorithm| algorithm.name().to_ascii_lowercase());
    match kind {
        Some(_) if algorithm.is_none() => Err(error::invalid_request(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        )),
        Some(g::ChecksumType::FullObject) if is_hash => Err(error::invalid_request(&format!(
            "The FULL_OBJECT checksum type cannot be used with the {name} checksum algorithm."
        ))),
        Some(g::ChecksumType::Composite) if is_crc64 => Err(error::invalid_request(&format!(
            "The COMPOSITE checksum type cannot be used with the {name} checksum algorithm."
        ))),
        Some(kind) => Ok(kind == g::ChecksumType::FullObject),
        None => Ok(is_crc64),
    }
}

/// The upload, if it is still in progress.
pub(crate) async fn require(
    s3: &S3,
    bucket: &Bucket,
    key: &str,
    id: &str,
) -> Result<Stored<Upload>, ApiError> {
    name::check_key(key)?;
    // Ids have a fixed length; anything else was never given out.
    if id.len() != 64 {
        return Err(error::no_such_upload(id));
    }
    let found = UPLOADS.get(s3.store(), &table::upload(&bucket.incarnation, key.as_bytes(), id)).await?;
    found.ok_or_else(|| error::no_such_upload(id))
}

pub(crate) async fn abort(
    s3: &S3,
    cx: &Context,
    input: g::AbortMultipartUploadRequest,
) -> Result<g::AbortMultipartUploadOutput, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let upload = require(s3, &bucket, &input.key, &input.upload_id).await?;
    let commit = ended(UPLOADS.remove(Commit::new(), &upload), &input.upload_id);
    let left = Left::Parts { upload: input.upload_id.clone(), but: Vec::new() };
    let commit = content::leave(commit, left, s3.clock.now())?;
    match s3.store().commit(commit).await? {
        Outcome::CheckFailed { .. } => Err(error::no_such_upload(&input.upload_id)),
        outcome => {
            outcome.done()?;
            s3.sweep.now();
            Ok(g::AbortMultipartUploadOutput::default())
        }
    }
}

/// Adds the removal of what an upload has beside its row and its parts.
pub(crate) fn ended(commit: Commit, id: &str) -> Commit {
    commit.delete(table::changes(id))
}
