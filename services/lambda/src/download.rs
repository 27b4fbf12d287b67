//! Packages for their owners: the address that `GetFunction` and `GetLayerVersion` answer, and what is there.
//!
//! Invariant: an address is good for one package and ten minutes; it is made by whoever may read the function,
//! and nobody can make one up, for it is sealed.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use futures_util::stream::unfold;
use http::{Response, StatusCode, header};
use http_body_util::StreamBody;
use hyper::body::Frame;
use pagoda_base::{SignedDuration, Timestamp};
use pagoda_protocol::{ApiError, Body};
use pagoda_service::Context;
use serde::{Deserialize, Serialize};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use crate::Lambda;
use crate::table::Code;

/// The name in the place of a function URL's id.
pub(crate) const NAME: &str = "code";
/// For how long AWS's addresses are good.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(10);
const PURPOSE: &str = "lambda.download";
const CHUNK_BYTES: usize = 256 * 1024;

#[derive(Serialize, Deserialize)]
struct Ticket {
    sha256: String,
    until: Timestamp,
}

/// Where the package can be had for some time.
pub(crate) fn address(lambda: &Lambda, cx: &Context, code: &Code) -> String {
    let ticket = Ticket { sha256: code.sha256.clone(), until: lambda.ports.clock.now() + GOOD_FOR };
    let ticket = serde_json::to_vec(&ticket).unwrap_or_default();
    let sealed = hex::encode(lambda.ports.sealer.seal(PURPOSE, &ticket));
    format!("{}/_aws/lambda-url/{NAME}/{sealed}", cx.origin.endpoint)
}

/// The package that `path` is the address of.
pub(crate) async fn serve(lambda: &Lambda, path: &str) -> Response<Body> {
    let Some(ticket) = open(lambda, path) else { return refusal() };
    let code = Code { sha256: ticket.sha256, bytes: 0 };
    // Kept until the last byte is on its way.
    let hold = lambda.packages.hold(&code);
    let Ok((file, length)) = find(&lambda.packages.archive(&code)).await else { return refusal() };
    let chunks = unfold(Some((file, hold)), async |state| {
        let (mut file, hold) = state?;
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        match file.read_buf(&mut chunk).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(Frame::<Bytes>::data(chunk.freeze())), Some((file, hold)))),
            Err(error) => {
                Some((Err(ApiError { cause: Some(error.to_string()), ..ApiError::internal() }), None))
            }
        }
    });
    let mut response = Response::new(Body::stream(StreamBody::new(chunks), Some(length)));
    let kind = header::HeaderValue::from_static("application/zip");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn find(path: &Path) -> std::io::Result<(File, u64)> {
    let file = File::open(path).await?;
    let length = file.metadata().await?.len();
    Ok((file, length))
}

fn open(lambda: &Lambda, path: &str) -> Option<Ticket> {
    let sealed = hex::decode(path.strip_prefix('/')?).ok()?;
    let ticket = lambda.ports.sealer.open(PURPOSE, &sealed).ok()?;
    let ticket: Ticket = serde_json::from_slice(&ticket).ok()?;
    (lambda.ports.clock.now() < ticket.until).then_some(ticket)
}

fn refusal() -> Response<Body> {
    let mut response = Response::new(Body::from("Access denied: the address is not good, or no longer."));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}
