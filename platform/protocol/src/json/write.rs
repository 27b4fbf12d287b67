//! Writes values as JSON straight into bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pagoda_base::Timestamp;
use serde_json::Value;

use super::Names;
use crate::moment;
use crate::schema::{Member, TimestampFormat};
use crate::shape::{Encode, Writer};

/// A writer of one JSON value.
pub(crate) struct JsonWriter {
    bytes: Vec<u8>,
    place: Member,
    names: Names,
}

impl JsonWriter {
    /// For the value of `place`.
    pub(crate) fn new(place: Member, names: Names) -> Self {
        Self { bytes: Vec::with_capacity(256), place, names }
    }

    /// What was written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn at(&mut self, place: Member, value: &dyn Encode) {
        let outer = std::mem::replace(&mut self.place, place);
        value.write(self);
        self.place = outer;
    }

    fn member(&mut self, member: &Member, value: &dyn Encode) {
        if self.bytes.last() != Some(&b'{') {
            self.bytes.push(b',');
        }
        quote(&mut self.bytes, self.names.of(member));
        self.bytes.push(b':');
        self.at(*member, value);
    }
}

/// Writes `text` in quotes.
pub(crate) fn quote(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(place) = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        bytes.extend_from_slice(&rest[..place]);
        match rest[place] {
            b'"' => bytes.extend_from_slice(b"\\\""),
            b'\\' => bytes.extend_from_slice(b"\\\\"),
            b'\n' => bytes.extend_from_slice(b"\\n"),
            b'\r' => bytes.extend_from_slice(b"\\r"),
            b'\t' => bytes.extend_from_slice(b"\\t"),
            control => bytes.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = &rest[place + 1..];
    }
    bytes.extend_from_slice(rest);
    bytes.push(b'"');
}

impl Writer for JsonWriter {
    fn structure(&mut self, members: &[&dyn Encode]) {
        self.bytes.push(b'{');
        for (member, value) in self.place.target.members.iter().zip(members) {
            if self.names.includes(member) && !value.is_absent() {
                self.member(member, *value);
            }
        }
        self.bytes.push(b'}');
    }

    fn union(&mut self, index: usize, value: &dyn Encode) {
        self.bytes.push(b'{');
        if let Some(member) = self.place.target.members.get(index) {
            self.member(member, value);
        }
        self.bytes.push(b'}');
    }

    fn list(&mut self, elements: &mut dyn Iterator<Item = &dyn Encode>) {
        self.bytes.push(b'[');
        if let Some(place) = self.place.target.element {
            for (index, element) in elements.enumerate() {
                if index > 0 {
                    self.bytes.push(b',');
                }
                self.at(*place, element);
            }
        }
        self.bytes.push(b']');
    }

    fn map(&mut self, entries: &mut dyn Iterator<Item = (&str, &dyn Encode)>) {
        self.bytes.push(b'{');
        if let Some(place) = self.place.target.element {
            for (index, (key, value)) in entries.enumerate() {
                if index > 0 {
                    self.bytes.push(b',');
                }
                quote(&mut self.bytes, key);
                self.bytes.push(b':');
                self.at(*place, value);
            }
        }
        self.bytes.push(b'}');
    }

    fn string(&mut self, value: &str) {
        quote(&mut self.bytes, value);
    }

    fn integer(&mut self, value: i64) {
        self.bytes.extend_from_slice(value.to_string().as_bytes());
    }

    fn float(&mut self, value: f64) {
        let text = crate::text::of_float(value);
        if value.is_finite() {
            self.bytes.extend_from_slice(text.as_bytes());
        } else {
            quote(&mut self.bytes, &text);
        }
    }

    fn boolean(&mut self, value: bool) {
        self.bytes.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn blob(&mut self, value: &[u8]) {
        quote(&mut self.bytes, &STANDARD.encode(value));
    }

    fn timestamp(&mut self, value: Timestamp) {
        match self.place.timestamp {
            Some(TimestampFormat::DateTime) => quote(&mut self.bytes, &moment::date_time(value)),
            Some(TimestampFormat::HttpDate) => quote(&mut self.bytes, &moment::http_date(value)),
            _ => self.bytes.extend_from_slice(moment::seconds(value).as_bytes()),
        }
    }

    fn document(&mut self, value: &Value) {
        self.bytes.extend_from_slice(value.to_string().as_bytes());
    }
}
