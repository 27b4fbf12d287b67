//! Compressed requests, which integrations get as they were, and answers that are compressed where the API says so.
//!
//! Invariant: a body never grows beyond what a request may have, whatever it claims to hold.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html>

use std::io::{self, Read};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::{GzEncoder, MultiGzDecoder, ZlibDecoder, ZlibEncoder};
use http::Response;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue};
use http::request::Parts;
use pagoda_protocol::{ApiError, Body};

use super::BODY_BYTES_MAX;
use super::answer::Refusal;

/// The codings that API Gateway knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    fn of(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            _ => None,
        }
    }

    fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        })
    }
}

/// The request without its compression, if it has one: only after its signature was checked, which covers what was
/// sent.
pub(crate) fn inflated(parts: &Parts, body: &Bytes) -> Result<Option<(Parts, Bytes)>, Refusal> {
    let coding = parts.headers.get(CONTENT_ENCODING).and_then(|value| Coding::of(value.to_str().ok()?));
    let Some(coding) = coding.filter(|_| !body.is_empty()) else { return Ok(None) };
    let plain = match coding {
        Coding::Gzip => read(MultiGzDecoder::new(&**body)),
        Coding::Deflate => read(ZlibDecoder::new(&**body)),
    };
    let malformed = |_| {
        let message = "The request body cannot be decompressed";
        Refusal::BadBody(ApiError::new("BadRequestException", 400, message))
    };
    let plain = plain.map_err(malformed)?;
    if plain.len() > BODY_BYTES_MAX {
        return Err(Refusal::RequestTooLarge);
    }
    let mut parts = parts.clone();
    parts.headers.remove(CONTENT_ENCODING);
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Some((parts, plain.into())))
}

/// Up to a byte more than may be.
fn read(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    reader.take(BODY_BYTES_MAX as u64 + 1).read_to_end(&mut plain)?;
    Ok(plain)
}

/// The answer, compressed if the client prefers that, the API allows it for bodies of this size, and nobody has
/// compressed it before.
pub(crate) async fn deflated(
    response: Response<Body>,
    request: &HeaderMap,
    bytes_min: usize,
) -> Result<Response<Body>, Refusal> {
    let Some(coding) = preferred(request) else { return Ok(response) };
    if response.headers().contains_key(CONTENT_ENCODING) {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let body = body.collect(BODY_BYTES_MAX).await.map_err(|_| Refusal::BadGateway)?;
    if body.is_empty() || body.len() < bytes_min {
        return Ok(Response::from_parts(parts, Body::from(body)));
    }
    let packed = packed(coding, &body).map_err(|_| Refusal::InternalError)?;
    parts.headers.insert(CONTENT_ENCODING, coding.name());
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(packed)))
}

fn packed(coding: Coding, body: &[u8]) -> io::Result<Vec<u8>> {
    let (mut packed, level) = (Vec::new(), Compression::default());
    match coding {
        Coding::Gzip => GzEncoder::new(body, level).read_to_end(&mut packed)?,
        Coding::Deflate => ZlibEncoder::new(body, level).read_to_end(&mut packed)?,
    };
    Ok(packed)
}

/// The coding that a client likes best, if it is one of ours.
fn preferred(headers: &HeaderMap) -> Option<Coding> {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut best: Option<(f32, &str)> = None;
    for coding in accepted.flat_map(|value| value.split(',')) {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = quality.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.trim().parse().ok());
        let quality = quality.unwrap_or(0.0);
        if quality > 0.0 && best.is_none_or(|(other, _)| quality > other) {
            best = Some((quality, name));
        }
    }
    Coding::of(best?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accepted: &'static str, expected: Option<Coding>) {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accepted))]);
        assert_eq!(preferred(&headers), expected, "{accepted}");
    }

    #[test]
    fn the_best_coding_must_be_one_of_ours() {
        check("gzip, deflate, br", Some(Coding::Gzip));
        check("br, gzip", None);
        check("br;q=0.5, Deflate;q=0.9, gzip;q=0.8", Some(Coding::Deflate));
        check("gzip;q=0", None);
        check("identity, gzip;q=0.5", None);
        check("*", None);
        check("gzip;q=x, deflate;q=0.1", Some(Coding::Deflate));
        assert_eq!(preferred(&HeaderMap::new()), None);
    }

    #[test]
    fn what_is_packed_is_inflated_up_to_the_limit() {
        for coding in [Coding::Gzip, Coding::Deflate] {
            let inflate = |body: Vec<u8>| {
                let request = http::Request::post("/").header(CONTENT_ENCODING, coding.name());
                let (parts, ()) = request.body(()).unwrap().into_parts();
                inflated(&parts, &Bytes::from(body))
            };
            let (parts, body) = inflate(packed(coding, b"hello").unwrap()).unwrap().unwrap();
            assert_eq!((body, parts.headers.len()), (Bytes::from("hello"), 0));
            assert!(matches!(inflate(b"hello".to_vec()), Err(Refusal::BadBody(_))), "{coding:?}");
            let bomb = packed(coding, &vec![0; BODY_BYTES_MAX + 1]).unwrap();
            assert!(matches!(inflate(bomb), Err(Refusal::RequestTooLarge)), "{coding:?}");
        }
    }
}
