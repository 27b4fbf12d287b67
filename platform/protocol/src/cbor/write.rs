//! Writes values as CBOR straight into bytes.

use pagoda_base::Timestamp;

use crate::schema::Member;
use crate::shape::{Encode, Writer};

/// The major types of RFC 8949, in their place in the first byte.
const UNSIGNED: u8 = 0x00;
const NEGATIVE: u8 = 0x20;
const BYTES: u8 = 0x40;
const TEXT: u8 = 0x60;
const ARRAY: u8 = 0x80;
const MAP: u8 = 0xa0;
const EPOCH_TAG: u8 = 0xc1;
const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const DOUBLE: u8 = 0xfb;
const OPEN_ARRAY: u8 = 0x9f;
const OPEN_MAP: u8 = 0xbf;
const BREAK: u8 = 0xff;

/// A writer of one CBOR value.
pub(crate) struct CborWriter {
    bytes: Vec<u8>,
    place: Member,
}

/// Begins a map of `entries` entries.
pub(crate) fn map(bytes: &mut Vec<u8>, entries: usize) {
    head(bytes, MAP, entries as u64);
}

/// Writes `text`.
pub(crate) fn text(bytes: &mut Vec<u8>, text: &str) {
    head(bytes, TEXT, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// A major type with its argument, as short as it can be.
fn head(bytes: &mut Vec<u8>, major: u8, argument: u64) {
    match argument {
        0..=23 => bytes.push(major | argument as u8),
        24..=0xff => bytes.extend_from_slice(&[major | 24, argument as u8]),
        0x100..=0xffff => {
            bytes.push(major | 25);
            bytes.extend_from_slice(&(argument as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            bytes.push(major | 26);
            bytes.extend_from_slice(&(argument as u32).to_be_bytes());
        }
        _ => {
            bytes.push(major | 27);
            bytes.extend_from_slice(&argument.to_be_bytes());
        }
    }
}

fn double(bytes: &mut Vec<u8>, value: f64) {
    bytes.push(DOUBLE);
    bytes.extend_from_slice(&value.to_be_bytes());
}

impl CborWriter {
    /// For the value of `place`.
    pub(crate) fn new(place: Member) -> Self {
        Self { bytes: Vec::with_capacity(256), place }
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
}

impl Writer for CborWriter {
    fn structure(&mut self, members: &[&dyn Encode]) {
        let place = self.place;
        let present = || place.target.members.iter().zip(members).filter(|(_, value)| !value.is_absent());
        map(&mut self.bytes, present().count());
        for (member, value) in present() {
            text(&mut self.bytes, member.name);
            self.at(*member, *value);
        }
    }

    fn union(&mut self, index: usize, value: &dyn Encode) {
        let member = self.place.target.members.get(index);
        map(&mut self.bytes, usize::from(member.is_some()));
        if let Some(member) = member {
            text(&mut self.bytes, member.name);
            self.at(*member, value);
        }
    }

    fn list(&mut self, elements: &mut dyn Iterator<Item = &dyn Encode>) {
        let Some(place) = self.place.target.element else { return head(&mut self.bytes, ARRAY, 0) };
        self.bytes.push(OPEN_ARRAY);
        for element in elements {
            self.at(*place, element);
        }
        self.bytes.push(BREAK);
    }

    fn map(&mut self, entries: &mut dyn Iterator<Item = (&str, &dyn Encode)>) {
        let Some(place) = self.place.target.element else { return map(&mut self.bytes, 0) };
        self.bytes.push(OPEN_MAP);
        for (key, value) in entries {
            text(&mut self.bytes, key);
            self.at(*place, value);
        }
        self.bytes.push(BREAK);
    }

    fn string(&mut self, value: &str) {
        text(&mut self.bytes, value);
    }

    fn integer(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => head(&mut self.bytes, UNSIGNED, value),
            Err(_) => head(&mut self.bytes, NEGATIVE, (-1 - value) as u64),
        }
    }

    fn float(&mut self, value: f64) {
        double(&mut self.bytes, value);
    }

    fn boolean(&mut self, value: bool) {
        self.bytes.push(if value { TRUE } else { FALSE });
    }

    fn blob(&mut self, value: &[u8]) {
        head(&mut self.bytes, BYTES, value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    fn timestamp(&mut self, value: Timestamp) {
        self.bytes.push(EPOCH_TAG);
        match value.as_millisecond() % 1000 {
            0 => self.integer(value.as_millisecond() / 1000),
            _ => double(&mut self.bytes, value.as_millisecond() as f64 / 1000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::STRING;

    fn check(write: impl FnOnce(&mut CborWriter), expected: &[u8]) {
        let mut writer = CborWriter::new(Member::new("", &STRING));
        write(&mut writer);
        assert_eq!(writer.into_bytes(), expected);
    }

    /// Source: RFC 8949, appendix A.
    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        check(|w| w.integer(23), &[0x17]);
        check(|w| w.integer(24), &[0x18, 0x18]);
        check(|w| w.integer(1000), &[0x19, 0x03, 0xe8]);
        check(|w| w.integer(1_000_000), &[0x1a, 0x00, 0x0f, 0x42, 0x40]);
        check(|w| w.integer(1_000_000_000_000), &[0x1b, 0, 0, 0, 0xe8, 0xd4, 0xa5, 0x10, 0]);
        check(|w| w.integer(-1000), &[0x39, 0x03, 0xe7]);
        check(|w| w.float(1.1), &[0xfb, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a]);
        check(|w| w.string("ü"), &[0x62, 0xc3, 0xbc]);
        let moment = Timestamp::from_second(1_363_896_240).unwrap();
        check(|w| w.timestamp(moment), &[0xc1, 0x1a, 0x51, 0x4b, 0x67, 0xb0]);
    }
}
