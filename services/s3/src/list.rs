//! ListObjects ListObjectsV2

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::limits::RANGE_BYTES_MAX;
use pagoda_store::tuple::{Element, decode};
use pagoda_store::{Key, Read, Record};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::condition::quoted;
use crate::generated as g;
use crate::listing::{Next, Question, Rollup};
use crate::table::{self, Bucket, Object};
use crate::{S3, acl, bucket, checksum, error};

/// Keys and common prefixes of one page.
pub(crate) const PAGE_MAX: i32 = 1000;

/// What `encoding-type=url` leaves as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// A line of a listing.
pub(crate) enum Entry<T> {
    Key(String, T),
    Common(String),
}

impl<T> Entry<T> {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Key(name, _) | Self::Common(name) => name,
        }
    }
}

/// A page of a listing.
pub(crate) struct Page {
    contents: Vec<g::Object>,
    common_prefixes: Vec<g::CommonPrefix>,
    marker: Option<String>,
    is_truncated: bool,
}

/// How names are written in an answer.
#[derive(Clone, Copy)]
pub(crate) struct Coding(Option<g::EncodingType>);

impl Coding {
    pub(crate) fn new(kind: Option<g::EncodingType>) -> Self {
        Self(kind)
    }

    pub(crate) fn text(self, text: &str) -> String {
        match self.0 {
            Some(g::EncodingType::Url) => utf8_percent_encode(text, PLAIN).to_string(),
            None => text.to_owned(),
        }
    }

    pub(crate) fn some(self, text: Option<&str>) -> Option<String> {
        text.map(|text| self.text(text))
    }
}

pub(crate) async fn first_version(
    s3: &S3,
    cx: &Context,
    input: g::ListObjectsRequest,
) -> Result<g::ListObjectsOutput, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let max = page_size("max-keys", input.max_keys)?;
    let question = Question {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.marker.clone().filter(|marker| !marker.is_empty()),
        max: max as usize,
    };
    let coding = Coding::new(input.encoding_type);
    let page = page(s3, &bucket, &question, coding, true).await?;
    Ok(g::ListObjectsOutput {
        is_truncated: Some(page.is_truncated),
        marker: Some(coding.text(input.marker.as_deref().unwrap_or_default())),
        // Without a delimiter, the last key is the marker.
        next_marker: page.marker.filter(|_| input.delimiter.is_some()).map(|marker| coding.text(&marker)),
        contents: Some(page.contents),
        name: Some(bucket.name),
        prefix: Some(coding.text(&question.prefix)),
        delimiter: coding.some(input.delimiter.as_deref()),
        max_keys: Some(max),
        common_prefixes: Some(page.common_prefixes),
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

pub(crate) async fn second_version(
    s3: &S3,
    cx: &Context,
    input: g::ListObjectsV2Request,
) -> Result<g::ListObjectsV2Output, ApiError> {
    let bucket = bucket::open(s3, cx, &input.bucket, input.expected_bucket_owner.as_deref()).await?;
    let max = page_size("max-keys", input.max_keys)?;
    let token = input.continuation_token.as_deref().map(from_token).transpose()?;
    let question = Question {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: token.or_else(|| input.start_after.clone()).filter(|after| !after.is_empty()),
        max: max as usize,
    };
    let coding = Coding::new(input.encoding_type);
    let page = page(s3, &bucket, &question, coding, input.fetch_owner == Some(true)).await?;
    Ok(g::ListObjectsV2Output {
        is_truncated: Some(page.is_truncated),
        key_count: i32::try_from(page.contents.len() + page.common_prefixes.len()).ok(),
        contents: Some(page.contents),
        name: Some(bucket.name),
        prefix: Some(coding.text(&question.prefix)),
        delimiter: coding.some(input.delimiter.as_deref()),
        max_keys: Some(max),
        common_prefixes: Some(page.common_prefixes),
        encoding_type: input.encoding_type,
        continuation_token: input.continuation_token,
        next_continuation_token: page.marker.map(|marker| URL_SAFE_NO_PAD.encode(marker)),
        start_after: coding.some(input.start_after.as_deref()),
        ..Default::default()
    })
}

fn from_token(token: &str) -> Result<String, ApiError> {
    let decoded = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.filter(|key| key.len() <= crate::name::KEY_BYTES_MAX).ok_or_else(|| {
        error::invalid_argument("continuation-token", token, "The continuation token provided is incorrect")
    })
}

/// How many lines a page has.
pub(crate) fn page_size(argument: &'static str, wanted: Option<i32>) -> Result<i32, ApiError> {
    match wanted {
        Some(negative) if negative < 0 => {
            let message = format!("Argument {argument} must be an integer between 0 and 2147483647");
            Err(error::invalid_argument(argument, &negative.to_string(), &message))
        }
        wanted => Ok(wanted.unwrap_or(PAGE_MAX).min(PAGE_MAX)),
    }
}

async fn page(
    s3: &S3,
    bucket: &Bucket,
    question: &Question,
    coding: Coding,
    with_owner: bool,
) -> Result<Page, ApiError> {
    let rollup = roll_up(s3, bucket, question).await?;
    let owner = with_owner.then(|| acl::owner(bucket.account));
    let (marker, is_truncated) = (rollup.marker(), rollup.is_truncated);
    let (mut contents, mut common_prefixes) = (Vec::new(), Vec::new());
    for entry in rollup.entries {
        match entry {
            Entry::Key(key, object) => contents.push(described(coding.text(&key), object, owner.clone())),
            Entry::Common(prefix) => {
                common_prefixes.push(g::CommonPrefix { prefix: Some(coding.text(&prefix)) });
            }
        }
    }
    Ok(Page { contents, common_prefixes, marker, is_truncated })
}

async fn roll_up<'q>(
    s3: &S3,
    bucket: &Bucket,
    question: &'q Question,
) -> Result<Rollup<'q, Object>, ApiError> {
    let mut rollup = Rollup::new(question);
    let all = table::objects(&bucket.incarnation);
    let (_, hi) = all.prefix_range();
    // A full page needs one key more to know whether it is the last.
    let limit = question.max as u32 + 1;
    let mut start = question.start();
    'pages: while let Some(from) = start.take() {
        let lo = table::object(&bucket.incarnation, &from);
        let hi = hi.clone();
        let found =
            s3.store().rows(Read::Range { lo, hi, limit, bytes: RANGE_BYTES_MAX, reverse: false }).await?;
        let mut skip: Option<Vec<u8>> = None;
        let mut last = Vec::new();
        for row in found.rows {
            let key = key_of(&row.key, 2)?;
            last = [key.as_bytes(), &[0]].concat();
            if skip.as_ref().is_some_and(|skip| key.as_bytes() < skip.as_slice()) {
                continue;
            }
            let object = Object::decode(&row.value)?;
            match rollup.take(key, || object) {
                Next::Key => skip = None,
                Next::From(bytes) => skip = Some(bytes),
                Next::Nothing => break 'pages,
            }
        }
        start = found.more.then(|| skip.unwrap_or_default().max(last));
    }
    Ok(rollup)
}

/// The object's key, the `index`th element of a row's.
pub(crate) fn key_of(row: &Key, index: usize) -> Result<String, ApiError> {
    let element = decode(&row.bytes).ok().and_then(|elements| elements.into_iter().nth(index));
    match element {
        Some(Element::Bytes(bytes)) => String::from_utf8(bytes).map_err(|_| ApiError::internal()),
        _ => Err(ApiError::internal()),
    }
}

fn described(key: String, object: Object, owner: Option<g::Owner>) -> g::Object {
    g::Object {
        key: Some(key),
        last_modified: Some(object.modified),
        e_tag: Some(quoted(&object.etag)),
        checksum_algorithm: object.sum.algorithm.parse().ok().map(|algorithm| vec![algorithm]),
        checksum_type: Some(checksum::kind(object.sum.full)),
        size: i64::try_from(object.size).ok(),
        storage_class: Some(g::ObjectStorageClass::Standard),
        owner,
        restore_status: None,
    }
}
