//! The records that EventBridge keeps, and their keys.

use std::collections::BTreeMap;

use pagoda_base::Timestamp;
use pagoda_store::{Key, KeyBuilder, Record, Space, Table};
use serde::{Deserialize, Serialize};

use crate::Scope;

pub(crate) type Tags = BTreeMap<String, String>;

/// A custom bus. The default one needs no record.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Bus {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
}

/// A rule with its targets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) schedule: Option<String>,
    pub(crate) pattern: Option<String>,
    pub(crate) is_enabled: bool,
    pub(crate) description: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) targets: Vec<Target>,
    /// When its tick is due, in seconds since 1970.
    pub(crate) next_seconds: Option<i64>,
}

/// What a rule invokes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) input: Input,
    pub(crate) retries: Option<i32>,
    pub(crate) age_seconds: Option<i32>,
}

/// What a target gets of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Input {
    Event,
    Constant(String),
    Path(String),
    Template { paths: BTreeMap<String, String>, template: String },
}

/// An event on its way to a target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) account: pagoda_base::AccountId,
    pub(crate) region: pagoda_base::Region,
    pub(crate) rule: String,
    pub(crate) rule_arn: String,
    pub(crate) target_arn: String,
    pub(crate) payload: String,
    pub(crate) tries: u32,
    pub(crate) retries_max: u32,
    /// When it is given up.
    pub(crate) expires: Timestamp,
}

/// A schedule's next firing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tick {
    pub(crate) account: pagoda_base::AccountId,
    pub(crate) region: pagoda_base::Region,
    pub(crate) bus: String,
    pub(crate) rule: String,
    pub(crate) due_seconds: i64,
}

pub(crate) const BUSES: Table<Bus> = Table::new(Space::Meta);
pub(crate) const RULES: Table<Rule> = Table::new(Space::Meta);
pub(crate) const DELIVERIES: Table<Delivery> = Table::new(Space::Queue);
pub(crate) const TICKS: Table<Tick> = Table::new(Space::Queue);

impl Record for Bus {
    const KIND: &str = "events.bus";
    const VERSION: u8 = 1;
}

impl Record for Rule {
    const KIND: &str = "events.rule";
    const VERSION: u8 = 1;
}

impl Record for Delivery {
    const KIND: &str = "events.delivery";
    const VERSION: u8 = 1;
}

impl Record for Tick {
    const KIND: &str = "events.tick";
    const VERSION: u8 = 1;
}

/// A bus of an account and region.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) scope: Scope,
    pub(crate) bus: String,
}

pub(crate) fn buses(scope: &Scope) -> Key {
    BUSES.key().text(scope.account.as_str()).text(scope.region.as_str()).done()
}

pub(crate) fn bus(place: &Place) -> Key {
    KeyBuilder::under(&buses(&place.scope)).text(&place.bus).done()
}

pub(crate) fn rules(place: &Place) -> Key {
    let Scope { account, region } = &place.scope;
    RULES.key().text(account.as_str()).text(region.as_str()).text(&place.bus).done()
}

pub(crate) fn rule(place: &Place, name: &str) -> Key {
    KeyBuilder::under(&rules(place)).text(name).done()
}

pub(crate) fn delivery(due: Timestamp, id: &str) -> Key {
    DELIVERIES.key().i64(due.as_millisecond()).text(id).done()
}

pub(crate) fn tick(tick: &Tick) -> Key {
    let key = TICKS.key().i64(tick.due_seconds).text(tick.account.as_str()).text(tick.region.as_str());
    key.text(&tick.bus).text(&tick.rule).done()
}

impl From<&Place> for Place {
    fn from(place: &Place) -> Self {
        place.clone()
    }
}
