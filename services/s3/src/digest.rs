//! A body on its way in: counted, digested, and refused at its end if it is not what was stated.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use md5::{Digest as _, Md5};
use pagoda_protocol::checksum::{Algorithm, Checksum};
use pagoda_protocol::{ApiError, ByteStream};

use crate::checksum::DEFAULT;
use crate::error;
use crate::table::Sum;

/// What a request states of its body.
#[derive(Debug, Default)]
pub(crate) struct Stated {
    pub(crate) md5: Option<Vec<u8>>,
    pub(crate) sum: Option<(Algorithm, String)>,
}

/// What a body turned out to be.
#[derive(Debug)]
pub(crate) struct Digest {
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    /// The checksum that was stated, in headers or trailer.
    pub(crate) stated: Option<Sum>,
    /// The checksum that was asked for when nothing is stated.
    pub(crate) own: Sum,
}

/// A body being read.
pub(crate) struct Intake {
    body: ByteStream,
    stated: Stated,
    length: Option<u64>,
    bytes_max: u64,
    size: u64,
    md5: Md5,
    own: Checksum,
    other: Option<Checksum>,
    trailers: Option<HeaderMap>,
    digest: Option<Digest>,
}

impl Stated {
    /// From a `Content-MD5` header and a checksum.
    pub(crate) fn new(md5: Option<&str>, sum: Option<(Algorithm, String)>) -> Result<Self, ApiError> {
        let invalid = || ApiError::new("InvalidDigest", 400, "The Content-MD5 you specified is not valid.");
        let md5 =
            md5.map(|text| STANDARD.decode(text).ok().filter(|bytes| bytes.len() == 16).ok_or_else(invalid));
        Ok(Self { md5: md5.transpose()?, sum })
    }
}

impl Intake {
    /// Reads `body`, of at most `bytes_max` bytes, computing the checksum of `own` as well.
    pub(crate) fn new(body: ByteStream, stated: Stated, own: Option<Algorithm>, bytes_max: u64) -> Self {
        let own = own.unwrap_or(DEFAULT);
        let other =
            stated.sum.as_ref().map(|(algorithm, _)| *algorithm).filter(|algorithm| *algorithm != own);
        Self {
            length: body.len(),
            body,
            stated,
            bytes_max,
            size: 0,
            md5: Md5::new(),
            own: Checksum::new(own),
            other: other.map(Checksum::new),
            trailers: None,
            digest: None,
        }
    }

    /// The next piece; at the end nothing, or what was wrong with the whole.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, ApiError>> {
        if self.digest.is_some() {
            return None;
        }
        loop {
            let Some(frame) = self.body.frame().await else {
                return self.end().err().map(Err);
            };
            match frame.map(|frame| frame.into_data()) {
                Ok(Ok(data)) => return Some(self.take(data)),
                Ok(Err(other)) => self.trailers = other.into_trailers().ok().or(self.trailers.take()),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn take(&mut self, data: Bytes) -> Result<Bytes, ApiError> {
        self.size += data.len() as u64;
        if self.length.is_some_and(|length| self.size > length) {
            return Err(incomplete());
        }
        if self.size > self.bytes_max {
            return Err(error::entity_too_large(self.size, self.bytes_max));
        }
        self.md5.update(&data);
        self.own.update(&data);
        if let Some(other) = &mut self.other {
            other.update(&data);
        }
        Ok(data)
    }

    fn end(&mut self) -> Result<(), ApiError> {
        if self.length.is_some_and(|length| length != self.size) {
            return Err(incomplete());
        }
        let md5: [u8; 16] = std::mem::take(&mut self.md5).finalize().into();
        if self.stated.md5.as_ref().is_some_and(|stated| *stated != md5) {
            let message = "The Content-MD5 you specified did not match what we received.";
            return Err(ApiError::new("BadDigest", 400, message));
        }
        let own = finished(std::mem::replace(&mut self.own, Checksum::new(DEFAULT)));
        let computed = self.other.take().map(finished).unwrap_or_else(|| own.clone());
        if let Some((algorithm, value)) = &self.stated.sum
            && computed.value != *value
        {
            return Err(error::bad_digest(algorithm.name()));
        }
        let in_header = self.stated.sum.is_some().then_some(computed);
        let stated = in_header.or_else(|| self.trailers.as_ref().and_then(in_trailer));
        self.digest = Some(Digest { size: self.size, md5, stated, own });
        Ok(())
    }

    /// What the body was, once it has been read to its end.
    pub(crate) fn finish(self) -> Result<Digest, ApiError> {
        self.digest.ok_or_else(ApiError::internal)
    }
}

impl Digest {
    /// The MD5 as entity tags have it.
    pub(crate) fn etag(&self) -> String {
        hex::encode(self.md5)
    }

    /// The checksum that is kept.
    pub(crate) fn sum(self) -> Sum {
        self.stated.unwrap_or(self.own)
    }
}

fn incomplete() -> ApiError {
    let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    ApiError::new("IncompleteBody", 400, message)
}

fn finished(checksum: Checksum) -> Sum {
    let algorithm = checksum.algorithm().name().to_owned();
    Sum { algorithm, value: checksum.finish_base64(), full: true }
}

/// The checksum in a trailer, which was verified where the body's chunks were taken apart.
fn in_trailer(trailers: &HeaderMap) -> Option<Sum> {
    Algorithm::ALL.into_iter().find_map(|algorithm| {
        let value = trailers.get(algorithm.header())?.to_str().ok()?.to_owned();
        Some(Sum { algorithm: algorithm.name().to_owned(), value, full: true })
    })
}
