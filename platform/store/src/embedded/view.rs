//! Reading from one snapshot of the engine.

use bytes::Bytes;
use fjall::{Guard, Keyspace, Readable, Slice, Snapshot};

use super::row;
use crate::{Key, Read, Row, Rows, Space, Stamp, StoreError};

/// A snapshot of all rows.
#[derive(Clone)]
pub(super) struct View {
    pub(super) snapshot: Snapshot,
    pub(super) rows: Keyspace,
}

impl View {
    /// The row at a key.
    pub(super) fn get(&self, key: &Key) -> Result<Option<(Bytes, Stamp)>, StoreError> {
        row::with_key_bytes(key, |bytes| {
            let found = self.snapshot.get(&self.rows, bytes).map_err(unreadable)?;
            found.map(|value| row::decode(bytes, &value)).transpose()
        })
    }

    /// The rows in `[lo, hi)`, both in one space.
    pub(super) fn range(
        &self,
        lo: &Key,
        hi: &Key,
    ) -> impl DoubleEndedIterator<Item = Result<Row, StoreError>> + use<> {
        let space = lo.space;
        let (lo, hi) = (row::key_bytes(lo), row::key_bytes(hi));
        let hi = hi.max(lo.clone()); // fjall's ranges must not be upside down
        self.snapshot.range(&self.rows, lo..hi).map(move |found| decode(space, found))
    }

    /// The keys of the rows in `[lo, hi)`.
    pub(super) fn keys(&self, lo: &Key, hi: &Key) -> impl Iterator<Item = Result<Key, StoreError>> + use<> {
        let space = lo.space;
        let (lo, hi) = (row::key_bytes(lo), row::key_bytes(hi));
        let hi = hi.max(lo.clone());
        let keys = self.snapshot.range(&self.rows, lo..hi);
        keys.map(move |found| Ok(row::key_of(space, &found.key().map_err(unreadable)?)))
    }

    /// The engine's own rows whose key begins with `first`.
    pub(super) fn own(&self, first: u8) -> impl Iterator<Item = Result<(Slice, Slice), StoreError>> + use<> {
        self.snapshot.prefix(&self.rows, [first]).map(|found| found.into_inner().map_err(unreadable))
    }

    /// Answers one read.
    pub(super) fn answer(&self, read: &Read) -> Result<Rows, StoreError> {
        match read {
            Read::Get(key) => {
                let found = self.get(key)?.map(|(value, stamp)| Row { key: key.clone(), value, stamp });
                Ok(Rows { rows: found.into_iter().collect(), more: false })
            }
            Read::Range { lo, hi, limit, bytes, reverse: false } => {
                crate::read::bounded(self.range(lo, hi), *limit, *bytes)
            }
            Read::Range { lo, hi, limit, bytes, reverse: true } => {
                crate::read::bounded(self.range(lo, hi).rev(), *limit, *bytes)
            }
        }
    }
}

fn decode(space: Space, found: Guard) -> Result<Row, StoreError> {
    let (key, value) = found.into_inner().map_err(unreadable)?;
    let (value, stamp) = row::decode(&key, &value)?;
    Ok(Row { key: row::key_of(space, &key), value, stamp })
}

/// fjall's reading errors: checksums of its own blocks, or the operating system's refusal.
pub(super) fn unreadable(error: fjall::Error) -> StoreError {
    match error {
        fjall::Error::Io(error) => StoreError::Unavailable(format!("reading failed: {error}")),
        error => StoreError::Corrupt(error.to_string()),
    }
}
