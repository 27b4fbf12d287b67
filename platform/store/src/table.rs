//! Records of one kind, under keys that begin with the kind's name.

use std::marker::PhantomData;

use crate::limits::RANGE_BYTES_MAX;
use crate::tuple::KeyBuilder;
use crate::{Commit, Key, Read, Record, Row, Space, Stamp, Store, StoreError};

/// Records that are read at once where all are wanted.
const ROWS_AT_ONCE: u32 = 1_000;

/// The records of a kind. It holds no data: declare it as a constant.
pub struct Table<R> {
    space: Space,
    records: PhantomData<fn() -> R>,
}

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<R> {
    /// Where.
    pub key: Key,
    /// What.
    pub record: R,
    /// Since which commit.
    pub stamp: Stamp,
}

/// Some records of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<R> {
    /// In the order of their keys.
    pub items: Vec<Stored<R>>,
    /// The key to go on after, if there are more.
    pub next: Option<Key>,
}

impl<R: Record> Table<R> {
    /// The kind's table in a space.
    pub const fn new(space: Space) -> Self {
        Self { space, records: PhantomData }
    }

    /// Begins a key of this table.
    pub fn key(&self) -> KeyBuilder {
        KeyBuilder::new(self.space).text(R::KIND)
    }

    /// The record at `key`.
    pub async fn get(&self, store: &dyn Store, key: &Key) -> Result<Option<Stored<R>>, StoreError> {
        let Some(found) = store.get(key).await? else { return Ok(None) };
        let record = R::decode(&found.value)?;
        Ok(Some(Stored { key: key.clone(), record, stamp: found.stamp }))
    }

    /// Adds to `commit`: the record is written, whatever was there.
    pub fn put(&self, commit: Commit, key: &Key, record: &R) -> Result<Commit, StoreError> {
        Ok(commit.put(key.clone(), record.encode()?))
    }

    /// Adds to `commit`: the record is written if there is none at `key`.
    pub fn create(&self, commit: Commit, key: &Key, record: &R) -> Result<Commit, StoreError> {
        self.put(commit.absent(key.clone()), key, record)
    }

    /// Adds to `commit`: the record is written if the one there still is the one that was read.
    pub fn replace(&self, commit: Commit, key: &Key, read: Stamp, record: &R) -> Result<Commit, StoreError> {
        self.put(commit.at(key.clone(), read), key, record)
    }

    /// Adds to `commit`: the record is removed if it still is the one that was read.
    pub fn remove(&self, commit: Commit, stored: &Stored<R>) -> Commit {
        commit.at(stored.key.clone(), stored.stamp).delete(stored.key.clone())
    }

    /// Up to `limit` records under `prefix` (a key of this table without its last elements), behind `after`.
    pub async fn scan(
        &self,
        store: &dyn Store,
        prefix: &Key,
        after: Option<&Key>,
        limit: u32,
    ) -> Result<Page<R>, StoreError> {
        let (first, hi) = prefix.prefix_range();
        let lo = after.map_or(first.clone(), |key| key.successor().max(first));
        let read = Read::Range { lo, hi, limit, bytes: RANGE_BYTES_MAX, reverse: false };
        let found = store.rows(read).await?;
        let items = found.rows.into_iter().map(stored).collect::<Result<Vec<_>, _>>()?;
        let next = items.last().filter(|_| found.more).map(|last| last.key.clone());
        Ok(Page { items, next })
    }

    /// All records under `prefix`, in the order of their keys. For kinds of which a quota bounds the number
    /// under one prefix: all of them are in memory at once.
    pub async fn all(&self, store: &dyn Store, prefix: &Key) -> Result<Vec<R>, StoreError> {
        Ok(self.all_stored(store, prefix).await?.into_iter().map(|stored| stored.record).collect())
    }

    /// [`Table::all`], each record with its key.
    pub async fn all_stored(&self, store: &dyn Store, prefix: &Key) -> Result<Vec<Stored<R>>, StoreError> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.scan(store, prefix, after.as_ref(), ROWS_AT_ONCE).await?;
            found.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }
}

fn stored<R: Record>(row: Row) -> Result<Stored<R>, StoreError> {
    Ok(Stored { record: R::decode(&row.value)?, key: row.key, stamp: row.stamp })
}
