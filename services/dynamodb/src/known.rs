//! Tables in memory, so that no request on an item has to read its table's record.
//!
//! Invariants: what is written under a table carries [`Open::fence`], so a stale entry here can never write;
//! whoever changes a record forgets it here afterwards, and a record read before that is not remembered.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use pagoda_store::{Commit, Key, Stamp, Store, StoreError};

use crate::place::Place;
use crate::record::{self, KeyAttribute, TABLES, Table};
use crate::stream::Latest;

/// Tables remembered at most; then all are forgotten and read anew.
const TABLES_MAX: usize = 10_000;

/// A table as it was read.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) place: Place,
    pub(crate) key: Key,
    pub(crate) stamp: Stamp,
    pub(crate) record: Table,
    /// The prefix of its items.
    pub(crate) items: Key,
}

/// The tables that were read so far.
#[derive(Default)]
pub(crate) struct Known(ArcSwap<Tables>);

#[derive(Default, Clone)]
struct Tables {
    generation: u64,
    by_key: HashMap<Key, Arc<Open>>,
}

impl Open {
    /// Lets a commit happen only while the table is as it was read.
    pub(crate) fn fence(&self) -> Commit {
        Commit::new().at(self.key.clone(), self.stamp)
    }

    /// The stream that its writes go to.
    pub(crate) fn stream(&self) -> Option<&Latest> {
        self.record.stream.as_ref().filter(|stream| stream.enabled)
    }

    /// The attributes of the primary key.
    pub(crate) fn key_attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.record.hash).chain(&self.record.range)
    }
}

impl Known {
    /// The table at `place`, if there is one.
    pub(crate) async fn open(
        &self,
        store: &dyn Store,
        place: &Place,
    ) -> Result<Option<Arc<Open>>, StoreError> {
        let key = record::table(place);
        let tables = self.0.load();
        if let Some(open) = tables.by_key.get(&key) {
            return Ok(Some(Arc::clone(open)));
        }
        let generation = tables.generation;
        drop(tables);
        let Some(stored) = TABLES.get(store, &key).await? else { return Ok(None) };
        let open = Arc::new(Open {
            place: place.clone(),
            key: key.clone(),
            stamp: stored.stamp,
            items: record::items(&stored.record.id),
            record: stored.record,
        });
        self.0.rcu(|tables| {
            let mut tables = Tables::clone(tables);
            if tables.by_key.len() >= TABLES_MAX {
                tables.by_key.clear();
            }
            if tables.generation == generation {
                tables.by_key.insert(key.clone(), Arc::clone(&open));
            }
            tables
        });
        Ok(Some(open))
    }

    /// Forgets a table whose record has changed.
    pub(crate) fn forget(&self, key: &Key) {
        self.0.rcu(|tables| {
            let mut tables = Tables::clone(tables);
            tables.generation += 1;
            tables.by_key.remove(key);
            tables
        });
    }
}
