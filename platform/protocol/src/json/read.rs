//! Reads values from JSON without a tree in between.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pagoda_base::Timestamp;
use serde_json::Value;

use super::Names;
use super::token::{Malformed, Start, Tokens};
use crate::check::{Checks, Seen};
use crate::schema::{Kind, Location, Member, Schema, TimestampFormat};
use crate::shape::{EachElement, EachEntry, EachMember, Reader, Shape};
use crate::{ApiError, moment};

/// A reader over a JSON text.
pub(crate) struct JsonReader<'a> {
    tokens: Tokens<'a>,
    place: Member,
    names: Names,
    checks: &'a mut Checks,
}

impl From<Malformed> for ApiError {
    fn from(_: Malformed) -> Self {
        serialization("The request body is not valid JSON")
    }
}

fn serialization(message: impl Into<String>) -> ApiError {
    ApiError::new("SerializationException", 400, message)
}

impl<'a> JsonReader<'a> {
    /// At the start of `text`, which is the document of `place`.
    pub(crate) fn new(text: &'a str, place: Member, names: Names, checks: &'a mut Checks) -> Self {
        Self { tokens: Tokens::new(text), place, names, checks }
    }

    /// Reads the whole text as one value.
    pub(crate) fn document_of<I: Shape>(&mut self) -> Result<I, ApiError> {
        let value = I::read(self)?;
        self.tokens.finish()?;
        Ok(value)
    }

    /// Reads the members of `schema` that the body has, as [`Reader::structure`] does, and leaves the
    /// check for missing ones to the caller, who has read others from elsewhere.
    pub(crate) fn members(
        &mut self,
        schema: &'static Schema,
        seen: &mut Seen,
        each: EachMember<'_>,
    ) -> Result<(), ApiError> {
        self.open(Start::Object, b'{')?;
        let mut hint = 0;
        let mut more = !self.tokens.take(b'}');
        while more {
            self.tokens.start()?;
            let name = self.tokens.string()?;
            self.tokens.expect(b':')?;
            match self.find(schema, &name, hint) {
                _ if self.tokens.start()? == Start::Null => self.tokens.word("null")?,
                Some(index) => {
                    hint = index + 1;
                    seen.note(index);
                    self.member(&schema.members[index], |reader| each(index, reader))?;
                }
                None if name == "__type" => drop(self.tokens.any()?),
                None => return Err(self.checks.not_implemented(&name)),
            }
            more = self.tokens.another(b'}')?;
        }
        Ok(())
    }

    /// The whole text is consumed.
    pub(crate) fn finish(&mut self) -> Result<(), ApiError> {
        Ok(self.tokens.finish()?)
    }

    /// The index of the member called `name`; clients mostly keep to the model's order, so the search
    /// begins at `hint`.
    fn find(&self, schema: &'static Schema, name: &str, hint: usize) -> Option<usize> {
        let count = schema.members.len();
        (0..count).map(|step| (hint + step) % count).find(|&index| {
            let member = &schema.members[index];
            self.names.of(member) == name && self.names.includes(member)
        })
    }

    fn member(
        &mut self,
        member: &'static Member,
        read: impl FnOnce(&mut dyn Reader) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        self.checks.enter_member(member)?;
        self.at(*member, read)?;
        self.checks.leave();
        Ok(())
    }

    fn at(
        &mut self,
        place: Member,
        read: impl FnOnce(&mut dyn Reader) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let outer = std::mem::replace(&mut self.place, place);
        read(self)?;
        self.place = outer;
        Ok(())
    }

    fn open(&mut self, wanted: Start, byte: u8) -> Result<(), ApiError> {
        match self.tokens.start()? {
            start if start == wanted => Ok(self.tokens.expect(byte)?),
            Start::Object => Err(serialization("Start of structure or map found where not expected")),
            Start::Array => Err(serialization("Start of list found where not expected")),
            start => {
                Err(self.mismatch(start, if wanted == Start::Array { "List" } else { "Structure or Map" }))
            }
        }
    }

    fn mismatch(&self, start: Start, wanted: &str) -> ApiError {
        let found = match start {
            Start::Object => return serialization("Start of structure or map found where not expected"),
            Start::Array => return serialization("Start of list found where not expected"),
            Start::String => "STRING_VALUE",
            Start::Number => "NUMBER_VALUE",
            Start::True => "TRUE_VALUE",
            Start::False => "FALSE_VALUE",
            Start::Null => "NULL_VALUE",
        };
        serialization(format!("{found} can not be converted to a{} {wanted}", article(wanted)))
    }

    fn is_lenient(&self) -> bool {
        self.names == Names::Model
    }

    /// The text of a number, which templates may have put in quotes.
    fn number_text(&mut self, wanted: &str) -> Result<std::borrow::Cow<'a, str>, ApiError> {
        match self.tokens.start()? {
            Start::Number => Ok(self.tokens.number()?.into()),
            Start::String if self.is_lenient() => Ok(self.tokens.string()?),
            start => Err(self.mismatch(start, wanted)),
        }
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['A', 'E', 'I', 'O', 'U']) { "n" } else { "" }
}

impl Reader for JsonReader<'_> {
    fn structure(&mut self, each: EachMember<'_>) -> Result<(), ApiError> {
        let schema = self.place.target;
        let mut seen = Seen::default();
        self.members(schema, &mut seen, each)?;
        let locations: fn(Location) -> bool = match self.names {
            Names::Wire => |location| location == Location::Body,
            Names::Model => |_| true,
        };
        self.checks.required(schema, &seen, locations);
        Ok(())
    }

    fn list(&mut self, each: EachElement<'_>) -> Result<(), ApiError> {
        let place = self.place;
        let element = place.target.element.ok_or_else(ApiError::internal)?;
        self.open(Start::Array, b'[')?;
        let mut count = 0;
        let mut more = !self.tokens.take(b']');
        while more {
            self.checks.enter_element(count)?;
            if self.tokens.start()? == Start::Null {
                self.tokens.word("null")?;
                self.checks.violate(None, "Member must not be null");
            } else {
                self.at(*element, |reader| each(reader))?;
            }
            self.checks.leave();
            count += 1;
            more = self.tokens.another(b']')?;
        }
        self.checks.length(&place, count, "[]");
        Ok(())
    }

    fn map(&mut self, each: EachEntry<'_>) -> Result<(), ApiError> {
        let place = self.place;
        let value = place.target.element.ok_or_else(ApiError::internal)?;
        self.open(Start::Object, b'{')?;
        let mut count = 0;
        let mut more = !self.tokens.take(b'}');
        while more {
            self.tokens.start()?;
            let key = self.tokens.string()?.into_owned();
            self.tokens.expect(b':')?;
            if self.tokens.start()? == Start::Null {
                self.tokens.word("null")?;
            } else {
                self.checks.key(place.target, &key);
                self.checks.enter_entry(&key)?;
                self.at(*value, |reader| each(key, reader))?;
                self.checks.leave();
                count += 1;
            }
            more = self.tokens.another(b'}')?;
        }
        self.checks.length(&place, count, "{}");
        Ok(())
    }

    fn string(&mut self) -> Result<String, ApiError> {
        let text = match self.tokens.start()? {
            Start::String => self.tokens.string()?.into_owned(),
            Start::Number | Start::True | Start::False if self.is_lenient() => self.tokens.any()?.to_owned(),
            start => return Err(self.mismatch(start, "String")),
        };
        self.checks.text(&self.place, &text);
        Ok(text)
    }

    fn integer(&mut self) -> Result<i64, ApiError> {
        let wanted = if self.place.target.kind == Kind::Integer { "Integer" } else { "Long" };
        let text = self.number_text(wanted)?;
        let value = crate::text::integer(&text, self.place.target.kind);
        let value = value.ok_or_else(|| self.mismatch(Start::Number, wanted))?;
        self.checks.number(&self.place, value);
        Ok(value)
    }

    fn float(&mut self) -> Result<f64, ApiError> {
        if self.tokens.start()? == Start::String {
            let text = self.tokens.string()?;
            return match crate::text::float(&text) {
                Some(value) if self.is_lenient() || !value.is_finite() => Ok(value),
                _ => Err(self.mismatch(Start::String, "Double")),
            };
        }
        let text = self.number_text("Double")?;
        text.parse().map_err(|_| self.mismatch(Start::Number, "Double"))
    }

    fn boolean(&mut self) -> Result<bool, ApiError> {
        match self.tokens.start()? {
            Start::True => Ok(self.tokens.word("true").map(|()| true)?),
            Start::False => Ok(self.tokens.word("false").map(|()| false)?),
            Start::String if self.is_lenient() => {
                let text = self.tokens.string()?;
                crate::text::boolean(&text.to_ascii_lowercase())
                    .ok_or_else(|| self.mismatch(Start::String, "Boolean"))
            }
            start => Err(self.mismatch(start, "Boolean")),
        }
    }

    fn blob(&mut self) -> Result<Bytes, ApiError> {
        let start = self.tokens.start()?;
        if start != Start::String {
            return Err(self.mismatch(start, "Blob"));
        }
        let text = self.tokens.string()?;
        let bytes = STANDARD.decode(&*text).map_err(|_| serialization("Invalid Base64 in a blob"))?;
        self.checks.length(&self.place, bytes.len(), "");
        Ok(bytes.into())
    }

    fn timestamp(&mut self) -> Result<Timestamp, ApiError> {
        let start = self.tokens.start()?;
        let format = self.place.timestamp.unwrap_or(TimestampFormat::EpochSeconds);
        let moment = match start {
            Start::Number => self.tokens.number()?.parse().ok().and_then(moment::from_seconds),
            Start::String if format != TimestampFormat::EpochSeconds || self.is_lenient() => {
                let text = self.tokens.string()?;
                moment::parse(&text, format).or_else(|| moment::parse(&text, TimestampFormat::DateTime))
            }
            start => return Err(self.mismatch(start, "Timestamp")),
        };
        moment.ok_or_else(|| self.mismatch(start, "Timestamp"))
    }

    fn document(&mut self) -> Result<Value, ApiError> {
        let text = self.tokens.any()?;
        serde_json::from_str(text).map_err(|_| ApiError::from(Malformed))
    }

    fn stream(&mut self) -> Result<crate::ByteStream, ApiError> {
        self.blob().map(Into::into)
    }

    fn violate(&mut self, value: Option<&str>, constraint: &str) {
        self.checks.violate(value, constraint);
    }
}
