//! What is asked of a store, and what it answers.

use bytes::Bytes;

use crate::commit::at_most;
use crate::limits::{RANGE_BYTES_MAX, RANGE_ROWS_MAX, READS_MAX};
use crate::{Key, Stamp, StoreError};

/// One question; all questions of a call are answered from one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The row at a key.
    Get(Key),
    /// Rows in `[lo, hi)`, in order.
    Range {
        /// First key that may be answered.
        lo: Key,
        /// First key behind the range.
        hi: Key,
        /// Most rows, 1 to [`RANGE_ROWS_MAX`].
        limit: u32,
        /// Most bytes of keys and values; the first row is answered whatever its size.
        bytes: u32,
        /// From the end backwards.
        reverse: bool,
    },
}

impl Read {
    /// The rows under `prefix`, as many as one read may answer in bytes, at most `limit`.
    pub fn prefix(prefix: &Key, limit: u32) -> Self {
        let (lo, hi) = prefix.prefix_range();
        Self::Range { lo, hi, limit, bytes: RANGE_BYTES_MAX, reverse: false }
    }

    /// The same range from its end.
    pub fn reversed(self) -> Self {
        match self {
            Self::Range { lo, hi, limit, bytes, reverse } => {
                Self::Range { lo, hi, limit, bytes, reverse: !reverse }
            }
            get => get,
        }
    }
}

/// How fresh the snapshot must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// Contains every commit answered before the read was asked.
    Strong,
    /// May be some commits old; an engine with replicas may answer from the nearest.
    Eventual,
}

/// A value and when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// What was put.
    pub value: Bytes,
    /// By which commit.
    pub stamp: Stamp,
}

/// A row of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it is.
    pub key: Key,
    /// What was put.
    pub value: Bytes,
    /// By which commit.
    pub stamp: Stamp,
}

/// The answer to one read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// In the order asked for; at most one for a `Get`.
    pub rows: Vec<Row>,
    /// The range goes on behind the last row answered.
    pub more: bool,
}

/// Refuses reads outside the limits; every store calls it before anything else.
pub(crate) fn validate(reads: &[Read]) -> Result<(), StoreError> {
    at_most("reads", reads.len(), READS_MAX)?;
    for read in reads {
        let Read::Range { lo, hi, limit, bytes, .. } = read else { continue };
        if lo.space != hi.space {
            return Err(StoreError::Invalid(format!("range from {lo:?} to {hi:?} crosses spaces")));
        }
        if *limit == 0 || *limit > RANGE_ROWS_MAX || *bytes > RANGE_BYTES_MAX {
            return Err(StoreError::Invalid(format!(
                "a range of {limit} rows and {bytes} bytes: 1 to {RANGE_ROWS_MAX} rows and at most {RANGE_BYTES_MAX} bytes are possible"
            )));
        }
    }
    Ok(())
}

/// Takes rows from `found` until a bound of the range read is reached.
pub(crate) fn bounded(
    found: impl Iterator<Item = Result<Row, StoreError>>,
    limit: u32,
    bytes: u32,
) -> Result<Rows, StoreError> {
    let mut answer = Rows::default();
    let mut budget = u64::from(bytes);
    for row in found {
        let row = row?;
        let size = (row.key.bytes.len() + row.value.len()) as u64;
        let first = answer.rows.is_empty();
        if answer.rows.len() >= limit as usize || (!first && size > budget) {
            answer.more = true;
            break;
        }
        budget = budget.saturating_sub(size);
        answer.rows.push(row);
    }
    Ok(answer)
}
