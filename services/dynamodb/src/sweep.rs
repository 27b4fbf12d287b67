//! Background: clears away the items of deleted tables and old records of streams, and counts what is left.

use pagoda_base::SignedDuration;
use pagoda_protocol::ApiError;
use pagoda_store::{Commit, Key, Outcome, Read, Stored};

use crate::record::{self, COUNTS, Count, GARBAGE, TABLES, Table};
use crate::{DynamoDb, codec};

/// Tables up to this many items are counted by every run, larger ones as often as DynamoDB does.
const SMALL_ITEMS: i64 = 10_000;
const LARGE_PERIOD: SignedDuration = SignedDuration::from_hours(6);
const PAGE: u32 = 100;
const ROWS_AT_ONCE: u32 = 1_000;

impl DynamoDb {
    pub(crate) async fn sweep(&self) {
        // What fails now is done by the next run; requests never depend on it.
        if let Err(error) = self.clear_garbage().await {
            tracing::warn!(%error, "deleted tables could not be cleared away");
        }
        if let Err(error) = self.sweep_streams().await {
            tracing::warn!(%error, "streams could not be trimmed");
        }
        if let Err(error) = self.forget_tokens().await {
            tracing::warn!(%error, "tokens of transactions could not be removed");
        }
        if let Err(error) = self.count_tables().await {
            tracing::warn!(%error, "tables could not be counted");
        }
    }

    async fn clear_garbage(&self) -> Result<(), ApiError> {
        loop {
            let page = GARBAGE.scan(self.store(), &GARBAGE.key().done(), None, PAGE).await?;
            for stored in &page.items {
                let (lo, hi) = record::items(&stored.record.id).prefix_range();
                self.store().clear_in_steps(lo, hi, &Commit::new()).await?;
                self.store().commit(GARBAGE.remove(Commit::new(), stored)).await?.done()?;
            }
            if page.next.is_none() {
                return Ok(());
            }
        }
    }

    async fn count_tables(&self) -> Result<(), ApiError> {
        let mut after: Option<Key> = None;
        loop {
            let page = TABLES.scan(self.store(), &TABLES.key().done(), after.as_ref(), PAGE).await?;
            for stored in &page.items {
                self.count_table(stored).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn count_table(&self, table: &Stored<Table>) -> Result<(), ApiError> {
        let key = record::count(&table.record.id);
        let now = self.clock.now();
        let last = COUNTS.get(self.store(), &key).await?.map(|stored| stored.record);
        if last
            .is_some_and(|last| last.items > SMALL_ITEMS && now.duration_since(last.counted) < LARGE_PERIOD)
        {
            return Ok(());
        }
        let (items, bytes) = self.count_items(&table.record.id).await?;
        if last.is_some_and(|last| (last.items, last.bytes) == (items, bytes) && items <= SMALL_ITEMS) {
            return Ok(());
        }
        // A table that was deleted or changed meanwhile is counted, if at all, by the next run.
        let fenced = Commit::new().at(table.key.clone(), table.stamp);
        match self.store().commit(COUNTS.put(fenced, &key, &Count { items, bytes, counted: now })?).await? {
            Outcome::CheckFailed { .. } => Ok(()),
            outcome => Ok(outcome.done().map(drop)?),
        }
    }

    async fn count_items(&self, id: &str) -> Result<(i64, i64), ApiError> {
        let (mut lo, hi) = record::items(id).prefix_range();
        let (mut items, mut bytes) = (0, 0);
        loop {
            let limit = pagoda_store::limits::RANGE_BYTES_MAX;
            let read = Read::Range {
                lo: lo.clone(),
                hi: hi.clone(),
                limit: ROWS_AT_ONCE,
                bytes: limit,
                reverse: false,
            };
            let found = self.store().rows(read).await?;
            for row in &found.rows {
                items += 1;
                bytes += codec::size(&row.value)? as i64;
            }
            match found.rows.last() {
                Some(last) if found.more => lo = last.key.successor(),
                _ => return Ok((items, bytes)),
            }
        }
    }
}
