//! Messages of an event stream: `application/vnd.amazon.eventstream`.
//!
//! ```text
//! total length u32 │ headers' length u32 │ CRC-32 of both │ headers │ payload │ CRC-32 of all before
//! ```
//!
//! Source: <https://smithy.io/2.0/aws/amazon-eventstream.html>

use bytes::{BufMut, Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, checksum};

/// The media type of a stream.
pub const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";
/// The largest payload of a message, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// Lengths and check sums around headers and payload.
const FRAME_BYTES: usize = 16;
/// A header's value is text.
const STRING: u8 = 7;

/// The message of the event `name`. Payloads over [`PAYLOAD_BYTES_MAX`] are the caller's to spread over several
/// messages: what is over is left out.
pub fn event(name: &str, content_type: &str, payload: &[u8]) -> Bytes {
    message(&[(":message-type", "event"), (":event-type", name), (":content-type", content_type)], payload)
}

/// The message that ends a stream with the exception `name`, whose members are a JSON document.
pub fn exception(name: &str, document: &[u8]) -> Bytes {
    let headers =
        [(":message-type", "exception"), (":exception-type", name), (":content-type", "application/json")];
    message(&headers, document)
}

fn message(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let payload = &payload[..payload.len().min(PAYLOAD_BYTES_MAX)];
    let mut names = BytesMut::new();
    for (name, value) in headers {
        put(&mut names, name, value);
    }
    let length = FRAME_BYTES + names.len() + payload.len();
    let mut message = BytesMut::with_capacity(length);
    message.put_u32(number(length));
    message.put_u32(number(names.len()));
    message.put_u32(crc(&message));
    message.put_slice(&names);
    message.put_slice(payload);
    message.put_u32(crc(&message));
    message.freeze()
}

/// A header; names and values that are too long for their length are cut.
fn put(headers: &mut BytesMut, name: &str, value: &str) {
    let name = &name.as_bytes()[..name.len().min(usize::from(u8::MAX))];
    let value = &value.as_bytes()[..value.len().min(usize::from(u16::MAX))];
    headers.put_u8(u8::try_from(name.len()).unwrap_or(u8::MAX));
    headers.put_slice(name);
    headers.put_u8(STRING);
    headers.put_u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
    headers.put_slice(value);
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn crc(bytes: &[u8]) -> u32 {
    // The lower half: it is a sum of 32 bits.
    (checksum(CrcAlgorithm::Crc32IsoHdlc, bytes) & u64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector without headers of the AWS SDKs' own tests: the payload is `{'foo':'bar'}`.
    #[test]
    fn messages_have_their_lengths_and_sums() {
        let bytes = message(&[], b"{'foo':'bar'}");
        let expected = "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936";
        assert_eq!(hex::encode(&bytes), expected);
    }

    #[test]
    fn events_name_themselves() {
        let bytes = event("A", "t", b"x");
        let text = String::from_utf8_lossy(&bytes);
        for part in ["\u{d}:message-type\u{7}\0\u{5}event", "\u{b}:event-type\u{7}\0\u{1}A"] {
            assert!(text.contains(part), "{text:?}");
        }
        assert_eq!(usize::try_from(u32::from_be_bytes(bytes[..4].try_into().unwrap())).unwrap(), bytes.len());
    }
}
