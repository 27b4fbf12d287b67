//! Reads values from CBOR without a tree in between.

use bytes::Bytes;
use minicbor::data::Type;
use minicbor::{Decoder, decode};
use pagoda_base::Timestamp;

use crate::check::{Checks, Seen};
use crate::schema::{Kind, Member};
use crate::shape::{EachElement, EachEntry, EachMember, Reader, Shape};
use crate::{ApiError, moment};

/// RFC 8949, 3.4.2: seconds since 1970.
const EPOCH_TAG: u64 = 1;

/// A reader over CBOR bytes.
pub(crate) struct CborReader<'a> {
    items: Decoder<'a>,
    place: Member,
    checks: &'a mut Checks,
}

fn malformed(_: decode::Error) -> ApiError {
    serialization("The request body is not valid CBOR")
}

fn serialization(message: impl Into<String>) -> ApiError {
    ApiError::new("SerializationException", 400, message)
}

impl<'a> CborReader<'a> {
    /// At the start of `bytes`, which are the document of `place`.
    pub(crate) fn new(bytes: &'a [u8], place: Member, checks: &'a mut Checks) -> Self {
        Self { items: Decoder::new(bytes), place, checks }
    }

    /// Reads all bytes as one value.
    pub(crate) fn document_of<I: Shape>(&mut self) -> Result<I, ApiError> {
        let value = I::read(self)?;
        match self.items.position() == self.items.input().len() {
            true => Ok(value),
            false => Err(serialization("The request body is not valid CBOR")),
        }
    }

    /// Whether a collection of `left` items, or one of unknown length, has another.
    fn another(&mut self, left: &mut Option<u64>) -> Result<bool, ApiError> {
        match left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None if self.items.datatype().map_err(malformed)? == Type::Break => {
                self.items.set_position(self.items.position() + 1);
                Ok(false)
            }
            None => Ok(true),
        }
    }

    /// Skips a null, if one is next.
    fn null(&mut self) -> Result<bool, ApiError> {
        match self.items.datatype().map_err(malformed)? {
            Type::Null => Ok(self.items.null().map(|()| true).map_err(malformed)?),
            Type::Undefined => Ok(self.items.undefined().map(|()| true).map_err(malformed)?),
            _ => Ok(false),
        }
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

    fn text(&mut self) -> Result<String, ApiError> {
        match self.items.datatype().map_err(malformed)? {
            Type::String => Ok(self.items.str().map_err(malformed)?.to_owned()),
            Type::StringIndef => Ok(self
                .items
                .str_iter()
                .map_err(malformed)?
                .collect::<Result<String, _>>()
                .map_err(malformed)?),
            found => Err(mismatch(found, "String")),
        }
    }

    fn number(&mut self, wanted: &str) -> Result<f64, ApiError> {
        match self.items.datatype().map_err(malformed)? {
            Type::F16 | Type::F32 | Type::F64 => Ok(self.items.f64().map_err(malformed)?),
            found if is_whole(found) => Ok(self.items.i64().map_err(malformed)? as f64),
            found => Err(mismatch(found, wanted)),
        }
    }
}

fn is_whole(found: Type) -> bool {
    use Type::{I8, I16, I32, I64, U8, U16, U32, U64};
    matches!(found, U8 | U16 | U32 | U64 | I8 | I16 | I32 | I64)
}

fn mismatch(found: Type, wanted: &str) -> ApiError {
    serialization(format!("{found} can not be converted to {wanted}"))
}

impl Reader for CborReader<'_> {
    fn structure(&mut self, each: EachMember<'_>) -> Result<(), ApiError> {
        let schema = self.place.target;
        let mut seen = Seen::default();
        let mut left = self.items.map().map_err(malformed)?;
        while self.another(&mut left)? {
            let name = self.text()?;
            let index = schema.members.iter().position(|member| member.name == name);
            if self.null()? {
                continue;
            }
            let Some(index) = index else {
                return Err(self.checks.not_implemented(&name));
            };
            let member = &schema.members[index];
            seen.note(index);
            self.checks.enter_member(member)?;
            self.at(*member, |reader| each(index, reader))?;
            self.checks.leave();
        }
        self.checks.required(schema, &seen, |_| true);
        Ok(())
    }

    fn list(&mut self, each: EachElement<'_>) -> Result<(), ApiError> {
        let place = self.place;
        let element = place.target.element.ok_or_else(ApiError::internal)?;
        let mut left = self.items.array().map_err(malformed)?;
        let mut count = 0;
        while self.another(&mut left)? {
            self.checks.enter_element(count)?;
            match self.null()? {
                true => self.checks.violate(None, "Member must not be null"),
                false => self.at(*element, |reader| each(reader))?,
            }
            self.checks.leave();
            count += 1;
        }
        self.checks.length(&place, count, "[]");
        Ok(())
    }

    fn map(&mut self, each: EachEntry<'_>) -> Result<(), ApiError> {
        let place = self.place;
        let value = place.target.element.ok_or_else(ApiError::internal)?;
        let mut left = self.items.map().map_err(malformed)?;
        let mut count = 0;
        while self.another(&mut left)? {
            let key = self.text()?;
            if self.null()? {
                continue;
            }
            self.checks.key(place.target, &key);
            self.checks.enter_entry(&key)?;
            self.at(*value, |reader| each(key, reader))?;
            self.checks.leave();
            count += 1;
        }
        self.checks.length(&place, count, "{}");
        Ok(())
    }

    fn string(&mut self) -> Result<String, ApiError> {
        let text = self.text()?;
        self.checks.text(&self.place, &text);
        Ok(text)
    }

    fn integer(&mut self) -> Result<i64, ApiError> {
        let wanted = if self.place.target.kind == Kind::Integer { "Integer" } else { "Long" };
        let found = self.items.datatype().map_err(malformed)?;
        if !is_whole(found) {
            return Err(mismatch(found, wanted));
        }
        let value = self.items.i64().map_err(malformed)?;
        if self.place.target.kind == Kind::Integer && i32::try_from(value).is_err() {
            return Err(mismatch(found, wanted));
        }
        self.checks.number(&self.place, value);
        Ok(value)
    }

    fn float(&mut self) -> Result<f64, ApiError> {
        self.number("Double")
    }

    fn boolean(&mut self) -> Result<bool, ApiError> {
        self.items.bool().map_err(malformed)
    }

    fn blob(&mut self) -> Result<Bytes, ApiError> {
        let mut bytes = Vec::new();
        for piece in self.items.bytes_iter().map_err(malformed)? {
            bytes.extend_from_slice(piece.map_err(malformed)?);
        }
        self.checks.length(&self.place, bytes.len(), "");
        Ok(bytes.into())
    }

    fn timestamp(&mut self) -> Result<Timestamp, ApiError> {
        let found = self.items.datatype().map_err(malformed)?;
        if found != Type::Tag || self.items.tag().map_err(malformed)?.as_u64() != EPOCH_TAG {
            return Err(mismatch(found, "Timestamp"));
        }
        moment::from_seconds(self.number("Timestamp")?).ok_or_else(|| mismatch(found, "Timestamp"))
    }

    fn violate(&mut self, value: Option<&str>, constraint: &str) {
        self.checks.violate(value, constraint);
    }
}
