//! Bodies that are checked while they are read.

use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use aws_lc_rs::digest::Context;
use bytes::Bytes;
use http_body::Frame;

use super::chunked::Chunks;
use super::refusal::Dialect;
use super::sealed::check_hash;
use crate::{ApiError, Body};

/// A body whose hash must be the signed one when it ends.
pub(super) struct Checked {
    inner: Body,
    hash: Option<Context>,
    dialect: Dialect,
    signed: String,
}

impl Checked {
    pub(super) fn new(inner: Body, hash: Context, dialect: Dialect, signed: String) -> Self {
        Self { inner, hash: Some(hash), dialect, signed }
    }
}

impl http_body::Body for Checked {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(task));
        if let Some(Ok(frame)) = &frame {
            if let (Some(data), Some(hash)) = (frame.data_ref(), &mut this.hash) {
                hash.update(data);
            }
            return Poll::Ready(Some(Ok(Frame::data(frame.data_ref().cloned().unwrap_or_default()))));
        }
        if frame.is_some() {
            return Poll::Ready(frame);
        }
        let Some(hash) = this.hash.take() else { return Poll::Ready(None) };
        let outcome = check_hash(this.dialect, &this.signed, &hex::encode(hash.finish()));
        Poll::Ready(outcome.err().map(Err))
    }
}

/// The data inside of an `aws-chunked` body; its trailers come as the last frame.
pub(super) struct Unchunked {
    inner: Body,
    input: Bytes,
    chunks: Option<Chunks>,
}

impl Unchunked {
    pub(super) fn new(inner: Body, chunks: Chunks) -> Self {
        Self { inner, input: Bytes::new(), chunks: Some(chunks) }
    }
}

impl http_body::Body for Unchunked {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        let this = self.get_mut();
        loop {
            let Some(chunks) = &mut this.chunks else { return Poll::Ready(None) };
            match chunks.next(&mut this.input) {
                Ok(Some(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(None) => {}
                Err(error) => {
                    this.chunks = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
            match ready!(Pin::new(&mut this.inner).poll_frame(task)) {
                Some(Ok(frame)) => this.input = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    let outcome = chunks.finish();
                    this.chunks = None;
                    return Poll::Ready(Some(outcome.map(Frame::trailers)));
                }
            }
        }
    }
}
