//! The records that CloudWatch Logs keeps, and their keys.

use pagoda_base::Timestamp;
use pagoda_store::{Key, KeyBuilder, Record, Space, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::Scope;
use crate::tag::Tags;

/// A log group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) retention_days: Option<i32>,
    /// Since version 2.
    #[serde(default)]
    pub(crate) tags: Tags,
}

/// A log stream. Its `incarnation` is part of its events' keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) incarnation: String,
    pub(crate) created: Timestamp,
    pub(crate) first_event_millis: Option<i64>,
    pub(crate) last_event_millis: Option<i64>,
    pub(crate) last_ingestion_millis: Option<i64>,
}

/// One event, keyed by its incarnation and time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) message: String,
    pub(crate) ingestion_millis: i64,
}

/// The events of a stream that is gone, waiting to be cleared away.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Garbage {
    pub(crate) incarnation: String,
}

pub(crate) const GROUPS: Table<Group> = Table::new(Space::Meta);
pub(crate) const STREAMS: Table<Stream> = Table::new(Space::Meta);
pub(crate) const EVENTS: Table<Event> = Table::new(Space::Log);
pub(crate) const GARBAGE: Table<Garbage> = Table::new(Space::Queue);

impl Record for Group {
    const KIND: &str = "logs.group";
    const VERSION: u8 = 2;

    /// The first version is this one without tags.
    fn migrate(_version: u8, body: &[u8]) -> Result<Self, StoreError> {
        Self::read(Self::VERSION, body)
    }
}

impl Record for Stream {
    const KIND: &str = "logs.stream";
    const VERSION: u8 = 1;
}

impl Record for Event {
    const KIND: &str = "logs.event";
    const VERSION: u8 = 1;
}

impl Record for Garbage {
    const KIND: &str = "logs.garbage";
    const VERSION: u8 = 1;
}

pub(crate) fn groups(scope: &Scope) -> Key {
    GROUPS.key().text(scope.account.as_str()).text(scope.region.as_str()).done()
}

pub(crate) fn group(scope: &Scope, name: &str) -> Key {
    KeyBuilder::under(&groups(scope)).text(name).done()
}

pub(crate) fn streams(scope: &Scope, group: &str) -> Key {
    STREAMS.key().text(scope.account.as_str()).text(scope.region.as_str()).text(group).done()
}

pub(crate) fn stream(scope: &Scope, group: &str, name: &str) -> Key {
    KeyBuilder::under(&streams(scope, group)).text(name).done()
}

/// The prefix of a stream's events.
pub(crate) fn events(incarnation: &str) -> Key {
    EVENTS.key().text(incarnation).done()
}

/// The prefix of a stream's events at one millisecond; the store's stamp tells them apart.
pub(crate) fn events_at(incarnation: &str, millis: i64) -> Key {
    EVENTS.key().text(incarnation).i64(millis).done()
}

pub(crate) fn garbage(incarnation: &str) -> Key {
    GARBAGE.key().text(incarnation).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_the_first_version_has_no_tags() {
        let stored = b"\x01{\"name\":\"g\",\"created\":\"2026-11-22T00:00:00Z\",\"retention_days\":7}";
        let group = Group::decode(stored).unwrap();
        assert_eq!((group.name.as_str(), group.retention_days), ("g", Some(7)));
        assert!(group.tags.is_empty());
    }
}
