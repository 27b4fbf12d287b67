//! How a row lies in the engine: key with its space in front; stamp, checksum, value.
//!
//! Invariant: the checksum (CRC-32C) covers the key too, so that a value under the wrong key is found
//! just as a changed byte is; nothing is answered that does not match it.

use bytes::{BufMut, Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, Digest};

use crate::{Key, Space, Stamp, StoreError};

const STAMP_BYTES: usize = 10;
const HEAD_BYTES: usize = STAMP_BYTES + 4;
/// Keys up to this many bytes are looked up without allocating.
const SHORT_BYTES: usize = 255;

/// First byte of the rows that record commits.
pub(super) const COMMITS: u8 = 0x80;
/// First byte of the rows that remember tokens.
pub(super) const TOKENS: u8 = 0x81;
/// The row that tells which commit row is the oldest kept.
pub(super) const OLDEST: u8 = 0x82;

/// The engine's key of a row.
pub(super) fn key_bytes(key: &Key) -> Vec<u8> {
    prefixed(key.space as u8, &key.bytes)
}

/// The engine's key of a row of the engine's own.
pub(super) fn prefixed(first: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + rest.len());
    bytes.push(first);
    bytes.extend_from_slice(rest);
    bytes
}

/// Calls `ask` with the engine's key of a row.
pub(super) fn with_key_bytes<T>(key: &Key, ask: impl FnOnce(&[u8]) -> T) -> T {
    let length = key.bytes.len();
    if length > SHORT_BYTES {
        return ask(&key_bytes(key));
    }
    let mut short = [0; SHORT_BYTES + 1];
    short[0] = key.space as u8;
    short[1..=length].copy_from_slice(&key.bytes);
    ask(&short[..=length])
}

/// The key that engine bytes found within `space` stand for.
pub(super) fn key_of(space: Space, bytes: &[u8]) -> Key {
    Key { space, bytes: Bytes::copy_from_slice(bytes.get(1..).unwrap_or_default()) }
}

/// The engine's value of a row.
pub(super) fn encode(key_bytes: &[u8], stamp: Stamp, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + value.len());
    bytes.extend_from_slice(&stamp.0);
    bytes.put_u32_le(checksum(key_bytes, &stamp.0, value));
    bytes.extend_from_slice(value);
    bytes
}

/// What [`encode`] was given.
pub(super) fn decode(key_bytes: &[u8], bytes: &[u8]) -> Result<(Bytes, Stamp), StoreError> {
    let (stamp, rest) = bytes.split_first_chunk::<STAMP_BYTES>().ok_or_else(|| corrupt(key_bytes))?;
    let (written, value) = rest.split_first_chunk::<4>().ok_or_else(|| corrupt(key_bytes))?;
    if u32::from_le_bytes(*written) != checksum(key_bytes, stamp, value) {
        return Err(corrupt(key_bytes));
    }
    Ok((BytesMut::from(value).freeze(), Stamp(*stamp)))
}

fn corrupt(key_bytes: &[u8]) -> StoreError {
    StoreError::Corrupt(format!("the row at '{}' does not match its checksum", key_bytes.escape_ascii()))
}

fn checksum(key: &[u8], stamp: &[u8], value: &[u8]) -> u32 {
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    digest.update(&(key.len() as u64).to_le_bytes()); // so that no byte can move from key to value
    digest.update(key);
    digest.update(stamp);
    digest.update(value);
    digest.finalize() as u32 // a 32-bit algorithm: the upper half is zero
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_found() {
        let stamp = Stamp::new(7, 3);
        let good = encode(b"key", stamp, b"value");
        assert_eq!(decode(b"key", &good), Ok((Bytes::from_static(b"value"), stamp)));
        assert!(decode(b"kez", &good).is_err(), "the value of another key");
        for length in 0..good.len() {
            assert!(decode(b"key", &good[..length]).is_err(), "cut off at {length}");
        }
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(b"key", &bad).is_err(), "bit {bit}");
        }
    }
}
