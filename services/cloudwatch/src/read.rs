//! The points of a metric over a time, from the resolution that has them.

use std::collections::BTreeMap;

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::limits::RANGE_BYTES_MAX;
use pagoda_store::{Key, Read, Record};

use crate::CloudWatch;
use crate::aggregate::{Aggregate, merge_into};
use crate::put::invalid;
use crate::settle::RESOLUTIONS;
use crate::table::Series;
use crate::table::{self, Point};

const ROWS_AT_ONCE: u32 = 2_000;
const HOUR_SECONDS: i64 = 3_600;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;
/// The longest period, in seconds.
const PERIOD_SECONDS_MAX: i64 = 7 * DAY_SECONDS;

/// What is asked: periods of this length, beginning at `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) period: i64,
}

impl Window {
    /// The window between two moments; the start is rounded down as far as the data of its age is.
    ///
    /// # Errors
    /// `InvalidParameterValue` for a period that cannot be answered.
    pub(crate) fn new(
        operation: &str,
        start: i64,
        end: i64,
        period: i32,
        now: i64,
    ) -> Result<Self, ApiError> {
        let period = i64::from(period);
        if end <= start {
            let message = "The parameter StartTime must be less than the parameter EndTime.";
            return Err(invalid(message));
        }
        if [1, 5, 10, 20, 30].contains(&period) {
            return Err(ApiError::not_implemented(operation, "Period (of less than 60 seconds)"));
        }
        let finest = finest(start, now);
        if period <= 0 || period % 60 != 0 || period > PERIOD_SECONDS_MAX {
            let message =
                format!("The parameter Period must be a multiple of 60 of at most {PERIOD_SECONDS_MAX}.");
            return Err(invalid(message));
        }
        if period % finest != 0 {
            let message = format!(
                "The parameter Period must be a multiple of {finest} for a StartTime that far in the past."
            );
            return Err(invalid(message));
        }
        Ok(Self { start: start - start.rem_euclid(finest), end, period })
    }

    /// How many periods there are.
    pub(crate) fn periods(&self) -> i64 {
        (self.end - self.start + self.period - 1) / self.period
    }
}

/// The finest resolution, in seconds, that is left of what is as old as `start`.
fn finest(start: i64, now: i64) -> i64 {
    let kept = RESOLUTIONS.iter().find(|(_, days)| start >= now - days * DAY_SECONDS);
    kept.map_or(HOUR_SECONDS, |(seconds, _)| *seconds)
}

/// By the start of its period and its unit.
pub(crate) type Periods = BTreeMap<(i64, String), Aggregate>;

impl CloudWatch {
    /// What was observed of `series` in each period of the window.
    pub(crate) async fn periods(
        &self,
        cx: &Context,
        series: &Series,
        window: Window,
    ) -> Result<Periods, ApiError> {
        let id = series.id(cx.account, &cx.region);
        let mut found: BTreeMap<(i64, String), Option<Aggregate>> = BTreeMap::new();
        for (resolution, from, to) in parts(window, cx.now.as_second()) {
            self.each_point(&table::between(&id, resolution, from, to), |key, point| {
                let Some(start) = start_in(&key) else { return };
                let start = start - (start - window.start).rem_euclid(window.period);
                merge_into(found.entry((start, point.unit)).or_default(), &point.aggregate);
            })
            .await?;
        }
        Ok(found.into_iter().filter_map(|(place, aggregate)| Some((place, aggregate?))).collect())
    }

    /// Shows all points in a range of keys.
    pub(crate) async fn each_point(
        &self,
        range: &(Key, Key),
        mut visit: impl FnMut(Key, Point),
    ) -> Result<(), ApiError> {
        let (mut lo, hi) = range.clone();
        loop {
            let (limit, bytes, reverse) = (ROWS_AT_ONCE, RANGE_BYTES_MAX, false);
            let read = Read::Range { lo, hi: hi.clone(), limit, bytes, reverse };
            let found = self.store().rows(read).await?;
            let next = found.rows.last().filter(|_| found.more).map(|row| row.key.successor());
            for row in found.rows {
                let point = Point::decode(&row.value)?;
                visit(row.key, point);
            }
            match next {
                Some(next) => lo = next,
                None => return Ok(()),
            }
        }
    }
}

/// Which resolution answers for which time: the coarsest that fits, and minutes for what is not settled yet.
fn parts(window: Window, now: i64) -> Vec<(i64, i64, i64)> {
    let Window { start, end, period } = window;
    let settled = now - now.rem_euclid(HOUR_SECONDS) - HOUR_SECONDS;
    let fits = |resolution: i64| period % resolution == 0 && start % resolution == 0;
    let coarse = RESOLUTIONS.iter().rev().map(|(seconds, _)| *seconds).find(|seconds| fits(*seconds));
    let coarse = coarse.unwrap_or(60);
    // A period that is cut off by the end of the window is not answered by a coarser point.
    let cut = settled.min(end - (end - start).rem_euclid(period)).max(start);
    if coarse == 60 { vec![(60, start, end)] } else { vec![(coarse, start, cut), (60, cut, end)] }
}

fn start_in(key: &Key) -> Option<i64> {
    use pagoda_store::tuple::{Element, decode};
    match decode(&key.bytes).ok()?.get(3)? {
        Element::I64(start) => Some(*start),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarsest_resolution_answers_for_what_is_settled() {
        let now = 1_000 * HOUR_SECONDS + 1_800;
        let hour = |n: i64| n * HOUR_SECONDS;
        let check = |start, end, period, expected: &[(i64, i64, i64)]| {
            assert_eq!(parts(Window { start, end, period }, now), expected);
        };
        check(hour(990), hour(1001), 3_600, &[(3_600, hour(990), hour(999)), (60, hour(999), hour(1001))]);
        check(hour(990), hour(1001), 60, &[(60, hour(990), hour(1001))]);
        check(hour(990) + 60, hour(1001), 3_600, &[(60, hour(990) + 60, hour(1001))]);
        check(hour(990), hour(998), 7_200, &[(3_600, hour(990), hour(998)), (60, hour(998), hour(998))]);
        check(hour(1000), hour(1001), 300, &[(300, hour(1000), hour(1000)), (60, hour(1000), hour(1001))]);
    }

    #[test]
    fn old_data_has_long_periods() {
        let now = 1_000 * DAY_SECONDS;
        let check =
            |days: i64, period| Window::new("Get", now - days * DAY_SECONDS, now, period, now).is_ok();
        assert!(check(1, 60) && check(20, 300) && check(100, 3_600));
        assert!(!check(1, 61) && !check(20, 60) && !check(100, 300) && !check(1, 0) && !check(0, 60));
    }
}
