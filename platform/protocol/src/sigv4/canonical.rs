//! The canonical request and the string to sign.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{ALGORITHM, Credential, sha256_hex};

/// All but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, in a path.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

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
    headers: &[(String, String)],
    payload_hash: &str,
) -> String {
    let mut text = format!("{method}\n{path}\n{query}\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}:{value}\n"));
    }
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    text.push_str(&format!("\n{}\n{payload_hash}", names.join(";")));
    text
}

/// What is signed for `canonical_request`.
pub(crate) fn string_to_sign(amz_date: &str, credential: &Credential, canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{amz_date}\n{}\n{}", credential.scope(), sha256_hex(canonical_request.as_bytes()))
}

/// The canonical form of a raw path.
pub(crate) fn path(raw: &str, form: PathForm) -> String {
    match form {
        PathForm::Exact => {
            let decoded: Vec<u8> = percent_decode_str(raw).collect();
            percent_encoding::percent_encode(&decoded, RESERVED_IN_PATH).to_string()
        }
        PathForm::Normalized => utf8_percent_encode(&normalized(raw), RESERVED_IN_PATH).to_string(),
    }
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
pub(crate) fn header(parts: &Parts, name: &str) -> Option<String> {
    let values: Vec<String> = (parts.headers.get_all(name).iter())
        .map(|value| trimmed(&String::from_utf8_lossy(value.as_bytes())))
        .collect();
    if values.is_empty() && name == "host" {
        // HTTP/2 has the host in the request's target.
        return parts.uri.authority().map(|authority| authority.as_str().to_owned());
    }
    (!values.is_empty()).then(|| values.join(","))
}

/// Without space at the ends, and with single spaces inside.
pub(crate) fn trimmed(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "canonical_vectors.rs"]
mod vectors;
