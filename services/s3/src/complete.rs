//! CompleteMultipartUpload
//!
//! The parts stay where they are: the object that they become names their upload.

use md5::{Digest as _, Md5};
use pagoda_protocol::ApiError;
use pagoda_protocol::checksum::{Algorithm, Checksum, combine};
use pagoda_service::Context;
use pagoda_store::{Stamp, Stored};

use crate::checksum::{self, DEFAULT, Sums as _};
use crate::condition::{Writing, quoted};
use crate::generated as g;
use crate::outbox::Cause;
use crate::table::{self, Bucket, Content, Left, Object, Part, Sum, Upload};
use crate::{S3, bucket, content, error, object, upload};

/// The smallest part but the last one, in bytes.
const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;
/// The largest object, in bytes.
const OBJECT_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024 * 1024;

pub(crate) async fn complete(
    s3: &S3,
    cx: &Context,
    mut input: g::CompleteMultipartUploadRequest,
) -> Result<g::CompleteMultipartUploadOutput, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let wanted = input.multipart_upload.take().and_then(|upload| upload.parts).unwrap_or_default();
    check_order(&wanted)?;
    let stated = checksum::stated(&mut input)?;
    let condition = Writing::new(input.if_match.take(), input.if_none_match.take())?;
    let upload = match upload::require(s3, &bucket, &input.key, &input.upload_id).await {
        Ok(upload) => upload,
        Err(gone) => return again(s3, cx, &bucket, &input, gone).await,
    };
    // Read before the parts: a part that changes behind it makes the commit fail.
    let changes = s3.store().get(&table::changes(&input.upload_id)).await?;
    let changes = changes.ok_or_else(|| error::no_such_upload(&input.upload_id))?.stamp;
    let parts = chosen(s3, &input.upload_id, wanted).await?;
    let size = parts.iter().map(|(_, part)| part.size).sum();
    if size > OBJECT_BYTES_MAX {
        return Err(error::entity_too_large(size, OBJECT_BYTES_MAX));
    }
    if input.mpu_object_size.is_some_and(|stated| u64::try_from(stated) != Ok(size)) {
        let message = "The provided 'x-amz-mp-object-size' header does not match what was computed.";
        return Err(error::invalid_request(message));
    }
    let sum = sum_of(&upload.record, &parts)?;
    if let Some((algorithm, value)) = &stated
        && (algorithm.name() != sum.algorithm || *value != sum.value)
    {
        return Err(error::bad_digest(algorithm.name()));
    }
    let object = Object {
        size,
        etag: etag_of(&parts)?,
        modified: object::to_the_second(s3.clock.now()),
        content: content_of(&input.upload_id, &parts),
        sum,
        headers: upload.record.headers.clone(),
        tags: upload.record.tags.clone(),
    };
    let object =
        save(s3, cx, &bucket, &input, Checked { upload: &upload, changes, object }, &condition).await?;
    Ok(output(cx, &bucket, input.key, &object))
}

fn check_order(wanted: &[g::CompletedPart]) -> Result<(), ApiError> {
    if wanted.is_empty() || wanted.iter().any(|part| part.part_number.is_none() || part.e_tag.is_none()) {
        return Err(error::malformed_xml());
    }
    if wanted.is_sorted_by(|a, b| a.part_number < b.part_number) {
        return Ok(());
    }
    let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
    Err(ApiError::new("InvalidPartOrder", 400, message))
}

/// The parts that are named, if they are there as they are named, and large enough.
async fn chosen(s3: &S3, upload: &str, wanted: Vec<g::CompletedPart>) -> Result<Vec<(i32, Part)>, ApiError> {
    let all = content::parts(s3, upload, &[(1, crate::part::NUMBER_MAX)]).await?;
    let mut all = all.into_iter().peekable();
    let mut chosen = Vec::with_capacity(wanted.len());
    for mut wanted in wanted {
        let number = wanted.part_number.unwrap_or_default();
        while all.next_if(|(known, _)| *known < number).is_some() {}
        let part = match all.next_if(|(known, _)| *known == number) {
            Some((_, part)) if matches(&mut wanted, &part) => part,
            _ => return Err(invalid_part(upload, &wanted)),
        };
        chosen.push((number, part));
    }
    let but_last = &chosen[..chosen.len().saturating_sub(1)];
    match but_last.iter().find(|(_, part)| part.size < PART_BYTES_MIN) {
        Some((number, part)) => Err(too_small(*number, part)),
        None => Ok(chosen),
    }
}

fn matches(wanted: &mut g::CompletedPart, part: &Part) -> bool {
    let stated = checksum::named(&part.sum.algorithm).and_then(|algorithm| wanted.member(algorithm).clone());
    let etag = wanted.e_tag.as_deref().unwrap_or_default().trim_matches('"');
    etag == part.etag && stated.is_none_or(|value| value == part.sum.value)
}

fn invalid_part(upload: &str, wanted: &g::CompletedPart) -> ApiError {
    let message = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                   specified entity tag may not match the part's entity tag.";
    ApiError::new("InvalidPart", 400, message)
        .with_field("UploadId", upload)
        .with_field("PartNumber", wanted.part_number.unwrap_or_default().to_string())
        .with_field("ETag", wanted.e_tag.as_deref().unwrap_or_default().trim_matches('"'))
}

fn too_small(number: i32, part: &Part) -> ApiError {
    ApiError::new("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size")
        .with_field("ProposedSize", part.size.to_string())
        .with_field("MinSizeAllowed", PART_BYTES_MIN.to_string())
        .with_field("PartNumber", number.to_string())
        .with_field("ETag", &*part.etag)
}

/// MD5 of the parts' MD5s, and their count.
fn etag_of(parts: &[(i32, Part)]) -> Result<String, ApiError> {
    let mut md5 = Md5::new();
    for (_, part) in parts {
        md5.update(hex::decode(&part.etag).map_err(|_| ApiError::internal())?);
    }
    Ok(format!("{}-{}", hex::encode(md5.finalize()), parts.len()))
}

fn sum_of(upload: &Upload, parts: &[(i32, Part)]) -> Result<Sum, ApiError> {
    let algorithm = upload.algorithm.as_deref().and_then(checksum::named).unwrap_or(DEFAULT);
    let sums = parts.iter().map(|(_, part)| Ok((decoded(&part.sum.value)?, part.size)));
    let sums = sums.collect::<Result<Vec<_>, ApiError>>()?;
    let value = if upload.full { full(algorithm, &sums)? } else { composite(algorithm, &sums) };
    Ok(Sum { algorithm: algorithm.name().to_owned(), value, full: upload.full })
}

fn decoded(value: &str) -> Result<Vec<u8>, ApiError> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(value).map_err(|_| ApiError::internal())
}

fn full(algorithm: Algorithm, sums: &[(Vec<u8>, u64)]) -> Result<String, ApiError> {
    use base64::Engine as _;
    let whole = combine(algorithm, sums).ok_or_else(ApiError::internal)?;
    Ok(base64::engine::general_purpose::STANDARD.encode(whole))
}

fn composite(algorithm: Algorithm, sums: &[(Vec<u8>, u64)]) -> String {
    let mut checksum = Checksum::new(algorithm);
    for (sum, _) in sums {
        checksum.update(sum);
    }
    format!("{}-{}", checksum.finish_base64(), sums.len())
}

fn content_of(upload: &str, parts: &[(i32, Part)]) -> Content {
    let mut ranges: Vec<(i32, i32)> = Vec::new();
    for (number, _) in parts {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    Content::Parts { upload: upload.to_owned(), ranges, count: parts.len() as i32 }
}

/// An upload all of whose parts were looked at.
struct Checked<'a> {
    upload: &'a Stored<Upload>,
    /// When its parts had changed last.
    changes: Stamp,
    /// What it becomes.
    object: Object,
}

/// The object takes the upload's place; the parts that were not named are let go.
async fn save(
    s3: &S3,
    cx: &Context,
    bucket: &Bucket,
    input: &g::CompleteMultipartUploadRequest,
    checked: Checked<'_>,
    condition: &Writing,
) -> Result<Object, ApiError> {
    let Checked { upload, changes, object } = checked;
    let Content::Parts { ranges, .. } = object.content.clone() else { return Err(ApiError::internal()) };
    let id = &input.upload_id;
    let cause = Cause { cx, event: "ObjectCreated:CompleteMultipartUpload" };
    let attempt = object::replace(s3, bucket, &input.key, condition, &cause, |commit| {
        let commit = table::UPLOADS.remove(commit.at(table::changes(id), changes), upload);
        let unnamed = Left::Parts { upload: id.clone(), but: ranges.clone() };
        let commit = content::leave(upload::ended(commit, id), unnamed, s3.clock.now())?;
        Ok((object.clone(), commit))
    });
    attempt.await.map_err(|failure| match failure.code.as_ref() {
        // The upload went on, was completed, or was aborted at the same time.
        "ServiceUnavailable" => error::conflict(),
        _ => failure,
    })
}

/// A completion whose answer was lost is asked for again, and answered as it was.
async fn again(
    s3: &S3,
    cx: &Context,
    bucket: &Bucket,
    input: &g::CompleteMultipartUploadRequest,
    gone: ApiError,
) -> Result<g::CompleteMultipartUploadOutput, ApiError> {
    match object::find(s3, bucket, &input.key).await? {
        Some(Stored { record, .. }) if matches!(&record.content, Content::Parts { upload, .. } if *upload == input.upload_id) => {
            Ok(output(cx, bucket, input.key.clone(), &record))
        }
        _ => Err(gone),
    }
}

fn output(cx: &Context, bucket: &Bucket, key: String, object: &Object) -> g::CompleteMultipartUploadOutput {
    let mut output = g::CompleteMultipartUploadOutput {
        location: Some(format!("{}/{}/{}", cx.origin.endpoint, bucket.name, key)),
        bucket: Some(bucket.name.clone()),
        key: Some(key),
        e_tag: Some(quoted(&object.etag)),
        checksum_type: Some(checksum::kind(object.sum.full)),
        ..Default::default()
    };
    checksum::tell(&mut output, &object.sum);
    output
}
