//! From an operation's output to a response.

use http::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use crate::Body;
use crate::cbor;
use crate::json::{self, JsonWriter, Names};
use crate::schema::{Kind, Location, Member, TimestampFormat};
use crate::shape::{Encode, Shape, Writer};
use crate::spec::{OperationSpec, Protocol, ServiceSpec};
use crate::text::TextWriter;
use crate::xml::{XmlWriter, escape};

/// What an answer tells about its request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trace<'a> {
    /// The id that finds the log line.
    pub request_id: &'a str,
    /// S3's second id.
    pub host_id: &'a str,
    /// What an error of S3 was about: the path.
    pub resource: &'a str,
    /// The request was HEAD: the answer has no body.
    pub head: bool,
}

/// The response to a request of `spec` that gave `output`.
pub fn encode<O: Shape>(
    service: &ServiceSpec,
    protocol: Protocol,
    spec: &OperationSpec,
    mut output: O,
    trace: &Trace<'_>,
) -> Response<Body> {
    let stream = output.take_stream();
    let place = Member::new("", O::schema());
    let mut answer = match protocol {
        Protocol::AwsJson10 | Protocol::AwsJson11 => {
            let bytes =
                if place.target.members.is_empty() { Vec::new() } else { json::document(place, &output) };
            Answer::document(spec.status, bytes, content_type(protocol))
        }
        Protocol::RpcV2Cbor if place.target.name == "Unit" => {
            let mut answer = Answer::document(spec.status, Vec::new(), content_type(protocol));
            answer.headers.clear();
            answer.speaks_cbor()
        }
        Protocol::RpcV2Cbor => {
            let bytes = cbor::document(place, &output);
            Answer::document(spec.status, bytes, content_type(protocol)).speaks_cbor()
        }
        Protocol::AwsQuery => {
            let text = query_response(service, spec, place, &output, trace);
            Answer::document(spec.status, text.into_bytes(), content_type(protocol))
        }
        Protocol::RestJson1 | Protocol::RestXml => {
            let mut answer = Bound::new(service, protocol, spec.output_root, place, spec.status);
            output.write(&mut answer);
            answer.into_answer()
        }
    };
    if let Some(stream) = stream {
        answer.body = stream;
    }
    answer.into_response(service, trace)
}

/// The media type of `protocol`'s answers.
pub(crate) fn content_type(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::AwsJson10 => "application/x-amz-json-1.0",
        Protocol::AwsJson11 => "application/x-amz-json-1.1",
        Protocol::RestJson1 => "application/json",
        Protocol::RestXml => "application/xml",
        Protocol::AwsQuery => "text/xml",
        Protocol::RpcV2Cbor => "application/cbor",
    }
}

fn query_response(
    service: &ServiceSpec,
    spec: &OperationSpec,
    place: Member,
    output: &dyn Encode,
    trace: &Trace<'_>,
) -> String {
    let name = spec.name;
    let mut text = format!("<{name}Response xmlns=\"{}\">", service.xml_namespace);
    if !spec.output_root.is_empty() {
        let mut writer = XmlWriter::new(place, false);
        writer.element(spec.output_root, "", place, output);
        text.push_str(&writer.into_text());
    }
    text.push_str("<ResponseMetadata><RequestId>");
    escape(&mut text, trace.request_id);
    text.push_str(&format!("</RequestId></ResponseMetadata></{name}Response>"));
    text
}

/// The parts of a response.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl Answer {
    /// A response that is one document.
    pub(crate) fn document(status: u16, bytes: Vec<u8>, content_type: &'static str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers, body: bytes.into() }
    }

    /// Names the protocol, as rpcv2Cbor wants it of all answers.
    pub(crate) fn speaks_cbor(mut self) -> Self {
        self.header(cbor::HEADER.0, cbor::HEADER.1);
        self
    }

    /// Sets a header; a value that no header can hold is left out.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        header(&mut self.headers, name, value);
    }

    pub(crate) fn into_response(mut self, service: &ServiceSpec, trace: &Trace<'_>) -> Response<Body> {
        if service.is_s3() {
            self.header("x-amz-request-id", trace.request_id);
            self.header("x-amz-id-2", trace.host_id);
        } else {
            self.header("x-amzn-requestid", trace.request_id);
        }
        let silent =
            trace.head || self.status == StatusCode::NO_CONTENT || self.status == StatusCode::NOT_MODIFIED;
        let mut response = Response::new(if silent { Body::empty() } else { self.body });
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

fn header(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) =
        (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
    {
        headers.insert(name, value);
    }
}

/// A writer that spreads a structure over headers, status and body.
pub(crate) struct Bound<'a> {
    service: &'a ServiceSpec,
    protocol: Protocol,
    root: &'a str,
    place: Member,
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    content_type: Option<&'static str>,
}

impl<'a> Bound<'a> {
    /// For the structure of `place`, whose XML document has the root element `root`.
    pub(crate) fn new(
        service: &'a ServiceSpec,
        protocol: Protocol,
        root: &'a str,
        place: Member,
        status: u16,
    ) -> Self {
        Self {
            service,
            protocol,
            root,
            place,
            status,
            headers: HeaderMap::new(),
            body: Vec::new(),
            content_type: None,
        }
    }

    /// What was written.
    pub(crate) fn into_answer(self) -> Answer {
        let Self { status, mut headers, body, content_type, .. } = self;
        if let Some(content_type) = content_type.filter(|_| !headers.contains_key(CONTENT_TYPE)) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // S3's model has no member for it: an answer that says which part it is, is partial.
        let is_partial = status == StatusCode::OK && headers.contains_key(CONTENT_RANGE);
        let status = if is_partial { StatusCode::PARTIAL_CONTENT } else { status };
        Answer { status, headers, body: body.into() }
    }

    fn payload(&mut self, member: &Member, value: &dyn Encode) {
        match member.target.kind {
            Kind::Stream => return,
            Kind::Blob | Kind::String => {
                let mut raw = Raw::default();
                value.write(&mut raw);
                self.body = raw.0;
                // What Lambda's functions answer and what S3's policies are.
                self.content_type = Some("application/json");
                return;
            }
            _ if self.protocol == Protocol::RestJson1 => self.body = json::document(*member, value),
            _ => self.body = self.xml(member.wire, *member, value),
        }
        self.content_type = Some(content_type(self.protocol));
    }

    fn document(&mut self, members: &[&dyn Encode]) {
        let mut in_body =
            self.place.target.members.iter().zip(members).filter(|(m, _)| m.location == Location::Body);
        let Some((first, value)) = in_body.next() else { return };
        self.content_type = Some(content_type(self.protocol));
        if self.protocol == Protocol::RestJson1 {
            let mut writer = JsonWriter::new(self.place, Names::Wire);
            writer.structure(members);
            self.body = writer.into_bytes();
        } else if first.wire == self.root && in_body.next().is_none() {
            // S3 answers GetBucketLocation with its only member as the root.
            self.body = self.xml(self.root, *first, *value);
        } else {
            self.body = self.xml(self.root, self.place, &Members(members));
        }
    }

    fn xml(&self, root: &str, place: Member, value: &dyn Encode) -> Vec<u8> {
        let mut writer = XmlWriter::new(place, self.service.is_s3());
        writer.element(root, self.service.xml_namespace, place, value);
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", writer.into_text()).into_bytes()
    }
}

impl Writer for Bound<'_> {
    fn structure(&mut self, members: &[&dyn Encode]) {
        let schema = self.place.target;
        for (member, value) in schema.members.iter().zip(members).filter(|(_, value)| !value.is_absent()) {
            match member.location {
                Location::Header => {
                    let texts = TextWriter::texts(*member, TimestampFormat::HttpDate, *value);
                    header(&mut self.headers, member.wire, &texts.join(","));
                }
                Location::PrefixHeaders => {
                    let mut entries = Entries { place: *member, headers: &mut self.headers };
                    value.write(&mut entries);
                }
                Location::Status => {
                    let texts = TextWriter::texts(*member, TimestampFormat::HttpDate, *value);
                    self.status = texts.first().and_then(|text| text.parse().ok()).unwrap_or(self.status);
                }
                Location::Payload => self.payload(member, *value),
                Location::Body | Location::Query | Location::QueryMap | Location::Label => {}
            }
        }
        if schema.payload().is_none() {
            self.document(members);
        }
    }
}

/// The members of a structure once more, as a value.
struct Members<'a>(&'a [&'a dyn Encode]);

impl Encode for Members<'_> {
    fn write(&self, writer: &mut dyn Writer) {
        writer.structure(self.0);
    }
}

/// Headers from a map.
struct Entries<'a> {
    place: Member,
    headers: &'a mut HeaderMap,
}

impl Writer for Entries<'_> {
    fn map(&mut self, entries: &mut dyn Iterator<Item = (&str, &dyn Encode)>) {
        let Some(place) = self.place.target.element else { return };
        for (key, value) in entries {
            let texts = TextWriter::texts(*place, TimestampFormat::HttpDate, value);
            header(self.headers, &format!("{}{key}", self.place.wire), &texts.join(","));
        }
    }
}

/// A blob or text that is the whole body.
#[derive(Default)]
struct Raw(Vec<u8>);

impl Writer for Raw {
    fn string(&mut self, value: &str) {
        self.0 = value.as_bytes().to_vec();
    }

    fn blob(&mut self, value: &[u8]) {
        self.0 = value.to_vec();
    }
}
