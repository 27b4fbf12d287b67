//! CBOR documents: of Smithy's rpcv2Cbor.
//!
//! Source: <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>, RFC 8949.

mod read;
mod write;

use crate::Encode;
use crate::schema::Member;

pub(crate) use read::CborReader;
pub(crate) use write::{CborWriter, map, text};

/// The header by which requests and answers say that they speak it, and its value.
pub(crate) const HEADER: (&str, &str) = ("smithy-protocol", "rpc-v2-cbor");

/// The wire document of one `value` at `place`.
pub(crate) fn document(place: Member, value: &dyn Encode) -> Vec<u8> {
    let mut writer = CborWriter::new(place);
    value.write(&mut writer);
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    use crate::check::Checks;
    use crate::schema;
    use crate::schema::{Kind, Member, Schema, TIMESTAMP};
    use crate::shape::Reader as _;

    use super::CborReader;

    fn moment(bytes: &[u8]) -> Result<i64, String> {
        let mut checks = Checks::new("Test");
        let mut reader = CborReader::new(bytes, Member::new("", &TIMESTAMP), &mut checks);
        reader.timestamp().map(|moment| moment.as_millisecond()).map_err(|error| error.code.into_owned())
    }

    #[test]
    fn moments_are_tagged_numbers() {
        assert_eq!(moment(&[0xc1, 0x1a, 0x51, 0x4b, 0x67, 0xb0]), Ok(1_363_896_240_000));
        assert_eq!(moment(&[0xc1, 0xfb, 0x41, 0xd4, 0x52, 0xd9, 0xec, 0x20, 0, 0]), Ok(1_363_896_240_500));
        assert_eq!(moment(&[0x1a, 0x51, 0x4b, 0x67, 0xb0]), Err("SerializationException".into()));
    }

    #[test]
    fn nothing_on_the_wire_makes_the_reader_panic() {
        static LIST: Schema = Schema::list("List", &Member::new("member", &schema::STRING));
        assert_eq!(LIST.kind, Kind::List);
        for bytes in
            [&[0x9f][..], &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0x82, 0x61], &[0xff]]
        {
            let mut checks = Checks::new("Test");
            let mut reader = CborReader::new(bytes, Member::new("", &LIST), &mut checks);
            assert!(reader.list(&mut |reader| reader.string().map(drop)).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn texts_and_lists_may_come_in_pieces() {
        static LIST: Schema = Schema::list("List", &Member::new("member", &schema::STRING));
        let mut checks = Checks::new("Test");
        let bytes = [0x9f, 0x7f, 0x61, b'a', 0x61, b'b', 0xff, 0x61, b'c', 0xff];
        let mut reader = CborReader::new(&bytes, Member::new("", &LIST), &mut checks);
        let mut found = Vec::new();
        let read = reader.list(&mut |reader| {
            found.push(reader.string()?);
            Ok(())
        });
        assert!(read.is_ok());
        assert_eq!(found, ["ab", "c"]);
    }
}
