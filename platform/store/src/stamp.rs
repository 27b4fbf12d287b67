//! The order of commits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// When a commit happened: epoch (2 bytes), commit id (6 bytes), index in the batch (2 bytes), big endian.
///
/// Stamps compare as the commits they belong to are ordered; no two commits of a store share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Stamp(pub [u8; 10]);

/// The text was not twenty hexadecimal digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is not a stamp: twenty hexadecimal digits are")]
pub struct InvalidStamp(String);

impl Stamp {
    /// Before every commit.
    pub const ZERO: Self = Self([0; 10]);
    /// After every commit.
    pub const MAX: Self = Self([0xff; 10]);

    /// The stamp of the commit at `index` of the batch `batch` (epoch in the upper 16 bits).
    pub fn new(batch: u64, index: u16) -> Self {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&batch.to_be_bytes());
        bytes[8..].copy_from_slice(&index.to_be_bytes());
        Self(bytes)
    }

    /// The batch (epoch and commit id) that the commit was in.
    pub fn batch(&self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[..8]);
        u64::from_be_bytes(bytes)
    }

    /// The stamp as a number: what sequence numbers are printed from.
    pub fn as_u128(&self) -> u128 {
        let mut bytes = [0; 16];
        bytes[6..].copy_from_slice(&self.0);
        u128::from_be_bytes(bytes)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Stamp {
    type Err = InvalidStamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 10];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidStamp(text.into()))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Stamp {
    type Error = InvalidStamp;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Stamp> for String {
    fn from(stamp: Stamp) -> String {
        stamp.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_ordered_as_batches_and_indexes_are() {
        let ordered = [Stamp::ZERO, Stamp::new(1, 0), Stamp::new(1, 1), Stamp::new(256, 0), Stamp::MAX];
        assert!(ordered.windows(2).all(|pair| pair[0] < pair[1] && pair[0].as_u128() < pair[1].as_u128()));
        assert_eq!(Stamp::new(256, 7).to_string().parse(), Ok(Stamp::new(256, 7)));
        assert_eq!(Stamp::new(1 << 48, 7).batch(), 1 << 48);
        for bad in ["", "00", "zz000000000000000000", "000000000000000000000000"] {
            assert!(bad.parse::<Stamp>().is_err(), "{bad}");
        }
    }
}
