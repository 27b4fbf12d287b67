//! What a value must be able to do to travel over any protocol: be written and be read, by one
//! generated implementation per shape.
//!
//! Invariants: readers and writers know where they are (their [`crate::schema::Member`]), so values
//! never name protocols; the readers check all constraints and collect violations, so that a value that
//! was read with a placeholder in place of a refused one never leaves `decode`.

use std::collections::BTreeMap;

use bytes::Bytes;
use pagoda_base::Timestamp;
use serde_json::Value;

use crate::schema::Schema;
use crate::spec::OperationSpec;
use crate::{ApiError, ByteStream};

/// What a reader calls for each member that is present: the member's index in the schema.
pub type EachMember<'a> = &'a mut dyn FnMut(usize, &mut dyn Reader) -> Result<(), ApiError>;
/// What a reader calls for each element of a list.
pub type EachElement<'a> = &'a mut dyn FnMut(&mut dyn Reader) -> Result<(), ApiError>;
/// What a reader calls for each entry of a map.
pub type EachEntry<'a> = &'a mut dyn FnMut(String, &mut dyn Reader) -> Result<(), ApiError>;

/// A value on the wire, being read. Each method reads the one value that the reader is at.
///
/// A reader writes the methods for what its place can hold; the rest answer 500, because only a shape
/// that contradicts its own schema could ask for them.
pub trait Reader {
    /// Reads a structure or union; each callback must read exactly the member's value.
    fn structure(&mut self, _each: EachMember<'_>) -> Result<(), ApiError> {
        Err(ApiError::internal())
    }
    /// Reads a list.
    fn list(&mut self, _each: EachElement<'_>) -> Result<(), ApiError> {
        Err(ApiError::internal())
    }
    /// Reads a map.
    fn map(&mut self, _each: EachEntry<'_>) -> Result<(), ApiError> {
        Err(ApiError::internal())
    }
    /// Reads text.
    fn string(&mut self) -> Result<String, ApiError> {
        Err(ApiError::internal())
    }
    /// Reads a whole number, in the range that the schema's kind has.
    fn integer(&mut self) -> Result<i64, ApiError> {
        Err(ApiError::internal())
    }
    /// Reads a number.
    fn float(&mut self) -> Result<f64, ApiError> {
        Err(ApiError::internal())
    }
    /// Reads true or false.
    fn boolean(&mut self) -> Result<bool, ApiError> {
        Err(ApiError::internal())
    }
    /// Reads bytes.
    fn blob(&mut self) -> Result<Bytes, ApiError> {
        Err(ApiError::internal())
    }
    /// Reads a moment.
    fn timestamp(&mut self) -> Result<Timestamp, ApiError> {
        Err(ApiError::internal())
    }
    /// Reads any JSON value.
    fn document(&mut self) -> Result<Value, ApiError> {
        Err(ApiError::internal())
    }
    /// Takes the body itself.
    fn stream(&mut self) -> Result<ByteStream, ApiError> {
        Err(ApiError::internal())
    }
    /// Refuses the value just read as a violation of the API's constraints: `constraint` completes the
    /// sentence "Value '…' at '…' failed to satisfy constraint: …". Reading goes on.
    fn violate(&mut self, value: Option<&str>, constraint: &str);
}

/// Where a value is written. Each method writes the one value that the writer is at.
///
/// A writer writes the methods for what its place can hold; the rest write nothing.
pub trait Writer {
    /// Writes a structure: a value for each member of the schema, in its order.
    fn structure(&mut self, _members: &[&dyn Encode]) {}
    /// Writes a union whose member `index` is set.
    fn union(&mut self, _index: usize, _value: &dyn Encode) {}
    /// Writes a list.
    fn list(&mut self, _elements: &mut dyn Iterator<Item = &dyn Encode>) {}
    /// Writes a map.
    fn map(&mut self, _entries: &mut dyn Iterator<Item = (&str, &dyn Encode)>) {}
    /// Writes text.
    fn string(&mut self, _value: &str) {}
    /// Writes a whole number.
    fn integer(&mut self, _value: i64) {}
    /// Writes a number.
    fn float(&mut self, _value: f64) {}
    /// Writes true or false.
    fn boolean(&mut self, _value: bool) {}
    /// Writes bytes.
    fn blob(&mut self, _value: &[u8]) {}
    /// Writes a moment.
    fn timestamp(&mut self, _value: Timestamp) {}
    /// Writes any JSON value.
    fn document(&mut self, _value: &Value) {}
}

/// A value that can be written.
pub trait Encode {
    /// Writes it.
    fn write(&self, writer: &mut dyn Writer);

    /// There is nothing to write.
    fn is_absent(&self) -> bool {
        false
    }
}

/// A value that can be read.
pub trait Decode: Sized {
    /// Reads it.
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError>;
}

/// A named structure or union of a model.
pub trait Shape: Encode + Decode {
    /// Its description.
    fn schema() -> &'static Schema;

    /// Takes the streaming body out, where the shape has one.
    fn take_stream(&mut self) -> Option<ByteStream> {
        None
    }
}

/// An operation of a service: its marker type ties the shapes to the description.
pub trait Operation: Send + Sync + 'static {
    /// What is asked.
    type Input: Shape + Send + 'static;
    /// What is answered.
    type Output: Shape + Send + 'static;
    /// Its description.
    const SPEC: &'static OperationSpec;
}

/// The input or output of an operation that has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unit;

/// A text that is none of an enumeration's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of the values")]
pub struct UnknownValue;

impl Encode for Unit {
    fn write(&self, writer: &mut dyn Writer) {
        writer.structure(&[]);
    }
}

impl Decode for Unit {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        reader.structure(&mut |_, _| Ok(()))?;
        Ok(Self)
    }
}

impl Shape for Unit {
    fn schema() -> &'static Schema {
        &crate::schema::UNIT
    }
}

impl<T: Encode> Encode for Option<T> {
    fn write(&self, writer: &mut dyn Writer) {
        if let Some(value) = self {
            value.write(writer);
        }
    }

    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(Encode::is_absent)
    }
}

impl<T: Decode> Decode for Option<T> {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        T::read(reader).map(Some)
    }
}

impl<T: Encode> Encode for Box<T> {
    fn write(&self, writer: &mut dyn Writer) {
        (**self).write(writer);
    }
}

impl<T: Decode> Decode for Box<T> {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        T::read(reader).map(Box::new)
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn write(&self, writer: &mut dyn Writer) {
        writer.list(&mut self.iter().map(|element| element as &dyn Encode));
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        let mut elements = Self::new();
        reader.list(&mut |reader| {
            elements.push(T::read(reader)?);
            Ok(())
        })?;
        Ok(elements)
    }
}

impl<T: Encode> Encode for BTreeMap<String, T> {
    fn write(&self, writer: &mut dyn Writer) {
        writer.map(&mut self.iter().map(|(key, value)| (key.as_str(), value as &dyn Encode)));
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        let mut entries = Self::new();
        reader.map(&mut |key, reader| {
            entries.insert(key, T::read(reader)?);
            Ok(())
        })?;
        Ok(entries)
    }
}

impl Encode for String {
    fn write(&self, writer: &mut dyn Writer) {
        writer.string(self);
    }
}

impl Decode for String {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        reader.string()
    }
}

impl Encode for i32 {
    fn write(&self, writer: &mut dyn Writer) {
        writer.integer(i64::from(*self));
    }
}

impl Decode for i32 {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        let value = reader.integer()?;
        // The reader keeps to the kind's range; a hand-written schema could have named another kind.
        Ok(Self::try_from(value).unwrap_or(if value < 0 { Self::MIN } else { Self::MAX }))
    }
}

impl Encode for i64 {
    fn write(&self, writer: &mut dyn Writer) {
        writer.integer(*self);
    }
}

impl Decode for i64 {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        reader.integer()
    }
}

impl Encode for f64 {
    fn write(&self, writer: &mut dyn Writer) {
        writer.float(*self);
    }
}

impl Decode for f64 {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        reader.float()
    }
}

impl Encode for f32 {
    fn write(&self, writer: &mut dyn Writer) {
        // By way of the shortest text, so that 0.1 stays 0.1 and does not become 0.10000000149.
        writer.float(self.to_string().parse().unwrap_or_else(|_| f64::from(*self)));
    }
}

impl Decode for f32 {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        reader.float().map(|value| value as f32)
    }
}

impl Encode for bool {
    fn write(&self, writer: &mut dyn Writer) {
        writer.boolean(*self);
    }
}

impl Decode for bool {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        reader.boolean()
    }
}

impl Encode for Bytes {
    fn write(&self, writer: &mut dyn Writer) {
        writer.blob(self);
    }
}

impl Decode for Bytes {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        reader.blob()
    }
}

impl Encode for Timestamp {
    fn write(&self, writer: &mut dyn Writer) {
        writer.timestamp(*self);
    }
}

impl Decode for Timestamp {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        reader.timestamp()
    }
}

impl Encode for Value {
    fn write(&self, writer: &mut dyn Writer) {
        writer.document(self);
    }
}

impl Decode for Value {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        reader.document()
    }
}

/// A stream is not written in place: `encode` takes it with [`Shape::take_stream`].
impl Encode for ByteStream {
    fn write(&self, _writer: &mut dyn Writer) {}

    fn is_absent(&self) -> bool {
        true
    }
}

impl Decode for ByteStream {
    fn read(reader: &mut dyn Reader) -> Result<Self, ApiError> {
        reader.stream()
    }
}
