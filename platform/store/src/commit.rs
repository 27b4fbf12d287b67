//! One atomic change: what must hold, what is written, who may write it.

use bytes::Bytes;

use crate::limits::{CLEAR_ROWS_MAX, COMMIT_BYTES_MAX, COMMIT_HINTS_MAX, COMMIT_OPS_MAX};
use crate::limits::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use crate::{Key, Stamp, StoreError, Topic};

/// What must hold for a commit to happen. Ranges are guarded by fence keys that every writer there checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// There is no row.
    Absent(Key),
    /// The row is there and was last written at this stamp.
    At(Key, Stamp),
}

impl Check {
    /// The row that the check looks at.
    pub fn key(&self) -> &Key {
        match self {
            Self::Absent(key) | Self::At(key, _) => key,
        }
    }

    /// The stamp that the row must have; `None`: there must be no row.
    pub fn wanted(&self) -> Option<Stamp> {
        match self {
            Self::Absent(_) => None,
            Self::At(_, stamp) => Some(*stamp),
        }
    }
}

/// One write. The operations of a commit happen in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Writes the row.
    Put(Key, Bytes),
    /// Removes the row, if there is one.
    Delete(Key),
    /// Writes a row whose key is `prefix`, the commit's stamp as a tuple element, and `tail`.
    Append {
        /// The log's key.
        prefix: Key,
        /// Encoded elements that tell apart several records of one commit; may be empty.
        tail: Bytes,
        /// The record.
        value: Bytes,
    },
    /// Adds to the row's little-endian 64-bit number (zero if absent), wrapping around.
    Add(Key, i64),
    /// Removes the rows in `[lo, hi)`; at most [`CLEAR_ROWS_MAX`] of them.
    ClearRange(Key, Key),
}

/// A set of writes that happen together or not at all, if every check holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// All must hold; the first that doesn't is reported.
    pub checks: Vec<Check>,
    /// In order.
    pub ops: Vec<Op>,
    /// A lease row and the stamp at which the committer took it.
    pub fence: Option<(Key, Stamp)>,
    /// Makes a repetition of the commit answer the first one's stamp instead of happening again.
    pub token: Option<[u8; 16]>,
    /// Who is told once the commit is durable.
    pub hints: Vec<Topic>,
}

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It is durable.
    Done(Stamp),
    /// Nothing was written.
    CheckFailed {
        /// Index of the first check that did not hold.
        check: usize,
        /// The row that the check looked at, as it is.
        current: Option<(Bytes, Stamp)>,
    },
    /// Nothing was written: the fence row is gone or was written by another.
    Fenced,
}

impl Outcome {
    /// The stamp, for callers to whom a failed check is an error like any other.
    pub fn done(self) -> Result<Stamp, StoreError> {
        match self {
            Self::Done(stamp) => Ok(stamp),
            Self::CheckFailed { check, .. } => Err(StoreError::CheckFailed { check }),
            Self::Fenced => Err(StoreError::Fenced),
        }
    }
}

impl Commit {
    /// A commit that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires `check`.
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Requires that there is no row at `key`.
    pub fn absent(self, key: impl Into<Key>) -> Self {
        self.check(Check::Absent(key.into()))
    }

    /// Requires that the row at `key` was last written at `stamp`.
    pub fn at(self, key: impl Into<Key>, stamp: Stamp) -> Self {
        self.check(Check::At(key.into(), stamp))
    }

    /// Adds an operation.
    pub fn op(mut self, op: Op) -> Self {
        self.ops.push(op);
        self
    }

    /// Writes a row.
    pub fn put(self, key: impl Into<Key>, value: impl Into<Bytes>) -> Self {
        self.op(Op::Put(key.into(), value.into()))
    }

    /// Removes a row.
    pub fn delete(self, key: impl Into<Key>) -> Self {
        self.op(Op::Delete(key.into()))
    }

    /// Appends a record to the log `prefix`.
    pub fn append(self, prefix: impl Into<Key>, tail: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.op(Op::Append { prefix: prefix.into(), tail: tail.into(), value: value.into() })
    }

    /// Adds to a counter.
    pub fn add(self, key: impl Into<Key>, amount: i64) -> Self {
        self.op(Op::Add(key.into(), amount))
    }

    /// Removes the rows in `[lo, hi)`.
    pub fn clear_range(self, lo: impl Into<Key>, hi: impl Into<Key>) -> Self {
        self.op(Op::ClearRange(lo.into(), hi.into()))
    }

    /// Lets the commit happen only while the lease row is as it was taken.
    pub fn fence(mut self, lease: impl Into<Key>, taken: Stamp) -> Self {
        self.fence = Some((lease.into(), taken));
        self
    }

    /// Makes the commit happen once, however often it is sent (within ten minutes).
    pub fn token(mut self, token: [u8; 16]) -> Self {
        self.token = Some(token);
        self
    }

    /// Tells the watchers of `topic` afterwards.
    pub fn hint(mut self, topic: Topic) -> Self {
        self.hints.push(topic);
        self
    }

    /// Adds everything that `other` checks and writes behind what this one does.
    pub fn and(mut self, other: Commit) -> Self {
        self.checks.extend(other.checks);
        self.ops.extend(other.ops);
        self.hints.extend(other.hints);
        self.fence = self.fence.or(other.fence);
        self.token = self.token.or(other.token);
        self
    }

    /// Bytes of keys and values, as [`COMMIT_BYTES_MAX`] counts them.
    pub fn bytes(&self) -> usize {
        let ops = self.ops.iter().map(|op| match op {
            Op::Put(key, value) => key.bytes.len() + value.len(),
            Op::Delete(key) => key.bytes.len(),
            Op::Append { prefix, tail, value } => prefix.bytes.len() + tail.len() + value.len() + 11,
            Op::Add(key, _) => key.bytes.len() + 8,
            Op::ClearRange(lo, hi) => lo.bytes.len() + hi.bytes.len(),
        });
        let checks = self.checks.iter().map(|check| check.key().bytes.len());
        ops.chain(checks).sum()
    }

    /// Refuses what is outside the limits; every store calls it before anything else.
    pub fn validate(&self) -> Result<(), StoreError> {
        at_most("operations", self.ops.len(), COMMIT_OPS_MAX)?;
        at_most("checks", self.checks.len(), COMMIT_OPS_MAX)?;
        at_most("hints", self.hints.len(), COMMIT_HINTS_MAX)?;
        at_most("bytes in a commit", self.bytes(), COMMIT_BYTES_MAX)?;
        for check in &self.checks {
            key_fits(check.key().bytes.len())?;
        }
        self.ops.iter().try_for_each(op_fits)
    }
}

fn op_fits(op: &Op) -> Result<(), StoreError> {
    match op {
        Op::Put(key, value) => {
            key_fits(key.bytes.len())?;
            at_most("bytes in a value", value.len(), VALUE_BYTES_MAX)
        }
        Op::Append { prefix, tail, value } => {
            key_fits(prefix.bytes.len() + 11 + tail.len())?;
            at_most("bytes in a value", value.len(), VALUE_BYTES_MAX)
        }
        Op::Delete(key) | Op::Add(key, _) => key_fits(key.bytes.len()),
        Op::ClearRange(lo, hi) if lo.space != hi.space => {
            Err(StoreError::Invalid(format!("range from {lo:?} to {hi:?} crosses spaces")))
        }
        Op::ClearRange(lo, hi) => key_fits(lo.bytes.len().max(hi.bytes.len())),
    }
}

/// Refuses a commit whose ranges hold more rows than one commit may clear.
pub(crate) fn clearable(rows: usize) -> Result<(), StoreError> {
    at_most("rows in cleared ranges (clear in steps)", rows, CLEAR_ROWS_MAX)
}

/// The number that a counter's row holds.
pub(crate) fn counter(key: &Key, value: Option<&[u8]>) -> Result<i64, StoreError> {
    let Some(value) = value else { return Ok(0) };
    let bytes: [u8; 8] =
        value.try_into().map_err(|_| StoreError::Invalid(format!("{key:?} holds no counter to add to")))?;
    Ok(i64::from_le_bytes(bytes))
}

/// The key under which an appended record is stored.
pub(crate) fn appended(prefix: &Key, stamp: Stamp, tail: &[u8]) -> Key {
    let mut bytes = Vec::with_capacity(prefix.bytes.len() + 11 + tail.len());
    bytes.extend_from_slice(&prefix.bytes);
    bytes.push(crate::tuple::STAMP);
    bytes.extend_from_slice(&stamp.0);
    bytes.extend_from_slice(tail);
    Key { space: prefix.space, bytes: bytes.into() }
}

fn key_fits(bytes: usize) -> Result<(), StoreError> {
    if bytes == 0 {
        return Err(StoreError::Invalid("a key has at least one byte".into()));
    }
    at_most("bytes in a key", bytes, KEY_BYTES_MAX)
}

pub(crate) fn at_most(what: &str, count: usize, max: usize) -> Result<(), StoreError> {
    if count > max {
        return Err(StoreError::Invalid(format!("{count} {what}, at most {max} are possible")));
    }
    Ok(())
}
