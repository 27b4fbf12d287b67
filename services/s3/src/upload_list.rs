//! ListMultipartUploads

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::limits::RANGE_BYTES_MAX;
use pagoda_store::tuple::{Element, decode};
use pagoda_store::{KeyBuilder, Read, Record, Row};

use crate::generated as g;
use crate::list::{Coding, key_of, page_size};
use crate::table::{self, Bucket, Upload};
use crate::{S3, acl, bucket, checksum};

/// Uploads read at once.
const READ_ROWS: u32 = 1000;

pub(crate) async fn list(
    s3: &S3,
    cx: &Context,
    input: g::ListMultipartUploadsRequest,
) -> Result<g::ListMultipartUploadsOutput, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let max = page_size("max-uploads", input.max_uploads)? as usize;
    let coding = Coding::new(input.encoding_type);
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let mut page = Page::default();
    let mut lo = start(&bucket, &input);
    let (_, hi) = table::uploads(&bucket.incarnation).prefix_range();
    'pages: loop {
        let read =
            Read::Range { lo, hi: hi.clone(), limit: READ_ROWS, bytes: RANGE_BYTES_MAX, reverse: false };
        let found = s3.store().rows(read).await?;
        for row in &found.rows {
            let key = key_of(&row.key, 2)?;
            let Some(rest) = key.strip_prefix(prefix) else {
                if key.as_str() > prefix {
                    break 'pages;
                }
                continue;
            };
            let common = delimiter.and_then(|delimiter| {
                rest.find(delimiter).map(|at| key[..prefix.len() + at + delimiter.len()].to_owned())
            });
            let is_known = common.is_some()
                && (page.common.last() == common.as_ref()
                    || common.as_deref() == input.key_marker.as_deref());
            if is_known {
                continue;
            }
            if page.uploads.len() + page.common.len() >= max {
                page.is_truncated = max > 0;
                break 'pages;
            }
            page.take(&bucket, coding, row, key, common)?;
        }
        match found.rows.last().filter(|_| found.more) {
            Some(last) => lo = last.key.successor(),
            None => break,
        }
    }
    let (next_key, next_id) = if page.is_truncated { page.last } else { (None, None) };
    Ok(g::ListMultipartUploadsOutput {
        bucket: Some(bucket.name),
        key_marker: Some(coding.text(input.key_marker.as_deref().unwrap_or_default())),
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        next_key_marker: coding.some(next_key.as_deref()),
        next_upload_id_marker: next_id,
        prefix: coding.some(input.prefix.as_deref()),
        delimiter: coding.some(input.delimiter.as_deref()),
        max_uploads: i32::try_from(max).ok(),
        is_truncated: Some(page.is_truncated),
        uploads: Some(page.uploads),
        common_prefixes: Some(
            page.common.iter().map(|p| g::CommonPrefix { prefix: Some(coding.text(p)) }).collect(),
        ),
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

/// Behind all uploads of the marker's key, or behind one of them.
fn start(bucket: &Bucket, input: &g::ListMultipartUploadsRequest) -> pagoda_store::Key {
    let (first, _) = table::uploads(&bucket.incarnation).prefix_range();
    let Some(key) = input.key_marker.as_deref().filter(|key| !key.is_empty()) else { return first };
    let of_key = KeyBuilder::under(&table::uploads(&bucket.incarnation)).bytes(key.as_bytes()).done();
    match input.upload_id_marker.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => table::upload(&bucket.incarnation, key.as_bytes(), id).successor(),
        None => of_key.prefix_range().1,
    }
}

#[derive(Default)]
struct Page {
    uploads: Vec<g::MultipartUpload>,
    common: Vec<String>,
    last: (Option<String>, Option<String>),
    is_truncated: bool,
}

impl Page {
    fn take(
        &mut self,
        bucket: &Bucket,
        coding: Coding,
        row: &Row,
        key: String,
        common: Option<String>,
    ) -> Result<(), ApiError> {
        if let Some(common) = common {
            self.last = (Some(common.clone()), None);
            self.common.push(common);
            return Ok(());
        }
        let id = match decode(&row.key.bytes).ok().and_then(|mut elements| elements.pop()) {
            Some(Element::Text(id)) => id,
            _ => return Err(ApiError::internal()),
        };
        let upload = Upload::decode(&row.value)?;
        let owner = acl::owner(bucket.account);
        self.uploads.push(g::MultipartUpload {
            upload_id: Some(id.clone()),
            key: Some(coding.text(&key)),
            initiated: Some(upload.initiated),
            storage_class: Some("STANDARD".into()),
            initiator: Some(g::Initiator { id: Some(upload.initiator), display_name: None }),
            owner: Some(owner),
            checksum_type: upload.algorithm.as_ref().map(|_| checksum::kind(upload.full)),
            checksum_algorithm: upload.algorithm.and_then(|name| name.parse().ok()),
            version_id: None,
        });
        self.last = (Some(key), Some(id));
        Ok(())
    }
}
