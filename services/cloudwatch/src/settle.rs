//! What becomes of points: the parts of a period are merged, coarser points are made from finer ones, and
//! what is past its retention goes. Idempotent; takes no input.
//!
//! Source of the retention: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html>

use std::collections::BTreeMap;

use pagoda_protocol::ApiError;
use pagoda_store::limits::RANGE_BYTES_MAX;
use pagoda_store::{Commit, Key, KeyBuilder, Outcome, Read, Record, Space, Stored};

use crate::CloudWatch;
use crate::aggregate::{Aggregate, merge_into};
use crate::series::id_in;
use crate::table::{self, POINTS, Point, SERIES, UNSETTLED, Unsettled};

/// The resolutions in seconds, with how many days their points are kept.
pub(crate) const RESOLUTIONS: [(i64, i64); 3] = [(60, 15), (300, 63), (3_600, 455)];
/// How long a period stays open for what comes late, in seconds.
const GRACE_SECONDS: i64 = 120;
/// A period that gets points long after its end is settled this much later, in seconds.
const LATE_SECONDS: i64 = 60;
const DAY_SECONDS: i64 = 24 * 3_600;
const ENTRIES_AT_ONCE: u32 = 200;

/// When a period is to be settled: the same moment for all that is written to it in a while.
pub(crate) fn due(entry: &Unsettled, now: i64) -> i64 {
    let late = now - now.rem_euclid(LATE_SECONDS) + LATE_SECONDS;
    late.max(entry.start + entry.resolution + GRACE_SECONDS)
}

impl CloudWatch {
    pub(crate) async fn flush_and_settle(&self) {
        // What fails now is done by the next run; it is told once, here.
        if let Err(error) = self.catch_up().await {
            tracing::warn!(%error, "metrics wait to be written");
        }
    }

    /// Writes what was recorded and settles what is due, so that every resolution can answer.
    pub(crate) async fn catch_up(&self) -> Result<(), ApiError> {
        self.flush().await?;
        let now = self.clock.now().as_second();
        // Once more for each resolution that the one before made due.
        for _ in RESOLUTIONS {
            self.settle(now).await?;
        }
        Ok(())
    }

    async fn settle(&self, now: i64) -> Result<(), ApiError> {
        let (mut lo, _) = UNSETTLED.key().done().prefix_range();
        let hi = UNSETTLED.key().i64(now + 1).done();
        loop {
            let (limit, bytes, reverse) = (ENTRIES_AT_ONCE, RANGE_BYTES_MAX, false);
            let found = self.store().rows(Read::Range { lo, hi: hi.clone(), limit, bytes, reverse }).await?;
            let next = found.rows.last().filter(|_| found.more).map(|last| last.key.successor());
            for row in found.rows {
                let record = Unsettled::decode(&row.value)?;
                self.settle_one(&Stored { record, key: row.key, stamp: row.stamp }, now).await?;
            }
            match next {
                Some(next) => lo = next,
                None => return Ok(()),
            }
        }
    }

    async fn settle_one(&self, stored: &Stored<Unsettled>, now: i64) -> Result<(), ApiError> {
        let entry = &stored.record;
        let place = RESOLUTIONS.iter().position(|(seconds, _)| *seconds == entry.resolution).unwrap_or(0);
        let finer = RESOLUTIONS[place.saturating_sub(1)].0;
        let from = table::between(&entry.series, finer, entry.start, entry.start + entry.resolution);
        let (parts, merged) = self.merged(&from).await?;
        let mut commit = Commit::new();
        let own = table::points_at(&entry.series, entry.resolution, entry.start);
        if place == 0 && parts.len() == merged.len() {
            // One part for each unit: it is merged already.
        } else {
            let old = match place {
                0 => parts,
                _ => {
                    POINTS.all_stored(self.store(), &own).await?.into_iter().map(|point| point.key).collect()
                }
            };
            commit = old.into_iter().fold(commit, |commit, key| commit.delete(key));
            for (index, (unit, aggregate)) in (0..).zip(merged) {
                let tail = KeyBuilder::new(Space::Log).u64(index).into_bytes();
                commit = commit.append(own.clone(), tail, Point { unit, aggregate }.encode()?);
            }
        }
        if let Some((coarser, _)) = RESOLUTIONS.get(place + 1) {
            let start = entry.start - entry.start.rem_euclid(*coarser);
            let next = Unsettled { series: entry.series, resolution: *coarser, start };
            let due = now.max(start + coarser + GRACE_SECONDS);
            commit = UNSETTLED.put(commit, &table::unsettled(due, &next), &next)?;
        }
        // Should somebody have written to the period meanwhile, the entry stays for the next run.
        let commit = UNSETTLED.remove(commit, stored);
        match self.store().commit(commit).await? {
            Outcome::CheckFailed { .. } => Ok(()),
            outcome => Ok(outcome.done().map(drop)?),
        }
    }

    /// The rows of `range`, and what they are together, by unit.
    async fn merged(&self, range: &(Key, Key)) -> Result<(Vec<Key>, BTreeMap<String, Aggregate>), ApiError> {
        let (mut keys, mut units) = (Vec::new(), BTreeMap::<String, Option<Aggregate>>::new());
        self.each_point(range, |key, point| {
            merge_into(units.entry(point.unit).or_default(), &point.aggregate);
            keys.push(key);
        })
        .await?;
        let units = units.into_iter().filter_map(|(unit, aggregate)| Some((unit, aggregate?)));
        Ok((keys, units.collect()))
    }

    /// Removes what is past its retention.
    pub(crate) async fn expire(&self) {
        if let Err(error) = self.try_expire().await {
            tracing::warn!(%error, "old metrics wait to be removed");
        }
    }

    async fn try_expire(&self) -> Result<(), ApiError> {
        let now = self.clock.now().as_second();
        let (_, days_max) = RESOLUTIONS[RESOLUTIONS.len() - 1];
        let mut after: Option<Key> = None;
        loop {
            let page = SERIES.scan(self.store(), &SERIES.key().done(), after.as_ref(), 100).await?;
            for stored in &page.items {
                let Some(id) = id_in(&stored.key) else { continue };
                for (resolution, days) in RESOLUTIONS {
                    let (lo, hi) = table::between(&id, resolution, i64::MIN, now - days * DAY_SECONDS);
                    self.store().clear_in_steps(lo, hi, &Commit::new()).await?;
                }
                if stored.record.seen_seconds < now - days_max * DAY_SECONDS {
                    self.known.forget(&id);
                    let _ = self.store().commit(SERIES.remove(Commit::new(), stored)).await?;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }
}
