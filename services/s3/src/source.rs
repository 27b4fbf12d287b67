//! What `x-amz-copy-source` names.

use pagoda_protocol::ApiError;
use percent_encoding::percent_decode_str;

use crate::error;

/// The object that a copy is made of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: Option<String>,
}

impl Source {
    /// Reads `bucket/key` or `/bucket/key`, percent-encoded, perhaps with `?versionId=…`.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let refused = || {
            let message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
            error::invalid_argument("x-amz-copy-source", text, message)
        };
        if text.starts_with("arn:") {
            return Err(ApiError::not_implemented("CopyObject", "CopySource of an access point"));
        }
        let (path, version) = match text.split_once("?versionId=") {
            Some((path, version)) => (path, Some(version.to_owned())),
            None => (text, None),
        };
        // Encoded or not, the first slash stands between bucket and key.
        let path = percent_decode_str(path).decode_utf8().map_err(|_| refused())?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = path.split_once('/').ok_or_else(refused)?;
        if bucket.is_empty() || key.is_empty() {
            return Err(refused());
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), version })
    }

    /// `bucket/key`, as policies have it.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, &str, Option<&str>)>) {
        let parsed = Source::parse(text).ok();
        let parsed = parsed.as_ref().map(|s| (s.bucket.as_str(), s.key.as_str(), s.version.as_deref()));
        assert_eq!(parsed, expected, "{text}");
    }

    #[test]
    fn sources_are_read() {
        check("b/k", Some(("b", "k", None)));
        check("/b/a/b%20c", Some(("b", "a/b c", None)));
        check("b%2Fk", Some(("b", "k", None)));
        check("b/k%3Fx?versionId=null", Some(("b", "k?x", Some("null"))));
        check("b", None);
        check("b/", None);
        check("/k", None);
        check("", None);
        check("b/%ff", None);
    }
}
