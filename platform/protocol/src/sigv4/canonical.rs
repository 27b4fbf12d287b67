//! The canonical request and the string to sign.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::borrow::Cow;

use http::HeaderValue;
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{ALGORITHM, sha256_hex};

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, in a path.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Enough for most canonical requests.
const REQUEST_BYTES: usize = 512;

/// How a service sees paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathForm {
    /// S3: as the key is, encoded once.
    Exact,
    /// All others: without dots and doubled slashes, and what was encoded is encoded again.
    Normalized,
}

/// The canonical request. `query` is the raw query string, `headers` are names and values in the order of
/// their names.
pub(crate) fn request(
    method: &str,
    path: &str,
    query: &str,
    headers: &[(&str, Cow<'_, str>)],
    payload_hash: &str,
) -> String {
    let mut text = String::with_capacity(REQUEST_BYTES);
    text.extend([method, "\n", path, "\n", query, "\n"]);
    for (name, value) in headers {
        text.extend([name, ":", value, "\n"]);
    }
    for (at, (name, _)) in headers.iter().enumerate() {
        text.extend([if at == 0 { "\n" } else { ";" }, name]);
    }
    text.extend(["\n", payload_hash]);
    text
}

/// What is signed for `canonical_request` in a credential's scope.
pub(crate) fn string_to_sign(amz_date: &str, scope: &str, canonical_request: &str) -> String {
    [ALGORITHM, "\n", amz_date, "\n", scope, "\n", &sha256_hex(canonical_request.as_bytes())].concat()
}

/// The canonical form of a raw path.
pub(crate) fn path(raw: &str, form: PathForm) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let is_normal = raw.starts_with('/') && !raw.contains("//") && !raw.contains("/.");
    if raw.bytes().all(is_plain) && (form == PathForm::Exact || is_normal) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(match form {
        PathForm::Exact => {
            let decoded: Vec<u8> = percent_decode_str(raw).collect();
            percent_encoding::percent_encode(&decoded, RESERVED_IN_PATH).to_string()
        }
        PathForm::Normalized => utf8_percent_encode(&normalized(raw), RESERVED_IN_PATH).to_string(),
    })
}

fn normalized(raw: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let ends_open = ["/", "/.", "/.."].iter().any(|end| raw.ends_with(end));
    let slash = if ends_open && !segments.is_empty() { "/" } else { "" };
    format!("/{}{slash}", segments.join("/"))
}

/// The canonical form of a raw query string, without the parameters that `left_out` names.
pub(crate) fn query(raw: &str, left_out: impl Fn(&str) -> bool) -> String {
    let encoded = |text: &str| {
        let decoded: Vec<u8> = percent_decode_str(text).collect();
        percent_encoding::percent_encode(&decoded, RESERVED).to_string()
    };
    let parts = raw.split('&').filter(|part| !part.is_empty());
    let mut parameters: Vec<(String, String)> = parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (encoded(name), encoded(value)))
        .filter(|(name, _)| !left_out(name))
        .collect();
    parameters.sort_unstable();
    let joined: Vec<String> = parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    joined.join("&")
}

/// The canonical value of the header `name`; nothing if the request has none.
pub(crate) fn header<'p>(parts: &'p Parts, name: &str) -> Option<Cow<'p, str>> {
    let mut values = parts.headers.get_all(name).iter();
    let Some(first) = values.next() else {
        // HTTP/2 has the host in the request's target.
        let authority = parts.uri.authority().filter(|_| name == "host");
        return authority.map(|authority| authority.as_str().into());
    };
    let mut joined = text(first);
    for value in values {
        joined.to_mut().extend([",", &text(value)]);
    }
    Some(joined)
}

fn text(value: &HeaderValue) -> Cow<'_, str> {
    match String::from_utf8_lossy(value.as_bytes()) {
        Cow::Borrowed(text) => trimmed(text),
        Cow::Owned(text) => trimmed(&text).into_owned().into(),
    }
}

/// Without space at the ends, and with single spaces inside.
pub(crate) fn trimmed(value: &str) -> Cow<'_, str> {
    let bytes = value.as_bytes();
    let is_space = u8::is_ascii_whitespace;
    let at_ends = bytes.first().is_some_and(is_space) || bytes.last().is_some_and(is_space);
    let inside = bytes.windows(2).any(|pair| is_space(&pair[0]) && (pair[0] != b' ' || is_space(&pair[1])));
    match at_ends || inside {
        true => value.split_ascii_whitespace().collect::<Vec<_>>().join(" ").into(),
        false => value.into(),
    }
}

#[cfg(test)]
#[path = "canonical_vectors.rs"]
mod vectors;
