//! Items as they are stored: a version, the item's size, then the attributes, in a compact binary form.
//!
//! Invariant: every version that was ever released still decodes; bytes that are no item are an error, never
//! a panic. Layout of version 1, with lengths and counts as LEB128:
//! `01, size, count, (name, value)*`; a value is its type's place in [`Type::ALL`] and its content.

use std::collections::BTreeSet;

use bytes::{Buf, Bytes};
use pagoda_store::StoreError;

use crate::number::Number;
use crate::value::{AttributeValue, Item, Type, item_size};

const VERSION: u8 = 1;
/// Far above what a request may nest: only damaged bytes are deeper.
const DEPTH_MAX: usize = 128;

/// The bytes to store.
pub(crate) fn encode(item: &Item) -> Bytes {
    let size = item_size(item);
    let mut bytes = Vec::with_capacity(size + 8 * item.len() + 8);
    bytes.push(VERSION);
    put_length(&mut bytes, size);
    put_map(&mut bytes, item);
    bytes.into()
}

/// The item in stored bytes. Binary values share them.
pub(crate) fn decode(bytes: &Bytes) -> Result<Item, StoreError> {
    let mut bytes = bytes.clone();
    take_head(&mut bytes)
        .and_then(|_| take_map(&mut bytes, 0))
        .filter(|_| bytes.is_empty())
        .ok_or_else(corrupt)
}

/// The item's size in stored bytes, without decoding the rest.
pub(crate) fn size(bytes: &Bytes) -> Result<usize, StoreError> {
    take_head(&mut bytes.clone()).ok_or_else(corrupt)
}

fn corrupt() -> StoreError {
    StoreError::Corrupt("an item that nothing here can read".into())
}

fn take_head(bytes: &mut Bytes) -> Option<usize> {
    if take_byte(bytes)? != VERSION {
        return None;
    }
    take_length(bytes)
}

fn put_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

fn put_bytes(bytes: &mut Vec<u8>, content: &[u8]) {
    put_length(bytes, content.len());
    bytes.extend_from_slice(content);
}

fn put_number(bytes: &mut Vec<u8>, number: Number) {
    // At most sign, magnitude, nineteen pairs and the end: the length is one byte.
    let start = bytes.len();
    bytes.push(0);
    number.encode(bytes);
    bytes[start] = (bytes.len() - start - 1) as u8;
}

fn put_map(bytes: &mut Vec<u8>, map: &Item) {
    put_length(bytes, map.len());
    for (name, value) in map {
        put_bytes(bytes, name.as_bytes());
        put_value(bytes, value);
    }
}

fn put_value(bytes: &mut Vec<u8>, value: &AttributeValue) {
    bytes.push(value.kind() as u8);
    match value {
        AttributeValue::S(text) => put_bytes(bytes, text.as_bytes()),
        AttributeValue::N(number) => put_number(bytes, *number),
        AttributeValue::B(content) => put_bytes(bytes, content),
        AttributeValue::SS(set) => {
            put_length(bytes, set.len());
            set.iter().for_each(|text| put_bytes(bytes, text.as_bytes()));
        }
        AttributeValue::NS(set) => {
            put_length(bytes, set.len());
            set.iter().for_each(|number| put_number(bytes, *number));
        }
        AttributeValue::BS(set) => {
            put_length(bytes, set.len());
            set.iter().for_each(|content| put_bytes(bytes, content));
        }
        AttributeValue::M(map) => put_map(bytes, map),
        AttributeValue::L(list) => {
            put_length(bytes, list.len());
            list.iter().for_each(|value| put_value(bytes, value));
        }
        AttributeValue::Null => {}
        AttributeValue::Bool(value) => bytes.push(u8::from(*value)),
    }
}

fn take_byte(bytes: &mut Bytes) -> Option<u8> {
    (!bytes.is_empty()).then(|| bytes.get_u8())
}

fn take_length(bytes: &mut Bytes) -> Option<usize> {
    let mut length = 0usize;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = take_byte(bytes)?;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

fn take_bytes(bytes: &mut Bytes) -> Option<Bytes> {
    let length = take_length(bytes)?;
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

fn take_text(bytes: &mut Bytes) -> Option<String> {
    let content = take_bytes(bytes)?;
    std::str::from_utf8(&content).ok().map(str::to_owned)
}

fn take_number(bytes: &mut Bytes) -> Option<Number> {
    Number::decode(&take_bytes(bytes)?)
}

fn take_set<T: Ord>(bytes: &mut Bytes, take: fn(&mut Bytes) -> Option<T>) -> Option<BTreeSet<T>> {
    let count = take_length(bytes)?;
    (0..count).map(|_| take(bytes)).collect()
}

fn take_map(bytes: &mut Bytes, depth: usize) -> Option<Item> {
    let count = take_length(bytes)?;
    (0..count).map(|_| Some((take_text(bytes)?, take_value(bytes, depth)?))).collect()
}

fn take_value(bytes: &mut Bytes, depth: usize) -> Option<AttributeValue> {
    if depth > DEPTH_MAX {
        return None;
    }
    Some(match Type::ALL.get(usize::from(take_byte(bytes)?))? {
        Type::S => AttributeValue::S(take_text(bytes)?),
        Type::N => AttributeValue::N(take_number(bytes)?),
        Type::B => AttributeValue::B(take_bytes(bytes)?),
        Type::SS => AttributeValue::SS(take_set(bytes, take_text)?),
        Type::NS => AttributeValue::NS(take_set(bytes, take_number)?),
        Type::BS => AttributeValue::BS(take_set(bytes, take_bytes)?),
        Type::M => AttributeValue::M(take_map(bytes, depth + 1)?),
        Type::L => {
            let count = take_length(bytes)?;
            let elements: Option<Vec<_>> = (0..count).map(|_| take_value(bytes, depth + 1)).collect();
            AttributeValue::L(elements?)
        }
        Type::Null => AttributeValue::Null,
        Type::Bool => AttributeValue::Bool(take_byte(bytes)? != 0),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn version_one_still_decodes() {
        let stored = b"\x01\x06\x02\x02id\x00\x01a\x01n\x01\x03\x02\x83\x0d";
        let item = decode(&Bytes::from_static(stored)).unwrap();
        let expected = [("id", AttributeValue::S("a".into())), ("n", AttributeValue::N(Number::from(12)))];
        assert_eq!(item, expected.map(|(name, value)| (name.to_owned(), value)).into());
        assert_eq!(size(&Bytes::from_static(stored)), Ok(6));
        assert_eq!(encode(&item), stored[..]);
    }

    proptest! {
        #[test]
        fn damaged_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes.clone().into());
            let mut versioned = vec![VERSION, 0];
            versioned.extend(bytes);
            let _ = decode(&versioned.into());
        }
    }

    #[test]
    fn deep_and_cut_off_bytes_are_refused() {
        let mut deep = vec![VERSION, 0, 1, 1, b'a'];
        deep.extend([Type::L as u8, 1].repeat(100_000));
        assert!(decode(&deep.into()).is_err());
        let whole = encode(&Item::from([("a".into(), AttributeValue::S("abc".into()))]));
        for end in 0..whole.len() {
            assert!(decode(&whole.slice(..end)).is_err(), "{end}");
        }
    }
}
