//! An object as an HTTP response.

use std::ops::Range;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use jiff::fmt::rfc2822::DateTimeParser;
use pagoda_base::Timestamp;
use pagoda_protocol::{ApiError, Body, ByteStream};

use crate::condition::{Reading, http_date, quoted};
use crate::metadata::UNKNOWN_TYPE;
use crate::range;
use crate::table::Object;

/// Which bytes are answered.
pub(super) struct Piece {
    pub(super) range: Range<u64>,
    content_range: Option<String>,
}

impl Piece {
    pub(super) fn whole(object: &Object) -> Self {
        Self { range: 0..object.size, content_range: None }
    }

    /// What the request's headers ask for, if their conditions hold.
    pub(super) fn asked(object: &Object, headers: &HeaderMap) -> Result<Self, ApiError> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let reading = Reading {
            if_match: text("if-match").map(str::to_owned),
            if_none_match: text("if-none-match").map(str::to_owned),
            if_modified_since: text("if-modified-since").and_then(moment),
            if_unmodified_since: text("if-unmodified-since").and_then(moment),
        };
        reading.check(object)?;
        // With a validator that no longer holds, the whole is asked for (RFC 9110, section 13.1.5).
        let is_same = text("if-range").is_none_or(|validator| {
            validator == quoted(&object.etag) || validator == http_date(object.modified)
        });
        let range = match text("range").filter(|_| is_same) {
            Some(header) => range::parse(header, object.size)?,
            None => None,
        };
        let content_range = range.as_ref().map(|range| range::told(range, object.size));
        Ok(Self { range: range.unwrap_or(0..object.size), content_range })
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()
}

/// The response with a part of an object, or all of it.
pub(super) fn of(
    object: &Object,
    piece: Piece,
    status: Option<StatusCode>,
    body: ByteStream,
) -> Response<Body> {
    let mut response = Response::new(body);
    let partial = if piece.content_range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    *response.status_mut() = status.unwrap_or(partial);
    let headers = response.headers_mut();
    let stored = &object.headers;
    let kind = stored.content_type.as_deref().unwrap_or(UNKNOWN_TYPE);
    let length = (piece.range.end - piece.range.start).to_string();
    let told = [
        ("content-type", Some(kind)),
        ("content-length", Some(length.as_str())),
        ("content-range", piece.content_range.as_deref()),
        ("cache-control", stored.cache_control.as_deref()),
        ("content-disposition", stored.content_disposition.as_deref()),
        ("content-encoding", stored.content_encoding.as_deref()),
        ("content-language", stored.content_language.as_deref()),
        ("expires", stored.expires.as_deref()),
        ("accept-ranges", Some("bytes")),
    ];
    for (name, value) in told {
        if let Some(value) = value {
            header(headers, name, value);
        }
    }
    header(headers, "etag", &quoted(&object.etag));
    header(headers, "last-modified", &http_date(object.modified));
    for (name, value) in &stored.metadata {
        header(headers, &format!("x-amz-meta-{name}"), value);
    }
    response
}

/// 304 with the validators that the error carries.
pub(super) fn not_modified(refused: &ApiError) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    for (name, value) in &refused.headers {
        header(response.headers_mut(), name, value);
    }
    response
}

/// Sets a header; a value that no header can hold is left out.
pub(super) fn header(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
