//! Reads an input whose members are spread over the HTTP message: restJson1 and restXml.
//!
//! Source: <https://smithy.io/2.0/spec/http-bindings.html>

use bytes::Bytes;
use http::request::Parts;

use crate::check::{Checks, Seen};
use crate::decode::utf8;
use crate::json::{JsonReader, Names};
use crate::query::pairs;
use crate::route::{Routed, is_in_document};
use crate::schema::{Kind, Location, Member, Schema, TimestampFormat};
use crate::shape::{EachEntry, EachMember, Reader};
use crate::spec::{OperationSpec, Protocol};
use crate::text::{Refuse, TextReader};
use crate::{ApiError, Body, xml};

/// A reader at the root of an input.
pub(crate) struct BoundReader<'a> {
    place: Member,
    routed: &'a Routed,
    spec: &'static OperationSpec,
    parts: &'a Parts,
    body: Body,
    checks: &'a mut Checks,
}

impl<'a> BoundReader<'a> {
    pub(crate) fn new(
        place: Member,
        routed: &'a Routed,
        spec: &'static OperationSpec,
        parts: &'a Parts,
        body: Body,
        checks: &'a mut Checks,
    ) -> Self {
        Self { place, routed, spec, parts, body, checks }
    }

    /// The texts of a member that is bound to label, query string or header.
    fn texts(&self, member: &Member) -> Vec<String> {
        match member.location {
            Location::Label => self.routed.label(member.wire).map(str::to_owned).into_iter().collect(),
            Location::Query => {
                let query = pairs(self.parts.uri.query().unwrap_or_default());
                query.filter(|(name, _)| name == member.wire).map(|(_, value)| value.into_owned()).collect()
            }
            Location::Header => header_texts(self.parts, member),
            _ => Vec::new(),
        }
    }

    fn bound(
        &mut self,
        index: usize,
        member: &'static Member,
        each: EachMember<'_>,
    ) -> Result<bool, ApiError> {
        let texts = self.texts(member);
        if texts.is_empty() {
            return Ok(false);
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let format = match member.location {
            Location::Header => TimestampFormat::HttpDate,
            _ => TimestampFormat::DateTime,
        };
        let refuse: Refuse = if self.routed.service.is_s3() { invalid_argument } else { not_convertible };
        each(index, &mut TextReader::new(&texts, *member, format, self.checks, refuse))?;
        Ok(true)
    }

    /// The entries of a map over headers or query parameters.
    fn entries(&self, schema: &Schema, member: &Member) -> Vec<(String, String)> {
        if member.location == Location::QueryMap {
            let bound =
                |name: &str| schema.members.iter().any(|m| m.location == Location::Query && m.wire == name);
            let query = pairs(self.parts.uri.query().unwrap_or_default());
            return query.filter(|(n, _)| !bound(n)).map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
        }
        let headers = self.parts.headers.iter();
        let prefix = member.wire.to_ascii_lowercase();
        let entry = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.as_str().strip_prefix(&prefix)?.to_owned(), header_text(value)))
        };
        headers.filter_map(entry).collect()
    }

    /// Reads the member that is the whole body; says whether there was one.
    fn payload(
        &mut self,
        index: usize,
        member: &'static Member,
        each: EachMember<'_>,
    ) -> Result<bool, ApiError> {
        if member.target.kind == Kind::Stream || self.spec.streams_input {
            each(index, &mut Payload { member, body: std::mem::take(&mut self.body), checks: self.checks })?;
            return Ok(true);
        }
        let bytes = self.bytes()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        match member.target.kind {
            Kind::Blob | Kind::String => {
                each(index, &mut Payload { member, body: bytes.into(), checks: self.checks })?;
            }
            _ if self.routed.protocol == Protocol::RestXml => {
                self.xml_payload(index, member, &bytes, each)?
            }
            _ => {
                let mut reader = JsonReader::new(utf8(&bytes)?, *member, Names::Wire, self.checks);
                each(index, &mut reader)?;
                reader.finish()?;
            }
        }
        Ok(true)
    }

    /// S3 answers everything that is wrong inside of a document with one and the same error.
    fn xml_payload(
        &mut self,
        index: usize,
        member: &'static Member,
        bytes: &[u8],
        each: EachMember<'_>,
    ) -> Result<(), ApiError> {
        let text = std::str::from_utf8(bytes).map_err(|_| malformed_xml(member, ""))?;
        let root = xml::parse(text).map_err(|_| malformed_xml(member, ""))?;
        if root.name != member.wire {
            return Err(malformed_xml(member, &root.name));
        }
        let mut checks = Checks::new(self.spec.name);
        each(index, &mut xml::XmlReader::new(&root, *member, &mut checks, malformed_xml))?;
        checks.finish("MalformedXML").map_err(|_| malformed_xml(member, ""))
    }

    fn bytes(&mut self) -> Result<Bytes, ApiError> {
        self.body.bytes().cloned().ok_or_else(ApiError::internal)
    }

    /// Reads the members that the body's document has.
    fn document(
        &mut self,
        schema: &'static Schema,
        seen: &mut Seen,
        each: EachMember<'_>,
    ) -> Result<(), ApiError> {
        let bytes = self.bytes()?;
        if bytes.is_empty() || self.routed.protocol == Protocol::RestXml {
            // No input of S3 has a document whose root is the input itself.
            return Ok(());
        }
        let mut reader = JsonReader::new(utf8(&bytes)?, self.place, Names::Wire, self.checks);
        reader.members(schema, seen, each)?;
        reader.finish()
    }

    fn refuse_by_name(&self, schema: &Schema) -> Result<(), ApiError> {
        let present = |member: &&Member| !self.texts(member).is_empty();
        match schema.refused.iter().find(present) {
            Some(member) => Err(self.checks.not_implemented(member.name)),
            None => Ok(()),
        }
    }
}

impl Reader for BoundReader<'_> {
    fn structure(&mut self, each: EachMember<'_>) -> Result<(), ApiError> {
        let schema = self.place.target;
        self.refuse_by_name(schema)?;
        let mut seen = Seen::default();
        for (index, member) in schema.members.iter().enumerate() {
            if is_in_document(member.location) {
                continue;
            }
            self.checks.enter_member(member)?;
            let present = match member.location {
                Location::PrefixHeaders | Location::QueryMap => {
                    let entries = self.entries(schema, member);
                    let any = !entries.is_empty();
                    if any {
                        each(index, &mut Entries { place: *member, entries, checks: self.checks })?;
                    }
                    any
                }
                Location::Payload => self.payload(index, member, each)?,
                _ => self.bound(index, member, each)?,
            };
            self.checks.leave();
            if present {
                seen.note(index);
            }
        }
        if schema.payload().is_none() {
            self.document(schema, &mut seen, each)?;
        }
        if self.routed.service.is_s3() {
            self.require_body(schema, &seen)?;
        }
        self.checks.required(schema, &seen, |_| true);
        Ok(())
    }

    fn violate(&mut self, value: Option<&str>, constraint: &str) {
        self.checks.violate(value, constraint);
    }
}

impl BoundReader<'_> {
    fn require_body(&self, schema: &Schema, seen: &Seen) -> Result<(), ApiError> {
        match schema.payload() {
            Some((index, member)) if member.required && !seen.has(index) => {
                Err(ApiError::new("MissingRequestBodyError", 400, "Request Body is empty"))
            }
            _ => Ok(()),
        }
    }
}

fn header_text(value: &http::HeaderValue) -> String {
    let bytes = value.as_bytes();
    // Header bytes that are no UTF-8 are ISO 8859-1, whose bytes are the first characters of Unicode.
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|&b| char::from(b)).collect(), str::to_owned)
}

fn header_texts(parts: &Parts, member: &Member) -> Vec<String> {
    let values = parts.headers.get_all(member.wire).iter().map(header_text);
    match member.target.kind {
        Kind::List => {
            let all: Vec<_> = values.collect();
            let parts = all.iter().flat_map(|value| value.split(','));
            parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        }
        Kind::String => values.collect(),
        // An empty header holds no number and no moment.
        _ => values.filter(|value| !value.trim().is_empty()).collect(),
    }
}

fn not_convertible(place: &Member, text: &str) -> ApiError {
    let message = format!("'{text}' can not be converted to {} for {}", place.target.name, place.name);
    ApiError::new("SerializationException", 400, message)
}

fn invalid_argument(place: &Member, text: &str) -> ApiError {
    let message = match place.target.kind {
        Kind::Integer | Kind::Long => {
            format!("Provided {} not an integer or within integer range", place.wire)
        }
        _ => format!("Invalid value for {}", place.wire),
    };
    let error = ApiError::new("InvalidArgument", 400, message);
    error.with_field("ArgumentName", place.wire).with_field("ArgumentValue", text)
}

fn malformed_xml(_place: &Member, _text: &str) -> ApiError {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    ApiError::new("MalformedXML", 400, message)
}

/// A reader at a body that is one blob, text or stream.
struct Payload<'a> {
    member: &'static Member,
    body: Body,
    checks: &'a mut Checks,
}

impl Reader for Payload<'_> {
    fn string(&mut self) -> Result<String, ApiError> {
        let bytes = self.blob()?;
        let text = utf8(&bytes)?.to_owned();
        self.checks.text(self.member, &text);
        Ok(text)
    }

    fn blob(&mut self) -> Result<Bytes, ApiError> {
        self.body.bytes().cloned().ok_or_else(ApiError::internal)
    }

    fn stream(&mut self) -> Result<Body, ApiError> {
        Ok(std::mem::take(&mut self.body))
    }

    fn violate(&mut self, value: Option<&str>, constraint: &str) {
        self.checks.violate(value, constraint);
    }
}

/// A reader at a map over headers or query parameters.
struct Entries<'a> {
    place: Member,
    entries: Vec<(String, String)>,
    checks: &'a mut Checks,
}

impl Reader for Entries<'_> {
    fn map(&mut self, each: EachEntry<'_>) -> Result<(), ApiError> {
        let value = self.place.target.element.ok_or_else(ApiError::internal)?;
        for (key, text) in std::mem::take(&mut self.entries) {
            self.checks.key(self.place.target, &key);
            self.checks.enter_entry(&key)?;
            let texts = [text.as_str()];
            let format = TimestampFormat::HttpDate;
            each(key, &mut TextReader::new(&texts, *value, format, self.checks, not_convertible))?;
            self.checks.leave();
        }
        Ok(())
    }

    fn violate(&mut self, value: Option<&str>, constraint: &str) {
        self.checks.violate(value, constraint);
    }
}
