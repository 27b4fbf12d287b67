//! The forms of the ids that AWS gives out.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>

use std::fmt;
use std::str::FromStr;

use crate::Random;

const UPPER_BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LOWER_BASE36: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The id of one request: a random UUID, in every answer and every log line.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// A fresh id.
    pub fn new(random: &dyn Random) -> Self {
        Self(uuid_bytes(random))
    }

    /// Its text form, in ASCII.
    pub fn text(&self) -> [u8; 36] {
        uuid_text(&self.0)
    }
}

/// The text was no UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidRequestId;

impl FromStr for RequestId {
    type Err = InvalidRequestId;

    /// Reads what [`fmt::Display`] wrote.
    fn from_str(text: &str) -> Result<Self, InvalidRequestId> {
        let digits: String = text.chars().filter(|letter| *letter != '-').collect();
        let number = u128::from_str_radix(&digits, 16).map_err(|_| InvalidRequestId)?;
        let id = Self(number.to_be_bytes());
        if id.to_string() == text { Ok(id) } else { Err(InvalidRequestId) }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(&self.0, f)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(&self.0, f)
    }
}

/// A random (version 4) UUID in its usual text form (RFC 9562).
pub fn uuid(random: &dyn Random) -> String {
    RequestId(uuid_bytes(random)).to_string()
}

/// An IAM unique id or access key id: a four-letter prefix such as `AKIA` and 16 random base32 characters.
pub fn unique_id(prefix: &str, random: &dyn Random) -> String {
    drawn(prefix, 16, UPPER_BASE32, random)
}

/// A secret access key: 40 characters, 240 random bits.
pub fn secret_access_key(random: &dyn Random) -> String {
    drawn("", 40, BASE64, random)
}

/// A short lower-case id as API Gateway gives: `length` letters and digits.
pub fn short_id(length: usize, random: &dyn Random) -> String {
    drawn("", length, LOWER_BASE36, random)
}

fn drawn(prefix: &str, length: usize, alphabet: &[u8], random: &dyn Random) -> String {
    let limit = 256 - 256 % alphabet.len(); // bytes at or above it would favour the first letters
    let mut text = String::with_capacity(prefix.len() + length);
    text.push_str(prefix);
    let mut bytes = [0; 64];
    while text.len() < prefix.len() + length {
        random.fill(&mut bytes);
        let letters = bytes.iter().map(|&b| usize::from(b)).filter(|&b| b < limit);
        let missing = prefix.len() + length - text.len();
        text.extend(letters.take(missing).map(|b| char::from(alphabet[b % alphabet.len()])));
    }
    text
}

fn uuid_bytes(random: &dyn Random) -> [u8; 16] {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

fn write_uuid(bytes: &[u8; 16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(std::str::from_utf8(&uuid_text(bytes)).map_err(|_| fmt::Error)?)
}

/// Every answer carries one: formatting byte by byte would take longer than finding what to answer.
fn uuid_text(bytes: &[u8; 16]) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for byte in bytes {
        if matches!(at, 8 | 13 | 18 | 23) {
            at += 1;
        }
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    #[test]
    fn ids_have_the_forms_of_aws() {
        let random = SeededRandom::new(1);
        assert_eq!(unique_id("AKIA", &random).len(), 20);
        assert_eq!(secret_access_key(&random).len(), 40);
        assert_eq!(short_id(10, &random).len(), 10);
        let uuid = uuid(&random);
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
    }
}
