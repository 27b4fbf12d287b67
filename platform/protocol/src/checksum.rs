//! The checksums of S3's objects and of `aws-chunked` trailers.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, Digest, checksum_combine};

/// A way to compute a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// CRC-32/ISO-HDLC.
    Crc32,
    /// CRC-32/ISCSI (Castagnoli).
    Crc32c,
    /// CRC-64/NVME.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256, Self::Sha512];

    /// S3's name, such as `CRC32C`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// The header or trailer that carries it.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
            Self::Sha512 => "x-amz-checksum-sha512",
        }
    }

    /// The algorithm of the header `name`, given in lower case.
    pub fn of_header(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.header() == name)
    }
}

/// A checksum being computed.
pub struct Checksum {
    algorithm: Algorithm,
    state: State,
}

enum State {
    Crc(Box<Digest>),
    Hash(Box<Context>),
}

impl Checksum {
    /// Of nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm {
            Algorithm::Crc32 => State::Crc(Box::new(Digest::new(CrcAlgorithm::Crc32IsoHdlc))),
            Algorithm::Crc32c => State::Crc(Box::new(Digest::new(CrcAlgorithm::Crc32Iscsi))),
            Algorithm::Crc64Nvme => State::Crc(Box::new(Digest::new(CrcAlgorithm::Crc64Nvme))),
            Algorithm::Sha1 => State::Hash(Box::new(Context::new(&SHA1_FOR_LEGACY_USE_ONLY))),
            Algorithm::Sha256 => State::Hash(Box::new(Context::new(&SHA256))),
            Algorithm::Sha512 => State::Hash(Box::new(Context::new(&SHA512))),
        };
        Self { algorithm, state }
    }

    /// How it is computed.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Takes in `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(digest) => digest.update(bytes),
            State::Hash(context) => context.update(bytes),
        }
    }

    /// The checksum's bytes, the most significant first.
    pub fn finish(self) -> Vec<u8> {
        match self.state {
            State::Hash(context) => context.finish().as_ref().to_vec(),
            State::Crc(digest) => {
                let bytes = digest.finalize().to_be_bytes();
                let width = if self.algorithm == Algorithm::Crc64Nvme { 8 } else { 4 };
                bytes[8 - width..].to_vec()
            }
        }
    }

    /// The checksum as headers carry it: in base64.
    pub fn finish_base64(self) -> String {
        STANDARD.encode(self.finish())
    }
}

/// The checksum of a whole from those of its parts and their lengths in bytes. Only cyclic redundancy checks
/// can be combined.
pub fn combine(algorithm: Algorithm, parts: &[(Vec<u8>, u64)]) -> Option<Vec<u8>> {
    let (crc, width) = match algorithm {
        Algorithm::Crc32 => (CrcAlgorithm::Crc32IsoHdlc, 4),
        Algorithm::Crc32c => (CrcAlgorithm::Crc32Iscsi, 4),
        Algorithm::Crc64Nvme => (CrcAlgorithm::Crc64Nvme, 8),
        Algorithm::Sha1 | Algorithm::Sha256 | Algorithm::Sha512 => return None,
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
    let mut parts = parts.iter();
    let (first, _) = parts.next()?;
    let whole = parts
        .fold(number(first), |whole, (part, length)| checksum_combine(crc, whole, number(part), *length));
    Some(whole.to_be_bytes()[8 - width..].to_vec())
}

/// Refuses a body in memory that is not what `Content-MD5` or an `x-amz-checksum-…` header says. A header that
/// is a member of `input` speaks of something else.
pub fn verify(input: &crate::Schema, headers: &http::HeaderMap, body: &[u8]) -> Result<(), crate::ApiError> {
    use md5::Digest as _;
    let stated = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(md5) = stated("content-md5")
        && STANDARD.encode(md5::Md5::digest(body)) != md5
    {
        let message = "The Content-MD5 you specified did not match what we received.";
        return Err(crate::ApiError::new("BadDigest", 400, message));
    }
    for algorithm in Algorithm::ALL {
        let is_member = input.members.iter().any(|m| m.wire.eq_ignore_ascii_case(algorithm.header()));
        let Some(value) = stated(algorithm.header()).filter(|_| !is_member) else { continue };
        let mut checksum = Checksum::new(algorithm);
        checksum.update(body);
        if checksum.finish_base64() != value {
            let name = algorithm.name();
            let message = format!("The {name} you specified did not match the calculated checksum.");
            return Err(crate::ApiError::new("BadDigest", 400, message));
        }
    }
    Ok(())
}

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checksum({})", self.algorithm.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_combine_to_their_whole() {
        let bytes: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        let of = |algorithm, bytes: &[u8]| {
            let mut checksum = Checksum::new(algorithm);
            checksum.update(bytes);
            checksum.finish()
        };
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let parts: Vec<_> =
                bytes.chunks(30_001).map(|part| (of(algorithm, part), part.len() as u64)).collect();
            assert_eq!(combine(algorithm, &parts), Some(of(algorithm, &bytes)), "{algorithm:?}");
        }
        assert_eq!(combine(Algorithm::Sha1, &[]), None);
    }

    #[test]
    fn a_body_must_be_what_its_headers_say() {
        let check = |name: &'static str, value: &'static str, expected: bool| {
            let headers = [(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect();
            assert_eq!(
                verify(<crate::Unit as crate::Shape>::schema(), &headers, b"123456789").is_ok(),
                expected,
                "{name}: {value}"
            );
        };
        check("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==", true);
        check("content-md5", "JfnnlDI7RTiF9RgfG2JNCW==", false);
        check("x-amz-checksum-crc32", "y/Q5Jg==", true);
        check("x-amz-checksum-crc32", "y/Q5Jw==", false);
        check("x-amz-meta-crc32", "other", true);
    }

    /// The check values of the CRC catalogue and of FIPS 180 for their customary inputs.
    #[test]
    fn checksums_are_those_of_their_definitions() {
        let rows = [
            (Algorithm::Crc32, "123456789", "cbf43926"),
            (Algorithm::Crc32c, "123456789", "e3069283"),
            (Algorithm::Crc64Nvme, "123456789", "ae8b14860a799888"),
            (Algorithm::Sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ];
        for (algorithm, input, expected) in rows {
            let mut checksum = Checksum::new(algorithm);
            checksum.update(&input.as_bytes()[..2]);
            checksum.update(&input.as_bytes()[2..]);
            assert_eq!(hex::encode(checksum.finish()), expected, "{algorithm:?}");
            assert_eq!(Algorithm::of_header(algorithm.header()), Some(algorithm));
        }
    }
}
