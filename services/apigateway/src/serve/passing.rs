//! The `HTTP_PROXY` integration: the request goes to a server as it is, and its answer comes back.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html>

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, Uri};
use http_body::{Body as _, Frame};
use http_body_util::Full;
use hyper::body::Incoming;
use pagoda_protocol::{ApiError, Body};

use super::Call;
use super::answer::Refusal;
use super::expression::encoded;
use super::outgoing::{Outgoing, Parameters};
use super::upstream::drop_hop_by_hop;
use crate::ApiGateway;
use crate::table::Integration;

/// Headers of an answer that API Gateway has of its own; the server's go under another name.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
const REMAPPED: [(HeaderName, HeaderName); 3] = [
    (header::DATE, HeaderName::from_static("x-amzn-remapped-date")),
    (header::SERVER, HeaderName::from_static("x-amzn-remapped-server")),
    (header::WWW_AUTHENTICATE, HeaderName::from_static("x-amzn-remapped-www-authenticate")),
];

impl ApiGateway {
    pub(crate) async fn pass(
        &self,
        call: &Call<'_>,
        integration: &Integration,
        parameters: &Parameters,
    ) -> Result<Response<Body>, Refusal> {
        let request = request(call, integration, parameters)?;
        let time = Duration::from_millis(integration.timeout_millis);
        let answered = self.upstreams.send(request, integration.is_unverified, time).await?;
        let (mut parts, body) = answered.into_parts();
        let length = body.size_hint().exact();
        if length.is_some_and(|length| length > super::BODY_BYTES_MAX as u64) {
            return Err(Refusal::BadGateway);
        }
        drop_hop_by_hop(&mut parts.headers);
        parts.headers.remove(header::CONTENT_LENGTH);
        for (name, remapped) in &REMAPPED {
            if let Some(value) = parts.headers.remove(name) {
                parts.headers.insert(remapped, value);
            }
        }
        parts.version = http::Version::default();
        let body = Body::stream(Bounded { body, left: super::BODY_BYTES_MAX as u64 }, length);
        Ok(Response::from_parts(parts, body))
    }
}

fn request(
    call: &Call<'_>,
    integration: &Integration,
    parameters: &Parameters,
) -> Result<Request<Full<Bytes>>, Refusal> {
    let mut outgoing = Outgoing { headers: call.parts.headers.clone(), ..Outgoing::default() };
    // A variable of the address that nothing is mapped to is the path's of the same name.
    let origin = call.origin();
    let greedy = |name: &str| origin.greedy == Some(name);
    let own = origin.path.iter();
    outgoing.path.extend(own.map(|(name, value)| (name.clone(), encoded(value, greedy(name)).into_owned())));
    let variables = origin.variables;
    parameters.put_on(&mut outgoing, &origin);
    let mut address = outgoing.address(integration.uri.as_deref().unwrap_or_default(), variables);
    if let Some(query) = call.parts.uri.query().filter(|query| !query.is_empty()) {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(query);
    }
    let uri: Uri = address.parse().map_err(|_| Refusal::InternalError)?;
    let mut headers = outgoing.headers;
    drop_hop_by_hop(&mut headers);
    headers.remove(header::HOST);
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::EXPECT);
    forwarded(&mut headers, call);
    send(integration, call, uri, headers, call.body.clone())
}

/// A request of the integration's verb.
pub(crate) fn send(
    integration: &Integration,
    call: &Call<'_>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, Refusal> {
    let verb = integration.http_method.as_deref().filter(|verb| *verb != "ANY");
    let method = match verb {
        Some(verb) => http::Method::from_bytes(verb.as_bytes()).map_err(|_| Refusal::InternalError)?,
        None => call.parts.method.clone(),
    };
    let mut request = Request::new(Full::new(body));
    (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (method, uri, headers);
    Ok(request)
}

/// Says for whom the request is sent.
fn forwarded(headers: &mut HeaderMap, call: &Call<'_>) {
    let origin = &call.cx.origin;
    let address = origin.address.to_canonical().to_string();
    let before = headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let chain = before.map_or_else(|| address.clone(), |before| format!("{before}, {address}"));
    let scheme = if origin.secure { "https" } else { "http" };
    for (name, value) in [("x-forwarded-for", chain.as_str()), ("x-forwarded-proto", scheme)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
}

/// A body of a server, broken off where it is longer than answers may be.
struct Bounded {
    body: Incoming,
    left: u64,
}

impl http_body::Body for Bounded {
    type Data = Bytes;
    type Error = ApiError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiError>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None => return Poll::Ready(None),
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                tracing::warn!(%error, "an integration's answer broke off");
                return Poll::Ready(Some(Err(ApiError::internal())));
            }
        };
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        let Some(left) = self.left.checked_sub(length) else {
            return Poll::Ready(Some(Err(ApiError::internal())));
        };
        self.left = left;
        Poll::Ready(Some(Ok(frame)))
    }
}
