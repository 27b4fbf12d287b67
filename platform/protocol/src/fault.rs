//! Errors in the exact form of each protocol.

use http::Response;

use crate::Body;
use crate::cbor;
use crate::encode::{Answer, Bound, Trace, content_type};
use crate::error::{ApiError, Fault, Modelled};
use crate::json::{self, quote};
use crate::schema::{Location, Member};
use crate::shape::{Encode, Writer};
use crate::spec::{Protocol, ServiceSpec};
use crate::xml::{XmlWriter, escape};

/// Errors of the framework that AWS's JSON services stand on, not of the service: their `__type` has a
/// namespace of its own where the service's errors have one.
const FRAMEWORK: [(&str, &str); 9] = [
    ("ValidationException", "com.amazon.coral.validate"),
    ("AccessDeniedException", "com.amazon.coral.service"),
    ("IncompleteSignatureException", "com.amazon.coral.service"),
    ("InternalFailure", "com.amazon.coral.service"),
    ("InvalidSignatureException", "com.amazon.coral.service"),
    ("MissingAuthenticationTokenException", "com.amazon.coral.service"),
    ("SerializationException", "com.amazon.coral.service"),
    ("UnknownOperationException", "com.amazon.coral.service"),
    ("UnrecognizedClientException", "com.amazon.coral.service"),
];

/// The response that tells `error`.
pub fn encode_error(
    service: &ServiceSpec,
    protocol: Protocol,
    error: &ApiError,
    trace: &Trace<'_>,
) -> Response<Body> {
    let mut answer = match protocol {
        Protocol::AwsJson10 | Protocol::AwsJson11 => aws_json(service, protocol, error),
        Protocol::RpcV2Cbor => rpc_cbor(service, error),
        Protocol::RestJson1 => rest_json(service, error),
        Protocol::RestXml => Answer::document(
            error.status.as_u16(),
            rest_xml(error, trace).into_bytes(),
            content_type(protocol),
        ),
        Protocol::AwsQuery => {
            let text = query(service, error, trace);
            Answer::document(error.status.as_u16(), text.into_bytes(), content_type(protocol))
        }
    };
    if service.was_query() && protocol != Protocol::AwsQuery {
        answer.header("x-amzn-query-error", &format!("{};{}", error.code, fault_name(error)));
    }
    for (name, value) in &error.headers {
        answer.header(name, value);
    }
    answer.into_response(service, trace)
}

fn aws_json(service: &ServiceSpec, protocol: Protocol, error: &ApiError) -> Answer {
    let mut bytes = b"{\"__type\":".to_vec();
    quote(&mut bytes, &qualified(service, error));
    add_members(&mut bytes, error);
    Answer::document(error.status.as_u16(), bytes, content_type(protocol))
}

/// Source: <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html#operation-error-serialization>
fn rpc_cbor(service: &ServiceSpec, error: &ApiError) -> Answer {
    let mut bytes = Vec::new();
    cbor::map(&mut bytes, 2);
    cbor::text(&mut bytes, "__type");
    cbor::text(&mut bytes, &qualified(service, error));
    cbor::text(&mut bytes, "message");
    cbor::text(&mut bytes, &error.message);
    Answer::document(error.status.as_u16(), bytes, content_type(Protocol::RpcV2Cbor)).speaks_cbor()
}

fn fault_name(error: &ApiError) -> &'static str {
    if error.fault() == Fault::Sender { "Sender" } else { "Receiver" }
}

/// The code with its namespace, as DynamoDB has it: `com.amazonaws.dynamodb.v20120810#…`.
fn qualified(service: &ServiceSpec, error: &ApiError) -> String {
    if service.error_namespace.is_empty() {
        return error.code.to_string();
    }
    if let Some(exception) = error.modelled.as_deref().filter(|_| service.was_query()) {
        // The code is awsQuery's; the others have the shape's name.
        return format!("{}#{}", service.error_namespace, exception.exception_schema().name);
    }
    let framework = FRAMEWORK.iter().find(|(code, _)| *code == error.code && error.modelled.is_none());
    let namespace = framework.map_or(service.error_namespace, |(_, namespace)| namespace);
    format!("{namespace}#{}", error.code)
}

/// Ends the object in `bytes` with the error's members.
fn add_members(bytes: &mut Vec<u8>, error: &ApiError) {
    let modelled = error.modelled.as_deref().map(modelled_document);
    match modelled.as_deref() {
        Some([b'{', members @ .., b'}']) if !members.is_empty() => {
            bytes.push(b',');
            bytes.extend_from_slice(members);
        }
        _ if !error.message.is_empty() => {
            bytes.extend_from_slice(b",\"message\":");
            quote(bytes, &error.message);
        }
        _ => {}
    }
    for (name, value) in &error.fields {
        bytes.push(b',');
        quote(bytes, name);
        bytes.push(b':');
        quote(bytes, value);
    }
    bytes.push(b'}');
}

fn modelled_document(exception: &dyn Modelled) -> Vec<u8> {
    json::document(Member::new("", exception.exception_schema()), &Detail(exception))
}

/// An exception as a value to write.
struct Detail<'a>(&'a dyn Modelled);

impl Encode for Detail<'_> {
    fn write(&self, writer: &mut dyn Writer) {
        self.0.write(writer);
    }
}

fn rest_json(service: &ServiceSpec, error: &ApiError) -> Answer {
    let status = error.status.as_u16();
    let mut answer = match &error.modelled {
        Some(exception) => {
            let place = Member::new("", exception.exception_schema());
            let mut bound = Bound::new(service, Protocol::RestJson1, "", place, status);
            exception.write(&mut bound);
            bound.into_answer()
        }
        None => {
            let mut bytes = b"{\"message\":".to_vec();
            quote(&mut bytes, &error.message);
            bytes.push(b'}');
            Answer::document(status, bytes, content_type(Protocol::RestJson1))
        }
    };
    answer.header("x-amzn-errortype", &error.code);
    answer
}

fn rest_xml(error: &ApiError, trace: &Trace<'_>) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    element(&mut text, "Code", &error.code);
    element(&mut text, "Message", &error.message);
    text.push_str(&further_members(error));
    for (name, value) in &error.fields {
        element(&mut text, name, value);
    }
    if !trace.resource.is_empty() {
        element(&mut text, "Resource", trace.resource);
    }
    element(&mut text, "RequestId", trace.request_id);
    element(&mut text, "HostId", trace.host_id);
    text.push_str("</Error>");
    text
}

fn query(service: &ServiceSpec, error: &ApiError, trace: &Trace<'_>) -> String {
    let mut text = format!("<ErrorResponse xmlns=\"{}\"><Error>", service.xml_namespace);
    element(&mut text, "Type", fault_name(error));
    element(&mut text, "Code", &error.code);
    element(&mut text, "Message", &error.message);
    text.push_str(&further_members(error));
    text.push_str("</Error>");
    element(&mut text, "RequestId", trace.request_id);
    text.push_str("</ErrorResponse>");
    text
}

/// The modelled members but the message, which has been written already.
fn further_members(error: &ApiError) -> String {
    let Some(exception) = &error.modelled else { return String::new() };
    let place = Member::new("", exception.exception_schema());
    let mut further = Further { writer: XmlWriter::new(place, false), place };
    exception.write(&mut further);
    further.writer.into_text()
}

struct Further {
    writer: XmlWriter,
    place: Member,
}

impl Writer for Further {
    fn structure(&mut self, members: &[&dyn Encode]) {
        for (member, value) in self.place.target.members.iter().zip(members) {
            let is_message = member.wire.eq_ignore_ascii_case("message");
            if member.location == Location::Body && !is_message && !value.is_absent() {
                self.writer.element(member.wire, "", *member, *value);
            }
        }
    }
}

fn element(text: &mut String, name: &str, value: &str) {
    text.push_str(&format!("<{name}>"));
    escape(text, value);
    text.push_str(&format!("</{name}>"));
}
