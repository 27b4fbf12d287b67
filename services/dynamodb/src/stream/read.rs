//! The port through which streams are read.

use async_trait::async_trait;
use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_service::ports::{Position, ReadStream, StreamRecord, StreamRecords, StreamShard, TableStream};
use pagoda_store::tuple::{self, Element};
use pagoda_store::{Key, KeyBuilder, Read, Row, Space, Stored as StoredRecord, Watch};

use super::record::{self, Stored};
use super::sequence::Sequence;
use super::{RETENTION, STREAMS, Stream, StreamPlace, log, sweep, topic};
use crate::DynamoDb;

/// What one answer holds, in bytes of rows. AWS answers 1 MB.
const ANSWER_BYTES: u32 = 1024 * 1024;
const RECORDS_MAX: u32 = 1_000;

#[async_trait]
impl ReadStream for DynamoDb {
    async fn stream(&self, arn: &str) -> Result<Option<TableStream>, ApiError> {
        let Some(place) = StreamPlace::parse(arn) else { return Ok(None) };
        let found = STREAMS.get(self.store(), &place.key()).await?;
        Ok(found.map(|stored| described(&place, &stored)))
    }

    async fn streams(
        &self,
        cx: &Context,
        table: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<TableStream>, bool), ApiError> {
        let mut prefix = STREAMS.key().text(cx.account.as_str()).text(cx.region.as_str());
        if let Some(table) = table {
            prefix = prefix.text(table);
        }
        let after = after.and_then(StreamPlace::parse).map(|place| place.key());
        let page = STREAMS.scan(self.store(), &prefix.done(), after.as_ref(), limit).await?;
        let described = |stored: &StoredRecord<Stream>| {
            let (account, region) = (cx.account, cx.region.clone());
            let (table, label) = (stored.record.table.clone(), stored.record.label.clone());
            self::described(&StreamPlace { account, region, table, label }, stored)
        };
        Ok((page.items.iter().map(described).collect(), page.next.is_some()))
    }

    async fn latest(&self) -> Result<String, ApiError> {
        Ok(Sequence::last(self.store().stable(Space::Log).await?).text())
    }

    async fn at_time(&self, arn: &str, shard: &str, time: Timestamp) -> Result<Option<String>, ApiError> {
        let mut position = Position::Oldest;
        loop {
            let page = ReadStream::read(self, arn, shard, &position, RECORDS_MAX).await?;
            if let Some(found) = page.records.iter().find(|record| record.created >= time) {
                return Ok(Some(found.sequence.clone()));
            }
            match page.records.last() {
                Some(last) if page.more => position = Position::After(last.sequence.clone()),
                _ => return Ok(None),
            }
        }
    }

    async fn read(
        &self,
        arn: &str,
        shard: &str,
        position: &Position,
        limit: u32,
    ) -> Result<StreamRecords, ApiError> {
        let place = StreamPlace::parse(arn).ok_or_else(|| missing(arn))?;
        let stream = STREAMS.get(self.store(), &place.key()).await?.ok_or_else(|| missing(arn))?;
        let number = (0..stream.record.shards).find(|number| shard_id(&stream.record, *number) == shard);
        let number = number.ok_or_else(|| missing_shard(arn, shard))?;
        let prefix = log(&stream.record.table_id, &stream.record.label, number);
        let mut lo = self.first_key(&prefix, position).await?;
        let hi =
            KeyBuilder::under(&prefix).stamp(self.store().stable(Space::Log).await?).done().prefix_range().1;
        let mut answer = StreamRecords::default();
        while lo < hi {
            // One row more than records, in case the last one's old image is apart.
            let limit = limit.min(RECORDS_MAX) + 1;
            let read =
                Read::Range { lo: lo.clone(), hi: hi.clone(), limit, bytes: ANSWER_BYTES, reverse: false };
            let found = self.store().rows(read).await?;
            let last = found.rows.last().map(|row| row.key.successor());
            answer = self.records(&stream.record, &place, found.rows, limit as usize - 1).await?;
            answer.more |= found.more;
            match last {
                // They were all too old to be shown.
                Some(last) if answer.more && answer.records.is_empty() => lo = last,
                _ => break,
            }
        }
        answer.ended = stream.record.closed.is_some() && !answer.more;
        Ok(answer)
    }

    fn watch(&self, arn: &str, shard: &str) -> Watch {
        let place = StreamPlace::parse(arn);
        let (table, label) = place.map(|place| (place.table, place.label)).unwrap_or_default();
        let number = shard.rsplit('-').next().and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.store().watch(topic(&table, &label, number.unwrap_or_default()))
    }
}

impl DynamoDb {
    /// The first key that `position` allows.
    async fn first_key(&self, prefix: &Key, position: &Position) -> Result<Key, ApiError> {
        let (text, part) = match position {
            Position::Oldest => return Ok(prefix.prefix_range().0),
            Position::At(text) => (text, 0),
            Position::After(text) => (text, 0xff),
        };
        let at = Sequence::parse(text).ok_or_else(|| ApiError::validation("Invalid SequenceNumber"))?;
        let is_gone = |trimmed| at.stamp < trimmed || (at.stamp == trimmed && part == 0);
        if sweep::trimmed(self.store(), prefix).await?.is_some_and(is_gone) {
            let message = "The operation attempted to read past the oldest stream record in a shard.";
            return Err(ApiError::new("TrimmedDataAccessException", 400, message));
        }
        let mut bytes = KeyBuilder::under(prefix).stamp(at.stamp).done().bytes.to_vec();
        bytes.extend_from_slice(&record::tail(at.place, part));
        Ok(Key::raw(prefix.space, bytes))
    }

    async fn records(
        &self,
        stream: &Stream,
        place: &StreamPlace,
        rows: Vec<Row>,
        limit: usize,
    ) -> Result<StreamRecords, ApiError> {
        let oldest = self.clock.now() - RETENTION;
        let mut answer = StreamRecords::default();
        let mut rows = rows.into_iter().peekable();
        while let Some(row) = rows.next() {
            if answer.records.len() == limit {
                answer.more = true;
                break;
            }
            let sequence = sequence_of(&row.key)?;
            let mut stored = Stored::decode(&row.value)?;
            if stored.old_follows {
                let old = match rows.next() {
                    Some(row) => row.value,
                    None => self.next_row(&row.key).await?,
                };
                stored = stored.with_old(old);
            }
            if stored.created < oldest {
                continue;
            }
            let body = stored.body(stream, place.region.as_str(), sequence)?;
            let (created, group) = (stored.created, stored.group);
            answer.records.push(StreamRecord { sequence: sequence.text(), created, group, body });
        }
        Ok(answer)
    }

    /// The row behind `key`, which belongs to the same record.
    async fn next_row(&self, key: &Key) -> Result<bytes::Bytes, ApiError> {
        let at = sequence_of(key)?;
        let mut bytes = key.bytes[..key.bytes.len() - record::tail(0, 0).len()].to_vec();
        bytes.extend_from_slice(&record::tail(at.place, 1));
        let found = self.store().get(&Key::raw(key.space, bytes)).await?;
        Ok(found.ok_or_else(ApiError::internal)?.value)
    }
}

fn sequence_of(key: &Key) -> Result<Sequence, ApiError> {
    match tuple::decode(&key.bytes).map_err(|_| ApiError::internal())?.as_slice() {
        [.., Element::Stamp(stamp), Element::U64(tail)] => {
            Ok(Sequence { stamp: *stamp, place: (tail >> 8) as u16 })
        }
        _ => Err(ApiError::internal()),
    }
}

fn described(place: &StreamPlace, stored: &StoredRecord<Stream>) -> TableStream {
    let stream = &stored.record;
    let first = stream.closed.map_or(stored.stamp, |(_, started)| started);
    let shard = |number| StreamShard {
        id: shard_id(stream, number),
        first: Sequence::first(first).text(),
        last: stream.closed.map(|_| Sequence::last(stored.stamp).text()),
    };
    TableStream {
        arn: place.arn(),
        label: stream.label.clone(),
        table: stream.table.clone(),
        view: stream.view.as_generated().as_str(),
        enabled: stream.closed.is_none(),
        created: stream.created,
        keys: std::iter::once(&stream.hash).chain(&stream.range).map(|key| key.name.clone()).collect(),
        shards: (0..stream.shards).map(shard).collect(),
    }
}

fn shard_id(stream: &Stream, number: u32) -> String {
    format!("shardId-{:020}-{number:08x}", stream.created.as_millisecond())
}

fn missing(arn: &str) -> ApiError {
    let message = format!("Requested resource not found: Stream: {arn} not found");
    ApiError::new("ResourceNotFoundException", 400, message)
}

fn missing_shard(arn: &str, shard: &str) -> ApiError {
    let message = format!("Requested resource not found: Shard does not exist: {shard} of {arn}");
    ApiError::new("ResourceNotFoundException", 400, message)
}
