//! A request's body as it comes from the network, with a limit on silence.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use pagoda_protocol::{ApiError, Body};
use tokio::time::{Instant, Sleep};

use crate::linger::Whole;

/// Wraps the network's body: its errors become AWS's, and a peer that falls silent is cut off. At its end
/// the request is `whole`.
pub(crate) fn incoming(body: Incoming, idle: Duration, whole: &Whole) -> Body {
    if body.is_end_stream() {
        whole.set();
        return Body::empty();
    }
    let length = body.size_hint().exact();
    Body::stream(Patient { body, idle, silence: None, whole: whole.clone() }, length)
}

struct Patient {
    body: Incoming,
    idle: Duration,
    /// Runs only while the peer is being waited for.
    silence: Option<Pin<Box<Sleep>>>,
    whole: Whole,
}

impl http_body::Body for Patient {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.silence = None;
            if frame.is_none() || self.body.is_end_stream() {
                self.whole.set();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(|_| incomplete())));
        }
        let deadline = Instant::now() + self.idle;
        let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        ready!(silence.as_mut().poll(cx));
        Poll::Ready(Some(Err(timed_out())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn incomplete() -> ApiError {
    ApiError::new("IncompleteBody", 400, "The request body terminated unexpectedly")
}

fn timed_out() -> ApiError {
    ApiError::new(
        "RequestTimeout",
        400,
        "Your socket connection to the server was not read from or written to within the timeout period.",
    )
}
