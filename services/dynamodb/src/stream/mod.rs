//! Streams: what happened to the items of a table, in its order, for a day.
//!
//! ```text
//! write::change ──► record (in the commit of the item) ──► Space::Log ──► read ──► DynamoDB Streams, Lambda
//! ```
//!
//! Invariants: a record and its write are one commit; the sequence number is the commit's stamp, so that the
//! records of an item are in the order of its writes; a write that changes nothing leaves no record; a stream
//! outlives the table and its own end until its records are a day old.
//!
//! A stream has a fixed number of shards, over which partition keys are spread. AWS splits and replaces shards
//! as load comes and goes; here none is ever replaced, so none has a parent.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>

mod read;
mod record;
mod sequence;
mod specification;
mod sweep;

use pagoda_base::{AccountId, Arn, Region, SignedDuration, Timestamp};
use pagoda_protocol::ApiError;
use pagoda_store::{Commit, Key, KeyBuilder, Record, Space, Stamp, Store, StoreError, Topic};
use serde::{Deserialize, Serialize};

use crate::generated as g;
use crate::place::Place;
use crate::record::{KeyAttribute, Table};

pub(crate) use record::record;
pub(crate) use specification::wanted;

/// Shards of a new stream.
const SHARDS: u32 = 4;
/// How long records are kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// What a table's record says of its newest stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Latest {
    pub(crate) label: String,
    pub(crate) view: View,
    pub(crate) enabled: bool,
    pub(crate) shards: u32,
}

/// What the records show of the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum View {
    /// Nothing but their keys.
    Keys,
    /// As they are afterwards.
    New,
    /// As they were before.
    Old,
    /// Both.
    Both,
}

/// A stream, enabled or not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stream {
    pub(crate) table: String,
    pub(crate) table_id: String,
    pub(crate) label: String,
    pub(crate) view: View,
    pub(crate) hash: KeyAttribute,
    pub(crate) range: Option<KeyAttribute>,
    pub(crate) shards: u32,
    pub(crate) created: Timestamp,
    /// When it was disabled, and the stamp at which it had been made.
    pub(crate) closed: Option<(Timestamp, Stamp)>,
}

pub(crate) const STREAMS: pagoda_store::Table<Stream> = pagoda_store::Table::new(Space::Meta);

impl Record for Stream {
    const KIND: &str = "dynamodb.stream";
    const VERSION: u8 = 1;
}

impl View {
    pub(crate) fn of(wanted: g::StreamViewType) -> Self {
        match wanted {
            g::StreamViewType::KeysOnly => Self::Keys,
            g::StreamViewType::NewImage => Self::New,
            g::StreamViewType::OldImage => Self::Old,
            g::StreamViewType::NewAndOldImages => Self::Both,
        }
    }

    pub(crate) fn as_generated(self) -> g::StreamViewType {
        match self {
            Self::Keys => g::StreamViewType::KeysOnly,
            Self::New => g::StreamViewType::NewImage,
            Self::Old => g::StreamViewType::OldImage,
            Self::Both => g::StreamViewType::NewAndOldImages,
        }
    }

    fn has_new(self) -> bool {
        matches!(self, Self::New | Self::Both)
    }

    fn has_old(self) -> bool {
        matches!(self, Self::Old | Self::Both)
    }
}

/// Where a stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamPlace {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) table: String,
    pub(crate) label: String,
}

impl StreamPlace {
    pub(crate) fn of(place: &Place, label: &str) -> Self {
        let (account, region) = (place.account, place.region.clone());
        Self { account, region, table: place.name.clone(), label: label.to_owned() }
    }

    /// Reads `arn:aws:dynamodb:…:table/T/stream/LABEL`.
    pub(crate) fn parse(arn: &str) -> Option<Self> {
        let arn: Arn = arn.parse().ok().filter(|arn: &Arn| arn.service == "dynamodb")?;
        let (table, label) = arn.resource.strip_prefix("table/")?.split_once("/stream/")?;
        Some(Self {
            account: arn.account_id()?,
            region: arn.region.parse().ok()?,
            table: table.to_owned(),
            label: label.to_owned(),
        })
    }

    pub(crate) fn arn(&self) -> String {
        let resource = format!("table/{}/stream/{}", self.table, self.label);
        Arn::regional("dynamodb", &self.region, self.account, resource).to_string()
    }

    fn key(&self) -> Key {
        let builder = STREAMS.key().text(self.account.as_str()).text(self.region.as_str());
        builder.text(&self.table).text(&self.label).done()
    }
}

/// The prefix of a shard's records.
fn log(table_id: &str, label: &str, shard: u32) -> Key {
    let builder = KeyBuilder::new(Space::Log).text("dynamodb.stream-record").text(table_id).text(label);
    builder.u64(shard.into()).done()
}

/// What those are told who wait for records of a shard.
fn topic(table: &str, label: &str, shard: u32) -> Topic {
    Topic::new(format!("dynamodb.stream/{table}/{label}/{shard:08x}"))
}

/// Adds a new stream of `table` to the commit that writes its record.
pub(crate) fn open(
    commit: Commit,
    place: &Place,
    table: &mut Table,
    view: View,
    now: Timestamp,
) -> Result<Commit, StoreError> {
    let label = now.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string();
    let stream = Stream {
        table: table.name.clone(),
        table_id: table.id.clone(),
        label: label.clone(),
        view,
        hash: table.hash.clone(),
        range: table.range.clone(),
        shards: SHARDS,
        created: now,
        closed: None,
    };
    let key = StreamPlace::of(place, &label).key();
    table.stream = Some(Latest { label, view, enabled: true, shards: SHARDS });
    STREAMS.create(commit, &key, &stream)
}

/// Adds the end of the table's stream, if it is enabled, to the commit that writes or removes its record.
pub(crate) async fn close(
    store: &dyn Store,
    commit: Commit,
    place: &Place,
    table: &mut Table,
    now: Timestamp,
) -> Result<Commit, ApiError> {
    let Some(latest) = table.stream.as_mut().filter(|latest| latest.enabled) else { return Ok(commit) };
    latest.enabled = false;
    let key = StreamPlace::of(place, &latest.label).key();
    let Some(stored) = STREAMS.get(store, &key).await? else { return Ok(commit) };
    let closed = Stream { closed: Some((now, stored.stamp)), ..stored.record };
    let topics = (0..closed.shards).map(|shard| topic(&closed.table, &closed.label, shard));
    let commit = topics.fold(commit, Commit::hint);
    Ok(STREAMS.replace(commit, &key, stored.stamp, &closed)?)
}
