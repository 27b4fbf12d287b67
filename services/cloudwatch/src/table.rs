//! The records that CloudWatch keeps, and their keys.

use pagoda_base::{AccountId, Region};
use pagoda_store::{Key, KeyBuilder, Record, Space, Table};
use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::series::SeriesId;

/// A metric: a name with its dimensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Series {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Sorted by name.
    pub(crate) dimensions: Vec<(String, String)>,
    /// When a point was last written, to the hour, in seconds since 1970.
    pub(crate) seen_seconds: i64,
}

/// What was observed in a period; several rows of one period are parts of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) unit: String,
    pub(crate) aggregate: Aggregate,
}

/// A period whose points are to be merged, and to be told to the next coarser resolution.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Unsettled {
    pub(crate) series: SeriesId,
    pub(crate) resolution: i64,
    pub(crate) start: i64,
}

pub(crate) const SERIES: Table<Series> = Table::new(Space::Meta);
pub(crate) const POINTS: Table<Point> = Table::new(Space::Log);
pub(crate) const UNSETTLED: Table<Unsettled> = Table::new(Space::Queue);

impl Record for Series {
    const KIND: &str = "cloudwatch.series";
    const VERSION: u8 = 1;
}

impl Record for Point {
    const KIND: &str = "cloudwatch.point";
    const VERSION: u8 = 1;
}

impl Record for Unsettled {
    const KIND: &str = "cloudwatch.unsettled";
    const VERSION: u8 = 1;
}

/// The prefix of an account's series.
pub(crate) fn all_series(account: AccountId, region: &Region) -> Key {
    SERIES.key().text(account.as_str()).text(region.as_str()).done()
}

pub(crate) fn series(account: AccountId, region: &Region, series: &Series, id: &SeriesId) -> Key {
    KeyBuilder::under(&all_series(account, region))
        .text(&series.namespace)
        .text(&series.name)
        .bytes(&id.0)
        .done()
}

/// The prefix of a series' points of one resolution, in seconds.
pub(crate) fn points(id: &SeriesId, resolution: i64) -> Key {
    POINTS.key().bytes(&id.0).i64(resolution).done()
}

/// The prefix of the points of one period.
pub(crate) fn points_at(id: &SeriesId, resolution: i64, start: i64) -> Key {
    KeyBuilder::under(&points(id, resolution)).i64(start).done()
}

/// In the order in which they are due.
pub(crate) fn unsettled(due: i64, entry: &Unsettled) -> Key {
    UNSETTLED.key().i64(due).i64(entry.resolution).i64(entry.start).bytes(&entry.series.0).done()
}

/// The bounds of the points that begin in `[from, to)`, in seconds since 1970.
pub(crate) fn between(id: &SeriesId, resolution: i64, from: i64, to: i64) -> (Key, Key) {
    (points_at(id, resolution, from), points_at(id, resolution, to))
}
