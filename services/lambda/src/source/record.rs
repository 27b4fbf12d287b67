//! The records of event source mappings, and their keys.

use std::collections::BTreeMap;

use pagoda_base::{AccountId, Region, Timestamp};
use pagoda_store::{Key, KeyBuilder, Record, Space, Table};
use serde::{Deserialize, Serialize};

use super::settings::Settings;

/// A mapping.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Mapping {
    pub(crate) uuid: String,
    /// The ARN of the stream.
    pub(crate) source: String,
    /// The function's ARN as it is invoked, with a qualifier if one was given.
    pub(crate) function: String,
    pub(crate) settings: Settings,
    pub(crate) start: Start,
    pub(crate) enabled: bool,
    pub(crate) modified: Timestamp,
    pub(crate) tags: BTreeMap<String, String>,
}

/// Where the first record is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Start {
    Oldest,
    /// Behind this sequence number, which was the last one when the mapping was made.
    Latest(String),
}

/// What came of the last batch; keyed by the mapping's UUID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Processed {
    pub(crate) result: String,
}

/// That a function follows a source already.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pair {
    pub(crate) uuid: String,
}

pub(crate) const MAPPINGS: Table<Mapping> = Table::new(Space::Meta);
pub(crate) const PROCESSED: Table<Processed> = Table::new(Space::Meta);
pub(crate) const PAIRS: Table<Pair> = Table::new(Space::Index);

impl Record for Mapping {
    const KIND: &str = "lambda.event-source-mapping";
    const VERSION: u8 = 1;
}

impl Record for Processed {
    const KIND: &str = "lambda.event-source-processed";
    const VERSION: u8 = 1;
}

impl Record for Pair {
    const KIND: &str = "lambda.event-source-pair";
    const VERSION: u8 = 1;
}

/// The prefix of the mappings of an account in a region.
pub(crate) fn mappings(account: AccountId, region: &Region) -> Key {
    MAPPINGS.key().text(account.as_str()).text(region.as_str()).done()
}

pub(crate) fn mapping(account: AccountId, region: &Region, uuid: &str) -> Key {
    KeyBuilder::under(&mappings(account, region)).text(uuid).done()
}

pub(crate) fn processed(uuid: &str) -> Key {
    PROCESSED.key().text(uuid).done()
}

pub(crate) fn pair(function: &str, source: &str) -> Key {
    PAIRS.key().text(function).text(source).done()
}
