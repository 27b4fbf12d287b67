//! Writes values as XML elements.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pagoda_base::Timestamp;
use serde_json::Value;

use crate::moment;
use crate::schema::{Kind, Location, Member, TimestampFormat};
use crate::shape::{Encode, Writer};
use crate::text::TextWriter;

/// A writer of the contents of elements.
pub(crate) struct XmlWriter {
    text: String,
    place: Member,
    /// S3 writes milliseconds always.
    always_milliseconds: bool,
}

/// Appends `text` with what XML reserves as references. Control characters, which XML 1.0 cannot hold,
/// become references as well, as S3 answers them.
pub(crate) fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            control if control.is_ascii_control() => {
                // Writing to a String does not fail.
                let _ = write!(out, "&#x{:x};", u32::from(control));
            }
            letter => out.push(letter),
        }
    }
}

impl XmlWriter {
    /// For values of `place`.
    pub(crate) fn new(place: Member, always_milliseconds: bool) -> Self {
        Self { text: String::with_capacity(256), place, always_milliseconds }
    }

    /// What was written.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Writes `<name …>value</name>` with the namespaces and attributes that belong there.
    pub(crate) fn element(&mut self, name: &str, namespace: &str, place: Member, value: &dyn Encode) {
        let mut attributes = Attributes { place, texts: Vec::new() };
        if matches!(place.target.kind, Kind::Structure | Kind::Union) {
            value.write(&mut attributes);
        }
        self.text.push('<');
        self.text.push_str(name);
        if !namespace.is_empty() {
            self.attribute("xmlns", namespace);
        }
        if let Some((prefix, uri)) = place.namespace.filter(|_| namespace.is_empty()) {
            let name = if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
            self.attribute(&name, uri);
        }
        for (name, value) in attributes.texts {
            self.attribute(name, &value);
        }
        self.text.push('>');
        let outer = std::mem::replace(&mut self.place, place);
        value.write(self);
        self.place = outer;
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        escape(&mut self.text, value);
        self.text.push('"');
    }

    fn member(&mut self, member: &Member, value: &dyn Encode) {
        let many = matches!(member.target.kind, Kind::List | Kind::Map) && member.is_flattened();
        if !many {
            return self.element(member.wire, "", *member, value);
        }
        // The list or map has no element of its own: its items carry the member's name.
        let outer = std::mem::replace(&mut self.place, *member);
        value.write(self);
        self.place = outer;
    }
}

impl Writer for XmlWriter {
    fn structure(&mut self, members: &[&dyn Encode]) {
        for (member, value) in self.place.target.members.iter().zip(members) {
            if member.location == Location::Body && !member.attribute && !value.is_absent() {
                self.member(member, *value);
            }
        }
    }

    fn union(&mut self, index: usize, value: &dyn Encode) {
        if let Some(member) = self.place.target.members.get(index) {
            self.member(member, value);
        }
    }

    fn list(&mut self, elements: &mut dyn Iterator<Item = &dyn Encode>) {
        let Some(element) = self.place.target.element else { return };
        let name = if self.place.is_flattened() { self.place.wire } else { element.wire };
        for value in elements {
            self.element(name, "", *element, value);
        }
    }

    fn map(&mut self, entries: &mut dyn Iterator<Item = (&str, &dyn Encode)>) {
        let (Some(key), Some(value)) = (self.place.target.key, self.place.target.element) else { return };
        let name = if self.place.is_flattened() { self.place.wire } else { "entry" };
        for (text, held) in entries {
            self.text.push_str(&format!("<{name}>"));
            self.element(key.wire, "", *key, &text.to_owned());
            self.element(value.wire, "", *value, held);
            self.text.push_str(&format!("</{name}>"));
        }
    }

    fn string(&mut self, value: &str) {
        escape(&mut self.text, value);
    }

    fn integer(&mut self, value: i64) {
        self.text.push_str(&value.to_string());
    }

    fn float(&mut self, value: f64) {
        self.text.push_str(&crate::text::of_float(value));
    }

    fn boolean(&mut self, value: bool) {
        self.text.push_str(if value { "true" } else { "false" });
    }

    fn blob(&mut self, value: &[u8]) {
        self.text.push_str(&STANDARD.encode(value));
    }

    fn timestamp(&mut self, value: Timestamp) {
        self.text.push_str(&match self.place.timestamp {
            Some(TimestampFormat::EpochSeconds) => moment::seconds(value),
            Some(TimestampFormat::HttpDate) => moment::http_date(value),
            _ if self.always_milliseconds => moment::with_milliseconds(value),
            _ => moment::date_time(value),
        });
    }

    fn document(&mut self, value: &Value) {
        escape(&mut self.text, &value.to_string());
    }
}

/// Collects the members of a structure that are attributes of its element.
struct Attributes {
    place: Member,
    texts: Vec<(&'static str, String)>,
}

impl Writer for Attributes {
    fn structure(&mut self, members: &[&dyn Encode]) {
        for (member, value) in self.place.target.members.iter().zip(members) {
            if member.attribute && !value.is_absent() {
                let texts = TextWriter::texts(*member, TimestampFormat::DateTime, *value);
                self.texts.extend(texts.into_iter().map(|text| (member.wire, text)));
            }
        }
    }
}
