//! Takes `aws-chunked` bodies apart and verifies their chunks and trailers.
//!
//! Invariants: a line that is no data is at most [`LINE_BYTES_MAX`] long, and there are at most
//! [`TRAILERS_MAX`] trailers; data is handed on as it comes, and the end only after every signature, the
//! stated length and the checksum have held.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hmac::Key;
use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::key::is_signed;
use super::sha256_hex;
use crate::ApiError;
use crate::checksum::{Algorithm, Checksum};

/// The longest line of a chunk's header or of a trailer, in bytes.
const LINE_BYTES_MAX: usize = 4096;
/// The most trailers that are read.
const TRAILERS_MAX: usize = 16;

/// What chunks are signed with: each signature is part of the next one's text.
pub(super) struct Signing {
    key: Key,
    amz_date: String,
    scope: String,
    previous: String,
}

impl Signing {
    pub(super) fn new(key: Key, amz_date: &str, scope: String, seed: &str) -> Self {
        Self { key, amz_date: amz_date.to_owned(), scope, previous: seed.to_owned() }
    }

    fn chunk(&mut self, signature: &str, hash: &str) -> Result<(), ApiError> {
        let text = format!("{}\n{}", sha256_hex(b""), hash);
        self.check("AWS4-HMAC-SHA256-PAYLOAD", signature, &text)
    }

    fn trailer(&mut self, signature: &str, lines: &str) -> Result<(), ApiError> {
        self.check("AWS4-HMAC-SHA256-TRAILER", signature, &sha256_hex(lines.as_bytes()))
    }

    fn check(&mut self, algorithm: &str, signature: &str, rest: &str) -> Result<(), ApiError> {
        let text = format!("{algorithm}\n{}\n{}\n{}\n{rest}", self.amz_date, self.scope, self.previous);
        if !is_signed(&self.key, &text, signature) {
            let message = "The request signature we calculated does not match the signature you provided. Check your \
                           key and signing method.";
            return Err(ApiError::new("SignatureDoesNotMatch", 403, message));
        }
        self.previous = signature.to_owned();
        Ok(())
    }
}

/// The state between two pieces of a chunked body.
pub(super) struct Chunks {
    state: State,
    line: Vec<u8>,
    /// Bytes of data that must still come.
    missing: u64,
    signing: Option<Signing>,
    /// The hash of the chunk so far and the signature that it must have.
    hash: Context,
    signature: String,
    checksum: Option<(String, Checksum)>,
    /// The trailer whose checksum was found right.
    verified: Option<String>,
    trailers: Vec<(String, String)>,
    trailer_lines: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Data(u64),
    DataEnd,
    Trailer,
    Done,
}

fn malformed(message: &str) -> ApiError {
    ApiError::new("IncompleteBody", 400, message)
}

impl Chunks {
    /// For a body that decodes to `length` bytes, whose trailer may hold a checksum.
    pub(super) fn new(length: u64, signing: Option<Signing>, checksum: Option<(String, Checksum)>) -> Self {
        Self {
            state: State::Size,
            line: Vec::new(),
            missing: length,
            signing,
            hash: Context::new(&SHA256),
            signature: String::new(),
            checksum,
            verified: None,
            trailers: Vec::new(),
            trailer_lines: String::new(),
        }
    }

    /// Takes the next piece of data out of `input`; nothing when `input` is used up.
    pub(super) fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, ApiError> {
        while !input.is_empty() {
            if let State::Data(left) = self.state {
                let take = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                let data = input.split_to(take);
                self.data(&data, left - take as u64)?;
                return Ok(Some(data));
            }
            if let Some(line) = self.line(input)? {
                self.on_line(&line)?;
            }
        }
        Ok(None)
    }

    /// The body has ended: gives its trailers if everything that was stated came.
    pub(super) fn finish(&mut self) -> Result<HeaderMap, ApiError> {
        if self.state != State::Done {
            return Err(malformed("The request body terminated unexpectedly"));
        }
        let mut headers = HeaderMap::new();
        let trailers = std::mem::take(&mut self.trailers).into_iter();
        // A checksum that was not announced was not verified either, so nobody may take it for one.
        let is_verified =
            |name: &str| Algorithm::of_header(name).is_none() || self.verified.as_deref() == Some(name);
        for (name, value) in trailers.filter(|(name, _)| is_verified(name)) {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value))
            {
                headers.insert(name, value);
            }
        }
        Ok(headers)
    }

    fn data(&mut self, data: &[u8], left: u64) -> Result<(), ApiError> {
        self.missing = self
            .missing
            .checked_sub(data.len() as u64)
            .ok_or_else(|| malformed("The request body is longer than x-amz-decoded-content-length says"))?;
        if self.signing.is_some() {
            self.hash.update(data);
        }
        if let Some((_, checksum)) = &mut self.checksum {
            checksum.update(data);
        }
        self.state = if left == 0 { State::DataEnd } else { State::Data(left) };
        if left == 0 { self.check_chunk() } else { Ok(()) }
    }

    fn check_chunk(&mut self) -> Result<(), ApiError> {
        let hash = std::mem::replace(&mut self.hash, Context::new(&SHA256)).finish();
        match &mut self.signing {
            Some(signing) => signing.chunk(&self.signature, &hex::encode(hash)),
            None => Ok(()),
        }
    }

    /// The next line without its end; nothing when more input is needed.
    fn line(&mut self, input: &mut Bytes) -> Result<Option<String>, ApiError> {
        let end = input.iter().position(|&byte| byte == b'\n');
        let take = end.map_or(input.len(), |end| end + 1);
        if self.line.len() + take > LINE_BYTES_MAX {
            return Err(malformed("A line of the chunked body is too long"));
        }
        self.line.extend_from_slice(&input[..take]);
        input.advance(take);
        if end.is_none() {
            return Ok(None);
        }
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n")).unwrap_or(&line);
        let text =
            std::str::from_utf8(line).map_err(|_| malformed("A line of the chunked body is no text"))?;
        Ok(Some(text.to_owned()))
    }

    fn on_line(&mut self, line: &str) -> Result<(), ApiError> {
        match self.state {
            State::Size => self.on_size(line),
            State::DataEnd if line.is_empty() => {
                self.state = State::Size;
                Ok(())
            }
            State::Trailer if line.is_empty() => self.on_end(),
            State::Trailer => self.on_trailer(line),
            // Some clients end with one empty line more.
            State::Done if line.is_empty() => Ok(()),
            _ => Err(malformed("The chunked body is malformed")),
        }
    }

    fn on_size(&mut self, line: &str) -> Result<(), ApiError> {
        let (size, extension) = line.split_once(';').unwrap_or((line, ""));
        let size =
            u64::from_str_radix(size.trim(), 16).map_err(|_| malformed("A chunk has no valid size"))?;
        self.signature = extension.trim().strip_prefix("chunk-signature=").unwrap_or_default().to_owned();
        if size > 0 {
            self.state = State::Data(size);
            return Ok(());
        }
        self.state = State::Trailer;
        self.check_chunk()
    }

    fn on_trailer(&mut self, line: &str) -> Result<(), ApiError> {
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("A trailer has no value"))?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        if self.trailers.len() >= TRAILERS_MAX {
            return Err(malformed("Too many trailers"));
        }
        if name != "x-amz-trailer-signature" {
            self.trailer_lines.push_str(&format!("{name}:{value}\n"));
        }
        self.trailers.push((name, value));
        Ok(())
    }

    fn on_end(&mut self) -> Result<(), ApiError> {
        let trailer = |trailers: &[(String, String)], wanted: &str| {
            trailers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
        };
        if self.missing > 0 {
            return Err(malformed(
                "You did not provide the number of bytes specified by the Content-Length HTTP header",
            ));
        }
        if let Some(signing) = self.signing.as_mut().filter(|_| !self.trailers.is_empty()) {
            let signature = trailer(&self.trailers, "x-amz-trailer-signature").unwrap_or_default();
            signing.trailer(&signature, &self.trailer_lines)?;
        }
        if let Some((name, checksum)) = self.checksum.take() {
            let stated = trailer(&self.trailers, &name).ok_or_else(|| {
                ApiError::new(
                    "MalformedTrailerError",
                    400,
                    "The request contained trailing data that was not well-formed",
                )
            })?;
            let algorithm = checksum.algorithm().name();
            if checksum.finish_base64() != stated {
                let message = format!("The {algorithm} you specified did not match the calculated checksum.");
                return Err(ApiError::new("BadDigest", 400, message));
            }
            self.verified = Some(name);
        }
        self.state = State::Done;
        Ok(())
    }
}
