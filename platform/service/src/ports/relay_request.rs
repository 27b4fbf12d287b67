//! A request in a service's own protocol, answered inside the process with the same authorization as from
//! outside.

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use http::request::Parts;
use pagoda_protocol::Body;

use crate::Context;

/// Passes requests on to services.
#[async_trait]
pub trait RelayRequest: Send + Sync {
    /// Answers a request to `service` (by its signing name) as the caller of `cx`. With an `action`, services
    /// whose protocol names operations in a header or a parameter are asked for it. Refusals and failures are
    /// answers, as the service's protocol has them.
    async fn relay(
        &self,
        cx: &Context,
        service: &str,
        action: Option<&str>,
        parts: Parts,
        body: Bytes,
    ) -> Response<Body>;
}
