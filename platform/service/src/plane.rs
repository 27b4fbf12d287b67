//! A data plane: what answers requests that are not AWS API calls, such as those to a deployed API or a website.

use async_trait::async_trait;
use http::request::Parts;
use pagoda_protocol::Body;

use crate::Context;

/// A request that has arrived at a data plane.
pub struct Arrival {
    /// Method, original URI and headers, unchanged, as signatures cover them.
    pub parts: Parts,
    /// The body, unread.
    pub body: Body,
    /// The circumstances; the caller is anonymous until the plane authenticates.
    pub cx: Context,
    /// What is addressed: an API's id, a bucket.
    pub name: String,
    /// The path within it, still percent-encoded, beginning with a slash.
    pub path: String,
}

/// A service's data plane.
#[async_trait]
pub trait DataPlane: Send + Sync {
    /// Answers; errors too are answers.
    async fn serve(&self, arrival: Arrival) -> http::Response<Body>;
}
