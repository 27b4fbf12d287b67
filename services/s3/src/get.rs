//! GetObject HeadObject GetObjectAttributes

use std::ops::Range;

use pagoda_protocol::{ApiError, ByteStream};
use pagoda_service::Context;
use pagoda_store::StoreError;

use crate::condition::{Reading, http_date, quoted};
use crate::generated as g;
use crate::metadata::UNKNOWN_TYPE;
use crate::table::{Bucket, Content, Object};
use crate::{S3, bucket, checksum, content, error, name, object, range};

/// How often an object may be replaced between finding and opening it.
const ATTEMPTS_MAX: u32 = 16;

/// What of an object is answered.
struct Piece {
    range: Range<u64>,
    content_range: Option<String>,
    parts_count: Option<i32>,
}

/// GetObject and HeadObject ask and answer the same, in shapes of their own.
macro_rules! reads {
    ($($input:ident => $output:ident),*) => {$(
        impl g::$input {
            fn conditions(&self) -> Reading {
                Reading {
                    if_match: self.if_match.clone(),
                    if_none_match: self.if_none_match.clone(),
                    if_modified_since: self.if_modified_since,
                    if_unmodified_since: self.if_unmodified_since,
                }
            }

            fn overrides(&self) -> bool {
                self.response_cache_control.is_some()
                    || self.response_content_disposition.is_some()
                    || self.response_content_encoding.is_some()
                    || self.response_content_language.is_some()
                    || self.response_content_type.is_some()
                    || self.response_expires.is_some()
            }
        }

        impl g::$output {
            fn describe(&mut self, object: Object, piece: Piece, input: g::$input) {
                let headers = object.headers;
                // A checksum is of the whole, so a part of it is answered without.
                let is_whole = piece.content_range.is_none();
                if input.checksum_mode.is_some() && is_whole {
                    checksum::tell(self, &object.sum);
                    self.checksum_type = Some(checksum::kind(object.sum.full));
                }
                self.accept_ranges = Some("bytes".into());
                self.last_modified = Some(object.modified);
                self.content_length = i64::try_from(piece.range.end - piece.range.start).ok();
                self.e_tag = Some(quoted(&object.etag));
                self.cache_control = input.response_cache_control.or(headers.cache_control);
                self.content_disposition = input.response_content_disposition.or(headers.content_disposition);
                self.content_encoding = input.response_content_encoding.or(headers.content_encoding);
                self.content_language = input.response_content_language.or(headers.content_language);
                let kind = input.response_content_type.or(headers.content_type);
                self.content_type = kind.or_else(|| Some(UNKNOWN_TYPE.into()));
                self.content_range = piece.content_range;
                self.expires = input.response_expires.map(http_date).or(headers.expires);
                self.website_redirect_location = headers.redirect;
                self.metadata = Some(headers.metadata).filter(|metadata| !metadata.is_empty());
                self.parts_count = piece.parts_count;
                self.tag_count = i32::try_from(object.tags.len()).ok().filter(|count| *count > 0);
            }
        }
    )*};
}

reads!(GetObjectRequest => GetObjectOutput, HeadObjectRequest => HeadObjectOutput);

pub(crate) async fn get(
    s3: &S3,
    cx: &Context,
    input: g::GetObjectRequest,
) -> Result<g::GetObjectOutput, ApiError> {
    refuse_anonymous(cx, input.overrides())?;
    name::check_version(input.version_id.as_deref())?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let reading = input.conditions();
    for _ in 0..ATTEMPTS_MAX {
        let object = object::require(s3, cx, &bucket, &input.key).await?;
        reading.check(&object)?;
        let piece = piece(s3, &object, input.range.as_deref(), input.part_number).await?;
        let Some(body) = content::open(s3, &object.content, piece.range.clone()).await? else { continue };
        let mut output = g::GetObjectOutput { body, ..Default::default() };
        output.describe(object, piece, input);
        return Ok(output);
    }
    Err(StoreError::Conflict { attempts: ATTEMPTS_MAX }.into())
}

/// The whole content of an object and its description, as it is now.
pub(crate) async fn whole(
    s3: &S3,
    cx: &Context,
    bucket: &Bucket,
    key: &str,
) -> Result<(Object, ByteStream), ApiError> {
    for _ in 0..ATTEMPTS_MAX {
        let object = object::require(s3, cx, bucket, key).await?;
        if let Some(body) = content::open(s3, &object.content, 0..object.size).await? {
            return Ok((object, body));
        }
    }
    Err(StoreError::Conflict { attempts: ATTEMPTS_MAX }.into())
}

pub(crate) async fn head(
    s3: &S3,
    cx: &Context,
    input: g::HeadObjectRequest,
) -> Result<g::HeadObjectOutput, ApiError> {
    refuse_anonymous(cx, input.overrides())?;
    name::check_version(input.version_id.as_deref())?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let object = object::require(s3, cx, &bucket, &input.key).await?;
    let reading = input.conditions();
    reading.check(&object)?;
    let piece = piece(s3, &object, input.range.as_deref(), input.part_number).await?;
    let mut output = g::HeadObjectOutput::default();
    output.describe(object, piece, input);
    Ok(output)
}

/// Only who signs may say how an object is to be answered.
fn refuse_anonymous(cx: &Context, overrides: bool) -> Result<(), ApiError> {
    if overrides && cx.caller.principal == pagoda_policy::Principal::Anonymous {
        return Err(error::invalid_request(
            "Request specific response headers cannot be used for anonymous GET requests.",
        ));
    }
    Ok(())
}

/// What is asked for: a part by its number, a range, or everything.
async fn piece(
    s3: &S3,
    object: &Object,
    range: Option<&str>,
    part_number: Option<i32>,
) -> Result<Piece, ApiError> {
    let everything = 0..object.size;
    let Some(number) = part_number else {
        let range = range.map(|header| range::parse(header, object.size)).transpose()?.flatten();
        let content_range = range.as_ref().map(|range| range::told(range, object.size));
        return Ok(Piece { range: range.unwrap_or(everything), content_range, parts_count: None });
    };
    if range.is_some() {
        return Err(error::invalid_request(
            "Cannot specify both Range header and partNumber query parameter",
        ));
    }
    let missing = || {
        let message = "The requested partnumber is not satisfiable";
        ApiError::new("InvalidPartNumber", 416, message)
            .with_field("PartNumberRequested", number.to_string())
            .with_field("ActualPartCount", object.parts_count().unwrap_or(1).to_string())
    };
    let Content::Parts { upload, ranges, count } = &object.content else {
        return if number == 1 { Ok(first(object)) } else { Err(missing()) };
    };
    let mut start = 0;
    for (known, part) in content::parts(s3, upload, ranges).await? {
        if known == number {
            let range = start..start + part.size;
            let content_range = (object.size > 0).then(|| range::told(&range, object.size));
            return Ok(Piece { range, content_range, parts_count: Some(*count) });
        }
        start += part.size;
    }
    Err(missing())
}

/// An object that was put at once, as its own first part.
fn first(object: &Object) -> Piece {
    let range = 0..object.size;
    let content_range = (object.size > 0).then(|| range::told(&range, object.size));
    Piece { range, content_range, parts_count: None }
}

impl Object {
    /// How many parts it was made of, if it was.
    pub(crate) fn parts_count(&self) -> Option<i32> {
        match &self.content {
            Content::Parts { count, .. } => Some(*count),
            _ => None,
        }
    }
}

pub(crate) async fn attributes(
    s3: &S3,
    cx: &Context,
    input: g::GetObjectAttributesRequest,
) -> Result<g::GetObjectAttributesOutput, ApiError> {
    name::check_version(input.version_id.as_deref())?;
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let object = object::require(s3, cx, &bucket, &input.key).await?;
    let wants = |attribute| input.object_attributes.contains(&attribute);
    let checksum = wants(g::ObjectAttributes::Checksum).then(|| {
        let checksum_type = Some(checksum::kind(object.sum.full));
        let mut checksum = g::Checksum { checksum_type, ..Default::default() };
        checksum::tell(&mut checksum, &object.sum);
        checksum
    });
    let object_parts = match wants(g::ObjectAttributes::ObjectParts) {
        true => parts(s3, &object, input.max_parts, input.part_number_marker).await?,
        false => None,
    };
    Ok(g::GetObjectAttributesOutput {
        last_modified: Some(object.modified),
        e_tag: wants(g::ObjectAttributes::ETag).then(|| object.etag.clone()),
        checksum,
        object_parts,
        storage_class: wants(g::ObjectAttributes::StorageClass).then(|| "STANDARD".to_owned()),
        object_size: wants(g::ObjectAttributes::ObjectSize).then_some(object.size as i64),
        ..Default::default()
    })
}

async fn parts(
    s3: &S3,
    object: &Object,
    max: Option<i32>,
    marker: Option<i32>,
) -> Result<Option<g::GetObjectAttributesParts>, ApiError> {
    let Content::Parts { upload, ranges, count } = &object.content else { return Ok(None) };
    let max = max.unwrap_or(1000).clamp(0, 1000);
    let marker = marker.unwrap_or(0);
    let all = content::parts(s3, upload, ranges).await?;
    let mut rest = all.into_iter().filter(|(number, _)| *number > marker);
    let shown: Vec<_> = rest.by_ref().take(max as usize).collect();
    let last = shown.last().map_or(marker, |(number, _)| *number);
    let shown = shown.into_iter().map(|(number, part)| {
        let part_number = Some(number);
        let mut told = g::ObjectPart { part_number, size: Some(part.size as i64), ..Default::default() };
        checksum::tell(&mut told, &part.sum);
        told
    });
    Ok(Some(g::GetObjectAttributesParts {
        total_parts_count: Some(*count),
        part_number_marker: Some(marker),
        next_part_number_marker: Some(last),
        max_parts: Some(max),
        parts: Some(shown.collect()),
        is_truncated: Some(rest.next().is_some()),
    }))
}
