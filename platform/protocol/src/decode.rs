//! From a request to an operation's input.

use bytes::Bytes;
use http::request::Parts;

use crate::bound::BoundReader;
use crate::cbor::CborReader;
use crate::check::Checks;
use crate::inflate::inflated;
use crate::json::{JsonReader, Names};
use crate::query::{Form, QueryReader};
use crate::route::Routed;
use crate::schema::Member;
use crate::shape::Shape;
use crate::spec::{OperationSpec, Protocol};
use crate::{ApiError, Body};

/// Reads the input of `spec` from a request that was routed to it. The body must be in memory unless the
/// operation streams it. All broken constraints are named in one error.
pub fn decode<I: Shape>(
    spec: &'static OperationSpec,
    routed: &Routed,
    parts: &Parts,
    body: Body,
) -> Result<I, ApiError> {
    let mut checks = Checks::new(spec.name);
    let place = Member::new("", I::schema());
    let input = match routed.protocol {
        Protocol::AwsJson10 | Protocol::AwsJson11 => from_document(place, parts, &body, &mut checks)?,
        Protocol::RpcV2Cbor => from_cbor(place, parts, &body, &mut checks)?,
        Protocol::AwsQuery => from_form(place, parts, &body, &mut checks)?,
        Protocol::RestJson1 | Protocol::RestXml => {
            I::read(&mut BoundReader::new(place, routed, spec, parts, body, &mut checks))?
        }
    };
    checks.finish(routed.service.validation_code)?;
    Ok(input)
}

fn from_document<I: Shape>(
    place: Member,
    parts: &Parts,
    body: &Body,
    checks: &mut Checks,
) -> Result<I, ApiError> {
    let bytes = plain(parts, body)?;
    let text = utf8(&bytes)?;
    let text = if text.is_empty() { "{}" } else { text };
    JsonReader::new(text, place, Names::Wire, checks).document_of()
}

fn from_cbor<I: Shape>(
    place: Member,
    parts: &Parts,
    body: &Body,
    checks: &mut Checks,
) -> Result<I, ApiError> {
    let bytes = plain(parts, body)?;
    // An operation without input has no document.
    let bytes: &[u8] = if bytes.is_empty() { &[0xa0] } else { &bytes };
    CborReader::new(bytes, place, checks).document_of()
}

fn from_form<I: Shape>(
    place: Member,
    parts: &Parts,
    body: &Body,
    checks: &mut Checks,
) -> Result<I, ApiError> {
    let bytes = plain(parts, body)?;
    let query = parts.uri.query().unwrap_or_default();
    let text = format!("{query}&{}", utf8(&bytes)?);
    let form = Form::parse(&text)?;
    I::read(&mut QueryReader::new(&form, place, checks))
}

/// The body in memory, as it was before the client compressed it.
fn plain(parts: &Parts, body: &Body) -> Result<Bytes, ApiError> {
    inflated(&parts.headers, body.bytes().ok_or_else(ApiError::internal)?.clone())
}

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, ApiError> {
    std::str::from_utf8(bytes)
        .map_err(|_| ApiError::new("SerializationException", 400, "The request body is not valid UTF-8"))
}
