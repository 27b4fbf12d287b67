//! Conditions on what is there: for reading, for writing, and for the source of a copy.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>

use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;

use crate::error;
use crate::table::Object;

/// Conditions of a reader.
#[derive(Debug, Default, Clone)]
pub(crate) struct Reading {
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

/// Conditions of a writer.
#[derive(Debug, Default, Clone)]
pub(crate) struct Writing {
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
}

/// What a reader is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fresh,
    NotModified,
    /// The header that does not hold.
    Failed(&'static str),
}

impl Reading {
    /// In the order of RFC 9110, section 13.2.2: an entity tag counts instead of the date beside it.
    pub(crate) fn verdict(&self, object: &Object) -> Verdict {
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) if !matches(tags, &object.etag) => return Verdict::Failed("If-Match"),
            (None, Some(since)) if object.modified > since => return Verdict::Failed("If-Unmodified-Since"),
            _ => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) if matches(tags, &object.etag) => Verdict::NotModified,
            (None, Some(since)) if object.modified <= since => Verdict::NotModified,
            _ => Verdict::Fresh,
        }
    }

    /// Refuses with 412 or 304.
    pub(crate) fn check(&self, object: &Object) -> Result<(), ApiError> {
        match self.verdict(object) {
            Verdict::Fresh => Ok(()),
            Verdict::Failed(header) => Err(error::precondition_failed(header)),
            Verdict::NotModified => Err(ApiError::new("NotModified", 304, "Not Modified")
                .with_header("etag", quoted(&object.etag))
                .with_header("last-modified", http_date(object.modified))),
        }
    }

    /// Refuses with 412 whatever does not hold of a copy's source.
    pub(crate) fn check_source(&self, object: &Object) -> Result<(), ApiError> {
        match self.verdict(object) {
            Verdict::Fresh => Ok(()),
            Verdict::Failed("If-Match") => Err(error::precondition_failed("x-amz-copy-source-if-match")),
            Verdict::Failed(_) => Err(error::precondition_failed("x-amz-copy-source-if-unmodified-since")),
            Verdict::NotModified if self.if_none_match.is_some() => {
                Err(error::precondition_failed("x-amz-copy-source-if-none-match"))
            }
            Verdict::NotModified => Err(error::precondition_failed("x-amz-copy-source-if-modified-since")),
        }
    }
}

impl Writing {
    /// The conditions of a request. Only `*` makes sense where nothing may be there.
    pub(crate) fn new(if_match: Option<String>, if_none_match: Option<String>) -> Result<Self, ApiError> {
        if if_none_match.as_deref().is_some_and(|tag| tag != "*") {
            return Err(ApiError::new(
                "NotImplemented",
                501,
                "A header you provided implies functionality that is not implemented: If-None-Match takes * only",
            ));
        }
        Ok(Self { if_match, if_none_match })
    }

    /// Refuses with 412, or with 404 where what must match is not there.
    pub(crate) fn check(&self, key: &str, current: Option<&Object>) -> Result<(), ApiError> {
        match (current, &self.if_match) {
            (Some(_), _) if self.if_none_match.is_some() => Err(error::precondition_failed("If-None-Match")),
            (Some(object), Some(tags)) if !matches(tags, &object.etag) => {
                Err(error::precondition_failed("If-Match"))
            }
            (None, Some(_)) => Err(error::no_such_key(key)),
            _ => Ok(()),
        }
    }
}

/// Whether one of the entity tags in a header is this one, with or without quotes.
fn matches(header: &str, etag: &str) -> bool {
    header
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'))
        .any(|tag| tag == "*" || tag == etag)
}

/// An entity tag as headers have it.
pub(crate) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// RFC 9110's form of a moment.
pub(crate) fn http_date(moment: Timestamp) -> String {
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
