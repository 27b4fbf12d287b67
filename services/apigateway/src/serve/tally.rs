//! How often keys are used: counted for their plans' quotas and for `GetUsage`.
//!
//! Invariants: a request is counted in the store before it passes, in portions; so a crash, or a restart,
//! counts up to a portion of requests that were not made, and never lets through more than a quota says.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Unit};
use pagoda_base::Timestamp;
use pagoda_service::Context;
use pagoda_store::{Commit, Key, KeyBuilder, Read, Store, StoreError};
use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use crate::table::{self, Period, Quota};

/// Tallies that are kept; one that made room is read again.
const TALLIES_MAX: usize = 10_000;
/// Requests that are counted at once, at the most.
const PORTION_MAX: i64 = 100;
/// Days that one range has at the most.
pub(crate) const DAYS_MAX: u32 = 400;
/// Far more than so many counters have.
const RANGE_BYTES_MAX: u32 = 1_000_000;

/// The tallies of all keys in memory.
pub(crate) struct Tallies(Cache<String, Arc<Mutex<Tally>>>);

/// How often a key of a plan was used.
#[derive(Default)]
struct Tally {
    /// The day and the beginning of the period that the numbers are of.
    of: Option<(Date, Date)>,
    /// In the period, before the day.
    before: i64,
    /// On the day, as it is in the store.
    today: i64,
    /// Of these, what has not been used yet.
    unused: i64,
}

impl Default for Tallies {
    fn default() -> Self {
        Self(Cache::new(TALLIES_MAX))
    }
}

impl Tallies {
    fn of(&self, prefix: &Key) -> Arc<Mutex<Tally>> {
        let name = prefix.bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let made = self.0.get_or_insert_with::<_, std::convert::Infallible>(&name, || Ok(Arc::default()));
        made.unwrap_or_else(|never| match never {})
    }

    /// Counts a request; false where the quota is used up.
    pub(crate) async fn count(
        &self,
        store: &dyn Store,
        cx: &Context,
        plan: &str,
        key: &str,
        quota: Option<Quota>,
    ) -> Result<bool, StoreError> {
        let prefix = table::usage(cx.account, &cx.region, plan, key);
        let tally = self.of(&prefix);
        let mut tally = tally.lock().await;
        tally.turn_to(store, &prefix, cx.now, quota).await?;
        let limit = quota.map(|quota| quota.limit);
        let left = limit.map_or(i64::MAX, |limit| limit - tally.used());
        if left <= 0 {
            return Ok(false);
        }
        if tally.unused == 0 {
            let portion = limit.map_or(PORTION_MAX, |limit| (limit / 100).clamp(1, PORTION_MAX)).min(left);
            store.commit(Commit::new().add(of_day(&prefix, day(cx.now)), portion)).await?.done()?;
            tally.today += portion;
            tally.unused += portion;
        }
        tally.unused -= 1;
        Ok(true)
    }

    /// Makes it so that `remaining` requests are left of the quota's period.
    pub(crate) async fn set_remaining(
        &self,
        store: &dyn Store,
        cx: &Context,
        (plan, key): (&str, &str),
        quota: Quota,
        remaining: i64,
    ) -> Result<(), StoreError> {
        let prefix = table::usage(cx.account, &cx.region, plan, key);
        let tally = self.of(&prefix);
        let mut tally = tally.lock().await;
        tally.turn_to(store, &prefix, cx.now, Some(quota)).await?;
        let change = (quota.limit - remaining) - tally.used();
        store.commit(Commit::new().add(of_day(&prefix, day(cx.now)), change)).await?.done()?;
        tally.today += change;
        Ok(())
    }

    /// Requests on each day from one to another, both included.
    pub(crate) async fn between(
        &self,
        store: &dyn Store,
        cx: &Context,
        (plan, key): (&str, &str),
        (from, to): (Date, Date),
    ) -> Result<Vec<(Date, i64)>, StoreError> {
        let prefix = table::usage(cx.account, &cx.region, plan, key);
        let mut days = read(store, &prefix, from, to).await?;
        let tally = self.of(&prefix);
        let tally = tally.lock().await;
        if let Some((today, _)) = tally.of {
            days.iter_mut().filter(|(day, _)| *day == today).for_each(|(_, used)| *used -= tally.unused);
        }
        Ok(days)
    }
}

impl Tally {
    fn used(&self) -> i64 {
        self.before + self.today - self.unused
    }

    /// Reads the numbers of the day, unless they are there.
    async fn turn_to(
        &mut self,
        store: &dyn Store,
        prefix: &Key,
        now: Timestamp,
        quota: Option<Quota>,
    ) -> Result<(), StoreError> {
        let today = day(now);
        let start = quota.map_or(today, |quota| start(today, quota));
        if self.of == Some((today, start)) {
            return Ok(());
        }
        let days = read(store, prefix, start, today).await?;
        let sum = |wanted: &dyn Fn(Date) -> bool| {
            days.iter().filter(|(day, _)| wanted(*day)).map(|(_, used)| used).sum::<i64>()
        };
        // What was counted ahead stays so where only the period is another.
        let unused = if self.of.is_some_and(|(day, _)| day == today) { self.unused } else { 0 };
        *self = Self {
            of: Some((today, start)),
            before: sum(&|day| day < today),
            today: sum(&|day| day == today),
            unused,
        };
        Ok(())
    }
}

/// The day in UTC.
pub(crate) fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// The first day of the quota's period in which a day is. Weeks begin on Sundays, and months on their first
/// days, so many days later as the quota says.
pub(crate) fn start(today: Date, quota: Quota) -> Date {
    let back = |days: i64| today.saturating_sub(days.days());
    match quota.period {
        Period::Day => today,
        Period::Week => {
            let since_sunday = i64::from(today.weekday().to_sunday_zero_offset());
            back((since_sunday - quota.offset_days).rem_euclid(7))
        }
        Period::Month => {
            let since_first = i64::from(today.day()) - 1;
            if since_first >= quota.offset_days {
                return back(since_first - quota.offset_days);
            }
            let before = today.first_of_month().saturating_sub(1.day()).first_of_month();
            before.saturating_add(quota.offset_days.days())
        }
    }
}

fn of_day(prefix: &Key, day: Date) -> Key {
    KeyBuilder::under(prefix).text(&day.to_string()).done()
}

async fn read(store: &dyn Store, prefix: &Key, from: Date, to: Date) -> Result<Vec<(Date, i64)>, StoreError> {
    let mut days = Vec::new();
    let span = from.until((Unit::Day, to)).map(|span| span.get_days()).unwrap_or_default();
    let hi = of_day(prefix, to).successor();
    let range =
        Read::Range { lo: of_day(prefix, from), hi, limit: DAYS_MAX, bytes: RANGE_BYTES_MAX, reverse: false };
    let rows = store.rows(range).await?.rows;
    for offset in 0..=i64::from(span) {
        let day = from.saturating_add(offset.days());
        let place = of_day(prefix, day);
        let used =
            rows.iter().find(|row| row.key == place).and_then(|row| row.value.as_ref().try_into().ok());
        days.push((day, used.map_or(0, i64::from_le_bytes)));
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_where_the_quota_says() {
        for (today, period, offset_days, expected) in [
            ("2026-01-15", Period::Day, 0, "2026-01-15"),
            // A Thursday.
            ("2026-01-15", Period::Week, 0, "2026-01-11"),
            ("2026-01-15", Period::Week, 4, "2026-01-15"),
            ("2026-01-15", Period::Week, 5, "2026-01-09"),
            ("2026-01-11", Period::Week, 0, "2026-01-11"),
            ("2026-01-15", Period::Month, 0, "2026-01-01"),
            ("2026-01-15", Period::Month, 14, "2026-01-15"),
            ("2026-01-15", Period::Month, 15, "2025-12-16"),
            ("2026-03-01", Period::Month, 27, "2026-02-28"),
        ] {
            let quota = Quota { limit: 1, offset_days, period };
            assert_eq!(start(today.parse().unwrap(), quota).to_string(), expected, "{today} {offset_days}");
        }
    }
}
