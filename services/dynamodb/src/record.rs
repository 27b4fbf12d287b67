//! The records that DynamoDB keeps, and their keys. Items have their own form, [`crate::codec`].

use std::collections::BTreeMap;

use pagoda_base::Timestamp;
use pagoda_store::{Key, KeyBuilder, Record, Space, StoreError};
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::stream::Latest;
use crate::value::Type;

/// A table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// A UUID: it tells apart tables that had the same name one after the other.
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) hash: KeyAttribute,
    pub(crate) range: Option<KeyAttribute>,
    /// Nothing for `PAY_PER_REQUEST`.
    pub(crate) throughput: Option<Throughput>,
    pub(crate) deletion_protection: bool,
    pub(crate) tags: BTreeMap<String, String>,
    /// When the billing mode was last chosen.
    pub(crate) billed: Timestamp,
    /// The newest stream.
    pub(crate) stream: Option<Latest>,
}

/// [`Table`] before there were streams.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TableV1 {
    name: String,
    id: String,
    created: Timestamp,
    hash: KeyAttribute,
    range: Option<KeyAttribute>,
    throughput: Option<Throughput>,
    deletion_protection: bool,
    tags: BTreeMap<String, String>,
}

/// An attribute of the primary key: its type is S, N or B.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyAttribute {
    pub(crate) name: String,
    pub(crate) kind: Type,
}

/// Provisioned capacity units per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Throughput {
    pub(crate) read: i64,
    pub(crate) write: i64,
    pub(crate) since: Timestamp,
}

/// How much was in a table when it was last counted; keyed by the table's id.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) items: i64,
    pub(crate) bytes: i64,
    pub(crate) counted: Timestamp,
}

/// The items of a table that is gone, waiting to be cleared away.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Garbage {
    pub(crate) id: String,
}

pub(crate) const TABLES: pagoda_store::Table<Table> = pagoda_store::Table::new(Space::Meta);
pub(crate) const COUNTS: pagoda_store::Table<Count> = pagoda_store::Table::new(Space::Meta);
pub(crate) const GARBAGE: pagoda_store::Table<Garbage> = pagoda_store::Table::new(Space::Queue);

impl Record for TableV1 {
    const KIND: &str = "dynamodb.table";
    const VERSION: u8 = 1;
}

impl Record for Table {
    const KIND: &str = "dynamodb.table";
    const VERSION: u8 = 2;

    fn migrate(version: u8, body: &[u8]) -> Result<Self, StoreError> {
        TableV1::read(version, body).map(|old| Self {
            name: old.name,
            id: old.id,
            created: old.created,
            hash: old.hash,
            range: old.range,
            throughput: old.throughput,
            deletion_protection: old.deletion_protection,
            tags: old.tags,
            billed: old.created,
            stream: None,
        })
    }
}

impl Record for Count {
    const KIND: &str = "dynamodb.count";
    const VERSION: u8 = 1;
}

impl Record for Garbage {
    const KIND: &str = "dynamodb.garbage";
    const VERSION: u8 = 1;
}

/// The prefix of the tables of an account in a region.
pub(crate) fn tables(place: &Place) -> Key {
    TABLES.key().text(place.account.as_str()).text(place.region.as_str()).done()
}

/// The key of a table.
pub(crate) fn table(place: &Place) -> Key {
    KeyBuilder::under(&tables(place)).text(&place.name).done()
}

/// The key of a table's count.
pub(crate) fn count(id: &str) -> Key {
    COUNTS.key().text(id).done()
}

/// The key of a garbage row.
pub(crate) fn garbage(id: &str) -> Key {
    GARBAGE.key().text(id).done()
}

/// The prefix of a table's items.
pub(crate) fn items(id: &str) -> Key {
    KeyBuilder::new(Space::Data).text("dynamodb.item").text(id).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_one_still_decodes() {
        let stored = br#"\x01{"name":"t","id":"i","created":"2026-01-01T00:00:00Z","hash":{"name":"id","kind":"S"},"range":null,"throughput":null,"deletion_protection":true,"tags":{}}"#;
        let stored = [&[1], &stored[4..]].concat();
        let table = Table::decode(&stored).unwrap();
        assert!(table.deletion_protection && table.stream.is_none() && table.billed == table.created);
    }
}
