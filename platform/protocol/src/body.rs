//! Bodies of requests and responses: bytes in memory, or a stream of them.
//!
//! Invariants: a stream's error is an [`ApiError`], so that a reader that meets a wrong chunk signature
//! answers with AWS's code for it.

use std::fmt;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use crate::ApiError;

/// A blob that is not held in memory.
pub type ByteStream = Body;

type Stream = Pin<Box<dyn http_body::Body<Data = Bytes, Error = ApiError> + Send>>;

/// A body: of a request, of a response, of an S3 object.
#[derive(Default)]
pub struct Body(Inner);

enum Inner {
    Bytes(Bytes),
    /// The mutex is never locked: only `&mut` reaches the stream. It makes the body `Sync`, so that a
    /// handler may hold `&input` across an await.
    Stream {
        stream: Mutex<Stream>,
        length: Option<u64>,
    },
}

impl Default for Inner {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl Body {
    /// Nothing.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A stream whose length in bytes may be known.
    pub fn stream<B>(stream: B, length: Option<u64>) -> Self
    where
        B: http_body::Body<Data = Bytes, Error = ApiError> + Send + 'static,
    {
        Self(Inner::Stream { stream: Mutex::new(Box::pin(stream)), length })
    }

    /// Its length in bytes, if known.
    pub fn len(&self) -> Option<u64> {
        match &self.0 {
            Inner::Bytes(bytes) => Some(bytes.len() as u64),
            Inner::Stream { length, .. } => *length,
        }
    }

    /// Known to be empty.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Its bytes, if they are in memory.
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Inner::Bytes(bytes) => Some(bytes),
            Inner::Stream { .. } => None,
        }
    }

    /// The next piece; nothing at the end. Trailers are passed over.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, ApiError>> {
        loop {
            match self.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => return Some(Ok(data)),
                    Err(_trailers) => continue,
                },
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// All of it in memory; more than `bytes_max` bytes are refused with S3's `EntityTooLarge`.
    pub async fn collect(self, bytes_max: usize) -> Result<Bytes, ApiError> {
        let too_large =
            || ApiError::new("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size");
        let mut body = match self.0 {
            Inner::Bytes(bytes) if bytes.len() > bytes_max => return Err(too_large()),
            Inner::Bytes(bytes) => return Ok(bytes),
            stream => Self(stream),
        };
        if body.len().is_some_and(|length| length > bytes_max as u64) {
            return Err(too_large());
        }
        let mut all = BytesMut::new();
        while let Some(chunk) = body.chunk().await {
            let chunk = chunk?;
            if all.len() + chunk.len() > bytes_max {
                return Err(too_large());
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(Inner::Bytes(bytes.into()))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        match &mut self.get_mut().0 {
            Inner::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Inner::Stream { stream, .. } => {
                stream.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner()).as_mut().poll_frame(context)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, Inner::Bytes(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        self.len().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len() {
            Some(length) => write!(f, "Body({length} bytes)"),
            None => f.write_str("Body(stream)"),
        }
    }
}
