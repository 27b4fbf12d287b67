//! Compressed requests: `Content-Encoding: gzip`, as SDKs send large calls of services that allow it.
//!
//! Invariant: a body never grows beyond [`BYTES_MAX`], whatever it claims to hold.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, HeaderMap};

use crate::ApiError;

/// The largest body after decompression, in bytes. PutMetricData's, the only one that is compressed, is 1 MB.
const BYTES_MAX: u64 = 8 * 1024 * 1024;

/// `body` as it was before the client compressed it.
///
/// # Errors
/// `SerializationException` for what is no gzip, and for more than [`BYTES_MAX`].
pub(crate) fn inflated(headers: &HeaderMap, body: Bytes) -> Result<Bytes, ApiError> {
    let is_gzip =
        headers.get(CONTENT_ENCODING).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"gzip"));
    if !is_gzip || body.is_empty() {
        return Ok(body);
    }
    let mut plain = Vec::new();
    let read = MultiGzDecoder::new(&*body).take(BYTES_MAX + 1).read_to_end(&mut plain);
    match read {
        Ok(bytes) if bytes as u64 <= BYTES_MAX => Ok(plain.into()),
        _ => Err(ApiError::new("SerializationException", 400, "The request body cannot be decompressed")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn bodies_are_inflated_up_to_the_limit() {
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, "gzip".parse().unwrap())]);
        assert_eq!(inflated(&headers, packed(b"hello")).unwrap(), "hello");
        assert_eq!(inflated(&HeaderMap::new(), Bytes::from("hello")).unwrap(), "hello");
        assert!(inflated(&headers, Bytes::from("hello")).is_err());
        assert!(inflated(&headers, packed(&vec![0; BYTES_MAX as usize + 1])).is_err());
    }
}
