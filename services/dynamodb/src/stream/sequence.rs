//! Sequence numbers: the stamp of the commit and the record's place in it, as decimal digits.
//!
//! All have the same number of digits, so that they sort as texts and as numbers.

use pagoda_store::Stamp;

/// Larger than every stamp with its place.
const BASE: u128 = 100_000_000_000_000_000_000_000_000_000;
const PLACE_BITS: u32 = 16;

/// The place of a record in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sequence {
    pub(super) stamp: Stamp,
    pub(super) place: u16,
}

impl Sequence {
    /// Before all records of a commit.
    pub(super) fn first(stamp: Stamp) -> Self {
        Self { stamp, place: 0 }
    }

    /// Behind all records of a commit.
    pub(super) fn last(stamp: Stamp) -> Self {
        Self { stamp, place: u16::MAX }
    }

    /// The number without the digit in front.
    pub(super) fn number(self) -> u128 {
        self.stamp.as_u128() << PLACE_BITS | u128::from(self.place)
    }

    pub(super) fn text(self) -> String {
        (BASE + self.number()).to_string()
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = text.parse::<u128>().ok()?.checked_sub(BASE)?;
        let stamp = number >> PLACE_BITS;
        let bytes = stamp.to_be_bytes();
        let (high, low) = bytes.split_first_chunk::<6>()?;
        let stamp = Stamp(low.try_into().ok()?);
        (*high == [0; 6]).then_some(Self { stamp, place: (number & u128::from(u16::MAX)) as u16 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_back_and_sort() {
        let all = [
            Sequence::first(Stamp::ZERO),
            Sequence { stamp: Stamp::new(7, 1), place: 3 },
            Sequence::last(Stamp::new(7, 1)),
            Sequence::first(Stamp::new(1 << 60, 0)),
            Sequence::last(Stamp::MAX),
        ];
        for sequence in all {
            assert_eq!(Sequence::parse(&sequence.text()), Some(sequence));
            assert_eq!(sequence.text().len(), 30);
        }
        assert!(all.windows(2).all(|pair| pair[0].text() < pair[1].text() && pair[0] < pair[1]));
        for bad in ["", "12", "x", "999999999999999999999999999999"] {
            assert_eq!(Sequence::parse(bad), None, "{bad}");
        }
    }
}
