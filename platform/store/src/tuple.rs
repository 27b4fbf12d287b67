//! Keys made of parts, encoded so that the bytes sort as the tuples do.
//!
//! Each element is a tag and its content: text and bytes with zero bytes escaped (`00 ff`) and a zero
//! byte at the end, numbers as eight big-endian bytes, stamps as they are. Invariants: tags are neither
//! `00` nor `ff`, so a shorter tuple sorts before its extensions and `Key::prefix_range` encloses
//! exactly those; within one position of a table's keys the element's type is always the same.
//!
//! After FoundationDB's tuple layer:
//! <https://github.com/apple/foundationdb/blob/main/design/tuple.md>

use bytes::{BufMut, Bytes};

use crate::{Key, Space, Stamp};

const BYTES: u8 = 0x01;
const TEXT: u8 = 0x02;
const I64: u8 = 0x14;
const U64: u8 = 0x15;
/// Stands before a stamp in a key; `Op::Append` writes it.
pub const STAMP: u8 = 0x33;

/// One part of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// UTF-8 text, ordered by its bytes.
    Text(String),
    /// Any bytes.
    Bytes(Vec<u8>),
    /// An unsigned number.
    U64(u64),
    /// A signed number.
    I64(i64),
    /// A commit's stamp.
    Stamp(Stamp),
}

/// The bytes are not a sequence of elements.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the key's bytes are not a tuple: {0}")]
pub struct InvalidTuple(&'static str);

/// Builds a key element by element.
#[derive(Clone, Debug)]
pub struct KeyBuilder {
    space: Space,
    bytes: Vec<u8>,
}

impl KeyBuilder {
    /// The empty tuple of a space.
    pub fn new(space: Space) -> Self {
        Self { space, bytes: Vec::with_capacity(64) }
    }

    /// Goes on behind the elements of `key`.
    pub fn under(key: &Key) -> Self {
        let mut builder = Self::new(key.space);
        builder.bytes.extend_from_slice(&key.bytes);
        builder
    }

    /// Adds text.
    pub fn text(mut self, text: &str) -> Self {
        put_escaped(&mut self.bytes, TEXT, text.as_bytes());
        self
    }

    /// Adds bytes.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        put_escaped(&mut self.bytes, BYTES, bytes);
        self
    }

    /// Adds an unsigned number.
    pub fn u64(mut self, number: u64) -> Self {
        self.bytes.push(U64);
        self.bytes.put_u64(number);
        self
    }

    /// Adds a signed number.
    pub fn i64(mut self, number: i64) -> Self {
        self.bytes.push(I64);
        self.bytes.put_u64(number.cast_unsigned() ^ (1 << 63)); // negative numbers first
        self
    }

    /// Adds a stamp.
    pub fn stamp(mut self, stamp: Stamp) -> Self {
        self.bytes.push(STAMP);
        self.bytes.extend_from_slice(&stamp.0);
        self
    }

    /// Adds any element.
    pub fn element(self, element: &Element) -> Self {
        match element {
            Element::Text(text) => self.text(text),
            Element::Bytes(bytes) => self.bytes(bytes),
            Element::U64(number) => self.u64(*number),
            Element::I64(number) => self.i64(*number),
            Element::Stamp(stamp) => self.stamp(*stamp),
        }
    }

    /// The key.
    pub fn done(self) -> Key {
        Key { space: self.space, bytes: self.bytes.into() }
    }

    /// Only the encoded elements, such as the tail of an `Op::Append`.
    pub fn into_bytes(self) -> Bytes {
        self.bytes.into()
    }
}

impl From<KeyBuilder> for Key {
    fn from(builder: KeyBuilder) -> Key {
        builder.done()
    }
}

/// The elements that a key's bytes encode.
pub fn decode(mut bytes: &[u8]) -> Result<Vec<Element>, InvalidTuple> {
    let mut elements = Vec::new();
    while let Some((&tag, rest)) = bytes.split_first() {
        let (element, rest) = match tag {
            TEXT => take_escaped(rest).and_then(|(content, rest)| {
                let text = String::from_utf8(content).map_err(|_| InvalidTuple("text is not UTF-8"))?;
                Ok((Element::Text(text), rest))
            })?,
            BYTES => take_escaped(rest).map(|(content, rest)| (Element::Bytes(content), rest))?,
            U64 => take(rest).map(|(number, rest)| (Element::U64(u64::from_be_bytes(number)), rest))?,
            I64 => take(rest).map(|(number, rest)| {
                (Element::I64((u64::from_be_bytes(number) ^ (1 << 63)).cast_signed()), rest)
            })?,
            STAMP => take(rest).map(|(stamp, rest)| (Element::Stamp(Stamp(stamp)), rest))?,
            _ => return Err(InvalidTuple("unknown tag")),
        };
        elements.push(element);
        bytes = rest;
    }
    Ok(elements)
}

fn put_escaped(into: &mut Vec<u8>, tag: u8, content: &[u8]) {
    into.push(tag);
    for &byte in content {
        into.push(byte);
        if byte == 0 {
            into.push(0xff);
        }
    }
    into.push(0);
}

fn take_escaped(bytes: &[u8]) -> Result<(Vec<u8>, &[u8]), InvalidTuple> {
    let mut content = Vec::new();
    let mut rest = bytes;
    loop {
        match rest {
            [0, 0xff, after @ ..] => {
                content.push(0);
                rest = after;
            }
            [0, after @ ..] => return Ok((content, after)),
            [byte, after @ ..] => {
                content.push(*byte);
                rest = after;
            }
            [] => return Err(InvalidTuple("text or bytes without an end")),
        }
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), InvalidTuple> {
    let (head, rest) = bytes.split_first_chunk::<N>().ok_or(InvalidTuple("number or stamp cut off"))?;
    Ok((*head, rest))
}
