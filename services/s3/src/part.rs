//! UploadPart UploadPartCopy ListParts

use pagoda_protocol::checksum::Algorithm;
use pagoda_protocol::{ApiError, ByteStream};
use pagoda_service::Context;
use pagoda_store::{Outcome, StoreError};

use crate::condition::{Reading, quoted};
use crate::content::{self, BODY_BYTES_MAX, Taken};
use crate::digest::{Intake, Stated};
use crate::generated as g;
use crate::source::Source;
use crate::table::{self, Bucket, PARTS, Part, Upload};
use crate::{S3, acl, bucket, checksum, copy, error, fence, list, object, upload};

/// The highest number of a part.
pub(crate) const NUMBER_MAX: i32 = 10_000;
/// Attempts to write a part that others write as well.
const ATTEMPTS_MAX: u32 = 64;

/// Which part of which upload.
struct Place<'a> {
    key: &'a str,
    upload: &'a str,
    number: i32,
}

pub(crate) async fn upload(
    s3: &S3,
    cx: &Context,
    mut input: g::UploadPartRequest,
) -> Result<g::UploadPartOutput, ApiError> {
    check_number(input.part_number)?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let upload = upload::require(s3, &bucket, &input.key, &input.upload_id).await?.record;
    let sum = checksum::stated_of_body(&mut input)?;
    let stated = Stated::new(input.content_md5.as_deref(), sum)?;
    let sent = checksum::wanted("UploadPart", input.checksum_algorithm)?;
    check_algorithm(&upload, stated.sum.as_ref().map(|(algorithm, _)| *algorithm).or(sent))?;
    let place = Place { key: &input.key, upload: &input.upload_id, number: input.part_number };
    let part = take(s3, &bucket, &place, &upload, std::mem::take(&mut input.body), stated).await?;
    let mut output = g::UploadPartOutput { e_tag: Some(quoted(&part.etag)), ..Default::default() };
    checksum::tell(&mut output, &part.sum);
    Ok(output)
}

fn check_number(number: i32) -> Result<(), ApiError> {
    if (1..=NUMBER_MAX).contains(&number) {
        return Ok(());
    }
    let message = "Part number must be an integer between 1 and 10000, inclusive";
    Err(error::invalid_argument("partNumber", &number.to_string(), message))
}

/// A part's checksum must be of the kind that the upload was begun with.
fn check_algorithm(upload: &Upload, given: Option<Algorithm>) -> Result<(), ApiError> {
    match (&upload.algorithm, given) {
        (Some(expected), Some(actual)) if expected != actual.name() => {
            let message = format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                expected.to_ascii_lowercase(),
                actual.name().to_ascii_lowercase()
            );
            Err(error::invalid_request(&message))
        }
        _ => Ok(()),
    }
}

/// Takes in the body of a part and saves it.
async fn take(
    s3: &S3,
    bucket: &Bucket,
    place: &Place<'_>,
    upload: &Upload,
    body: ByteStream,
    stated: Stated,
) -> Result<Part, ApiError> {
    content::length(&body)?;
    let own = upload.algorithm.as_deref().and_then(checksum::named);
    let mut intake = Intake::new(body, stated, own, BODY_BYTES_MAX);
    let blob = content::take_blob(s3, &mut intake).await?;
    let digest = intake.finish()?;
    let etag = digest.etag();
    // The parts' checksums make the object's, so they are all of one kind.
    let part = Part {
        blob,
        size: digest.size,
        etag,
        modified: object::to_the_second(s3.clock.now()),
        sum: digest.own,
    };
    let saved = save(s3, bucket, place, &part).await;
    if saved.as_ref().is_err_and(|error| !error.status.is_server_error()) {
        content::discard(s3, Taken::Blob(blob)).await;
    }
    saved.map(|()| part)
}

async fn save(s3: &S3, bucket: &Bucket, place: &Place<'_>, part: &Part) -> Result<(), ApiError> {
    let row = table::part(place.upload, place.number);
    let _turn = s3.store().latches().of(&row).await;
    for _ in 0..ATTEMPTS_MAX {
        let upload = upload::require(s3, bucket, place.key, place.upload).await?;
        let current = PARTS.get(s3.store(), &row).await?;
        let commit = fence::read(s3, bucket).await?.guard()?.at(upload.key, upload.stamp);
        let commit = match &current {
            Some(stored) => content::let_blob_go(
                commit.at(row.clone(), stored.stamp),
                stored.record.blob,
                s3.clock.now(),
            )?,
            None => commit.absent(row.clone()),
        };
        let commit = content::use_blob(commit, part.blob)?.add(table::changes(place.upload), 1);
        let commit = PARTS.put(commit, &row, part)?;
        if let Outcome::Done(_) = s3.store().commit(commit).await? {
            return Ok(());
        }
    }
    Err(StoreError::Conflict { attempts: ATTEMPTS_MAX }.into())
}

pub(crate) async fn copy(
    s3: &S3,
    cx: &Context,
    input: g::UploadPartCopyRequest,
) -> Result<g::UploadPartCopyOutput, ApiError> {
    check_number(input.part_number)?;
    let source = Source::parse(&input.copy_source)?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let upload = upload::require(s3, &bucket, &input.key, &input.upload_id).await?.record;
    let reading = Reading {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    let (original, body, _) =
        copy::opened(s3, cx, &source, input.expected_source_bucket_owner.as_deref(), &reading).await?;
    let body = match &input.copy_source_range {
        None => body,
        Some(header) => {
            let wanted = wanted_range(header, original.size)?;
            let part = content::open(s3, &original.content, wanted).await?;
            part.ok_or_else(error::conflict)?
        }
    };
    let place = Place { key: &input.key, upload: &input.upload_id, number: input.part_number };
    let part = take(s3, &bucket, &place, &upload, body, Stated::default()).await?;
    let mut result = g::CopyPartResult {
        e_tag: Some(quoted(&part.etag)),
        last_modified: Some(part.modified),
        ..Default::default()
    };
    checksum::tell(&mut result, &part.sum);
    Ok(g::UploadPartCopyOutput { copy_part_result: Some(result), ..Default::default() })
}

/// Of a copy, both ends must be given and lie within the source.
fn wanted_range(header: &str, size: u64) -> Result<std::ops::Range<u64>, ApiError> {
    let ends = header.strip_prefix("bytes=").and_then(|ends| ends.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    match ends {
        Some((first, last)) if first <= last && last < size => Ok(first..last + 1),
        Some((first, last)) if first <= last => {
            let message = format!("Range specified is not valid for source object of size: {size}");
            Err(error::invalid_argument("x-amz-copy-source-range", header, &message))
        }
        _ => {
            let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last \
                           are the zero-based offsets of the first and last bytes to copy";
            Err(error::invalid_argument("x-amz-copy-source-range", header, message))
        }
    }
}

pub(crate) async fn list(
    s3: &S3,
    cx: &Context,
    input: g::ListPartsRequest,
) -> Result<g::ListPartsOutput, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let upload = upload::require(s3, &bucket, &input.key, &input.upload_id).await?.record;
    let max = list::page_size("max-parts", input.max_parts)?;
    let marker = input.part_number_marker.unwrap_or(0).clamp(0, NUMBER_MAX);
    let all = table::parts(&input.upload_id);
    let after = table::part(&input.upload_id, marker);
    let page = PARTS.scan(s3.store(), &all, Some(&after), max as u32 + 1).await?;
    let is_truncated = page.items.len() > max as usize && max > 0;
    let mut parts = Vec::new();
    for stored in page.items.into_iter().take(max as usize) {
        let part = stored.record;
        let mut told = g::Part {
            part_number: Some(content::part_number(&stored.key)?),
            last_modified: Some(part.modified),
            e_tag: Some(quoted(&part.etag)),
            size: i64::try_from(part.size).ok(),
            ..Default::default()
        };
        if upload.algorithm.is_some() {
            checksum::tell(&mut told, &part.sum);
        }
        parts.push(told);
    }
    Ok(g::ListPartsOutput {
        bucket: Some(bucket.name),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(marker),
        next_part_number_marker: parts.last().and_then(|part| part.part_number).or(Some(0)),
        max_parts: Some(max),
        is_truncated: Some(is_truncated),
        parts: Some(parts),
        initiator: Some(g::Initiator { id: Some(upload.initiator), display_name: None }),
        owner: Some(acl::owner(bucket.account)),
        storage_class: Some("STANDARD".into()),
        checksum_type: upload.algorithm.as_ref().map(|_| checksum::kind(upload.full)),
        checksum_algorithm: upload.algorithm.and_then(|name| name.parse().ok()),
        ..Default::default()
    })
}
