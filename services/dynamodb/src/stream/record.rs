//! A change of an item as it is stored: a header, the keys, and the images that the view shows.
//!
//! One row: version, kind of change, flags, time, group, keys, then the images, each behind its length. An old
//! image that would make the row too large is in a row of its own, directly behind.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use pagoda_base::Timestamp;
use pagoda_protocol::{ApiError, to_json};
use pagoda_store::{Commit, KeyBuilder, Op, Space, StoreError};
use serde_json::{Map, Value, json};

use super::sequence::Sequence;
use super::{Stream, log, topic};
use crate::codec;
use crate::known::Open;
use crate::value::{Item, item_size};

const VERSION: u8 = 1;
/// Up to this many bytes, both images share a row.
const ROW_BYTES: usize = 512 * 1024;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Insert,
    Modify,
    Remove,
}

/// A record as it is stored.
#[derive(Debug)]
pub(super) struct Stored {
    change: Change,
    pub(super) created: Timestamp,
    pub(super) group: u32,
    keys: Item,
    new: Option<Bytes>,
    old: Option<Bytes>,
    /// The old image is in the next row.
    pub(super) old_follows: bool,
}

/// Adds a record to the commit of a write, if the table has a stream and the item has changed.
///
/// # Errors
/// When a stored item can't be read.
pub(crate) fn record(
    mut commit: Commit,
    table: &Open,
    old: Option<&Bytes>,
    new: Option<&Bytes>,
    now: Timestamp,
) -> Result<Commit, ApiError> {
    // Those before it in the same commit.
    let place = commit.ops.iter().filter(|op| matches!(op, Op::Append { .. })).count() as u16;
    let Some(stream) = table.stream() else { return Ok(commit) };
    let (change, item) = match (old, new) {
        (None, Some(new)) => (Change::Insert, new),
        (Some(old), Some(new)) if old != new => (Change::Modify, new),
        (Some(old), None) => (Change::Remove, old),
        _ => return Ok(commit),
    };
    let keys = table.key_of(&codec::decode(item)?);
    let group = keys.get(&table.record.hash.name).map_or(0, |hash| table.spread_of(hash));
    let new = new.filter(|_| stream.view.has_new());
    let old = old.filter(|_| stream.view.has_old());
    let apart = new.map_or(0, Bytes::len) + old.map_or(0, Bytes::len) > ROW_BYTES;
    let apart = old.filter(|_| apart && new.is_some());
    let parts = [Some(&codec::encode(&keys)), new, old.filter(|_| apart.is_none())];
    let row = encode(change, apart.is_some(), now, group, parts);
    let shard = ((u64::from(group) * u64::from(stream.shards)) >> 32) as u32;
    let prefix = log(&table.record.id, &stream.label, shard);
    commit = commit.append(prefix.clone(), tail(place, 0), row).hint(topic(
        &table.record.name,
        &stream.label,
        shard,
    ));
    if let Some(old) = apart {
        commit = commit.append(prefix, tail(place, 1), old.clone());
    }
    Ok(commit)
}

fn encode(
    change: Change,
    old_follows: bool,
    now: Timestamp,
    group: u32,
    parts: [Option<&Bytes>; 3],
) -> Bytes {
    let mut row = BytesMut::new();
    row.put_u8(VERSION);
    row.put_u8(change as u8);
    row.put_u8(u8::from(old_follows));
    row.put_i64(now.as_second());
    row.put_u32(group);
    for part in parts {
        row.put_u32(part.map_or(0, |part| part.len() as u32));
        row.extend_from_slice(part.map_or(&[], |part| part));
    }
    row.freeze()
}

/// What follows the stamp in the keys of a record's rows: its place in the commit, and which row.
pub(super) fn tail(place: u16, part: u64) -> Bytes {
    KeyBuilder::new(Space::Log).u64(u64::from(place) << 8 | part).done().bytes
}

impl Stored {
    pub(super) fn decode(row: &Bytes) -> Result<Self, StoreError> {
        read(row.clone()).ok_or_else(|| StoreError::Corrupt("a stream record".into()))
    }

    /// The old image was in a row of its own.
    pub(super) fn with_old(mut self, old: Bytes) -> Self {
        self.old = Some(old);
        self
    }

    /// The record as DynamoDB Streams answers it.
    pub(super) fn body(&self, stream: &Stream, region: &str, at: Sequence) -> Result<Value, ApiError> {
        let image = |bytes: &Option<Bytes>| bytes.as_ref().map(codec::decode).transpose();
        let (new, old) = (image(&self.new)?, image(&self.old)?);
        let size = item_size(&self.keys) + [&new, &old].into_iter().flatten().map(item_size).sum::<usize>();
        let mut dynamodb = Map::new();
        dynamodb.insert("ApproximateCreationDateTime".into(), self.created.as_second().into());
        let images = [("Keys", Some(&self.keys)), ("NewImage", new.as_ref()), ("OldImage", old.as_ref())];
        for (name, item) in images {
            if let Some(item) = item {
                dynamodb.insert(name.into(), attributes(item));
            }
        }
        dynamodb.insert("SequenceNumber".into(), at.text().into());
        dynamodb.insert("SizeBytes".into(), size.into());
        dynamodb.insert("StreamViewType".into(), stream.view.as_generated().as_str().into());
        let name = match self.change {
            Change::Insert => "INSERT",
            Change::Modify => "MODIFY",
            Change::Remove => "REMOVE",
        };
        Ok(json!({
            "eventID": event_id(stream, at), "eventName": name, "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": region, "dynamodb": dynamodb,
        }))
    }
}

fn attributes(item: &Item) -> Value {
    item.iter().map(|(name, value)| (name.clone(), to_json(value))).collect::<Map<_, _>>().into()
}

/// The same whenever the record is read, and no other record's.
fn event_id(stream: &Stream, at: Sequence) -> String {
    let table = crate::key::spread(stream.table_id.as_bytes());
    format!("{:032x}", u128::from(table) << 96 | at.number())
}

fn read(mut row: Bytes) -> Option<Stored> {
    if row.len() < 15 || row.get_u8() != VERSION {
        return None;
    }
    let change = match row.get_u8() {
        0 => Change::Insert,
        1 => Change::Modify,
        2 => Change::Remove,
        _ => return None,
    };
    let old_follows = row.get_u8() != 0;
    let created = Timestamp::from_second(row.get_i64()).ok()?;
    let group = row.get_u32();
    let keys = codec::decode(&take(&mut row)?).ok()?;
    let mut image = || take(&mut row).map(|bytes| Some(bytes).filter(|bytes| !bytes.is_empty()));
    let (new, old) = (image()?, image()?);
    Some(Stored { change, created, group, keys, new, old, old_follows })
}

fn take(row: &mut Bytes) -> Option<Bytes> {
    let bytes = (row.len() >= 4).then(|| row.get_u32())? as usize;
    (bytes <= row.len()).then(|| row.split_to(bytes))
}
