//! What the generated tables say about a shape: one description that every protocol reads.
//!
//! Invariants: schemas are statics without interior pointers to the heap; the order of a structure's
//! members is the order in which [`crate::Encode`] hands them to a writer and the index by which a
//! [`crate::Reader`] names them.
//!
//! Source: the Smithy specification, <https://smithy.io/2.0/spec/>.

use std::sync::OnceLock;

use regex::Regex;

/// One shape of a service's model.
#[derive(Debug)]
pub struct Schema {
    /// The model's name, such as `CreateTableInput`.
    pub name: &'static str,
    /// What values look like.
    pub kind: Kind,
    /// Members of a structure or union, in the model's order.
    pub members: &'static [Member],
    /// Members of the model that are refused by name when they are present.
    pub refused: &'static [Member],
    /// The key of a map.
    pub key: Option<&'static Member>,
    /// The element of a list or the value of a map.
    pub element: Option<&'static Member>,
    /// The smallest length (texts, blobs, lists, maps) or value (numbers).
    pub min: Option<i64>,
    /// The greatest length or value.
    pub max: Option<i64>,
    /// A regular expression that the whole text must match.
    pub pattern: Option<&'static Pattern>,
    /// The values of an enumeration; empty for any other text.
    pub values: &'static [&'static str],
    /// Values are secrets and never printed.
    pub sensitive: bool,
    /// Lists and maps without a wrapper element (XML, Query).
    pub flattened: bool,
}

/// The kinds of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Named members.
    Structure,
    /// Exactly one of the named members.
    Union,
    /// Values in order.
    List,
    /// Text keys and values.
    Map,
    /// Unicode text, enumerations too.
    String,
    /// 32 bits, signed.
    Integer,
    /// 64 bits, signed.
    Long,
    /// 32 bits, IEEE 754.
    Float,
    /// 64 bits, IEEE 754.
    Double,
    /// True or false.
    Boolean,
    /// Bytes.
    Blob,
    /// A moment.
    Timestamp,
    /// Any JSON value.
    Document,
    /// Bytes that are not held in memory.
    Stream,
}

/// Where in the HTTP message a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// A part of the document in the body.
    Body,
    /// The whole body.
    Payload,
    /// A header.
    Header,
    /// All headers that begin with the wire name.
    PrefixHeaders,
    /// A query parameter.
    Query,
    /// All query parameters that are not bound otherwise.
    QueryMap,
    /// A part of the path.
    Label,
    /// The status of the response.
    Status,
}

/// How a moment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampFormat {
    /// Seconds since 1970 as a number.
    EpochSeconds,
    /// RFC 3339 in UTC.
    DateTime,
    /// RFC 9110's IMF-fixdate.
    HttpDate,
}

/// One use of a shape: a structure's member, a list's element, a map's key or value, or a root.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// The model's name of the member.
    pub name: &'static str,
    /// Its name in the document, header or query string.
    pub wire: &'static str,
    /// The shape of its values.
    pub target: &'static Schema,
    /// Where it is in an HTTP message.
    pub location: Location,
    /// It must be present.
    pub required: bool,
    /// A list or map without a wrapper element.
    pub flattened: bool,
    /// An attribute of its parent's XML element.
    pub attribute: bool,
    /// The XML namespace: prefix (or nothing) and URI.
    pub namespace: Option<(&'static str, &'static str)>,
    /// The format, where it is not the protocol's usual one.
    pub timestamp: Option<TimestampFormat>,
}

impl Schema {
    /// A shape of `kind` without constraints.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            members: &[],
            refused: &[],
            key: None,
            element: None,
            min: None,
            max: None,
            pattern: None,
            values: &[],
            sensitive: false,
            flattened: false,
        }
    }

    /// A structure.
    pub const fn structure(name: &'static str, members: &'static [Member]) -> Self {
        let mut schema = Self::new(name, Kind::Structure);
        schema.members = members;
        schema
    }

    /// A union.
    pub const fn union(name: &'static str, members: &'static [Member]) -> Self {
        let mut schema = Self::structure(name, members);
        schema.kind = Kind::Union;
        schema
    }

    /// A list.
    pub const fn list(name: &'static str, element: &'static Member) -> Self {
        let mut schema = Self::new(name, Kind::List);
        schema.element = Some(element);
        schema
    }

    /// A map.
    pub const fn map(name: &'static str, key: &'static Member, value: &'static Member) -> Self {
        let mut schema = Self::new(name, Kind::Map);
        schema.key = Some(key);
        schema.element = Some(value);
        schema
    }

    /// Members that are refused by name.
    pub const fn refused(mut self, members: &'static [Member]) -> Self {
        self.refused = members;
        self
    }

    /// The smallest length or value.
    pub const fn min(mut self, min: i64) -> Self {
        self.min = Some(min);
        self
    }

    /// The greatest length or value.
    pub const fn max(mut self, max: i64) -> Self {
        self.max = Some(max);
        self
    }

    /// The regular expression that a whole text must match.
    pub const fn pattern(mut self, pattern: &'static Pattern) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// The values of an enumeration.
    pub const fn values(mut self, values: &'static [&'static str]) -> Self {
        self.values = values;
        self
    }

    /// Values are secrets.
    pub const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// No wrapper element around the values.
    pub const fn flattened(mut self) -> Self {
        self.flattened = true;
        self
    }

    /// The member that is the whole body, if one is.
    pub fn payload(&self) -> Option<(usize, &'static Member)> {
        self.members.iter().enumerate().find(|(_, member)| member.location == Location::Payload)
    }
}

/// Text without constraints.
pub static STRING: Schema = Schema::new("String", Kind::String);
/// An `i32` without constraints.
pub static INTEGER: Schema = Schema::new("Integer", Kind::Integer);
/// An `i64` without constraints.
pub static LONG: Schema = Schema::new("Long", Kind::Long);
/// An `f32` without constraints.
pub static FLOAT: Schema = Schema::new("Float", Kind::Float);
/// An `f64` without constraints.
pub static DOUBLE: Schema = Schema::new("Double", Kind::Double);
/// True or false.
pub static BOOLEAN: Schema = Schema::new("Boolean", Kind::Boolean);
/// A moment.
pub static TIMESTAMP: Schema = Schema::new("Timestamp", Kind::Timestamp);
/// Bytes without constraints.
pub static BLOB: Schema = Schema::new("Blob", Kind::Blob);
/// A streaming body.
pub static STREAM: Schema = Schema::new("Stream", Kind::Stream);
/// Any JSON value.
pub static DOCUMENT: Schema = Schema::new("Document", Kind::Document);
/// No members.
pub static UNIT: Schema = Schema::structure("Unit", &[]);

impl Member {
    /// A member of the body, named on the wire as in the model.
    pub const fn new(name: &'static str, target: &'static Schema) -> Self {
        Self {
            name,
            wire: name,
            target,
            location: Location::Body,
            required: false,
            flattened: false,
            attribute: false,
            namespace: None,
            timestamp: None,
        }
    }

    /// The name on the wire.
    pub const fn wire(mut self, wire: &'static str) -> Self {
        self.wire = wire;
        self
    }

    /// Where it is.
    pub const fn at(mut self, location: Location) -> Self {
        self.location = location;
        self
    }

    /// It must be present.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// No wrapper element around its values.
    pub const fn flattened(mut self) -> Self {
        self.flattened = true;
        self
    }

    /// It is an XML attribute.
    pub const fn attribute(mut self) -> Self {
        self.attribute = true;
        self
    }

    /// Its XML namespace; an empty prefix declares the default one.
    pub const fn namespace(mut self, prefix: &'static str, uri: &'static str) -> Self {
        self.namespace = Some((prefix, uri));
        self
    }

    /// The format of its moments.
    pub const fn timestamp(mut self, format: TimestampFormat) -> Self {
        self.timestamp = Some(format);
        self
    }

    /// Its list or map has no wrapper element.
    pub fn is_flattened(&self) -> bool {
        self.flattened || self.target.flattened
    }
}

/// A regular expression, compiled when it is first needed.
#[derive(Debug)]
pub struct Pattern {
    /// The text as AWS's model and messages have it.
    pub source: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// The pattern `source`.
    pub const fn new(source: &'static str) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// Whether the whole of `text` matches. A pattern that our engine cannot compile matches
    /// everything; the generator leaves such patterns out, so none is in a generated table.
    pub fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(&format!("^(?s:{})$", self.source)).ok());
        compiled.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}
