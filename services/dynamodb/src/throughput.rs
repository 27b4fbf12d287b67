//! Provisioned throughput: a bucket of capacity units per table and direction, filled every second and
//! holding what was left unused for up to five minutes.
//!
//! Invariant: tables without provisioned throughput are never counted.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;

use crate::generated as g;
use crate::known::Open;

const BURST_SECONDS: f64 = 300.0;

/// Which of a table's two buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    /// Read capacity.
    Read,
    /// Write capacity.
    Write,
}

/// The buckets of all tables with provisioned throughput, by the tables' ids.
#[derive(Default)]
pub(crate) struct Buckets(Mutex<HashMap<(String, Direction), Bucket>>);

struct Bucket {
    units: f64,
    at: Timestamp,
}

impl Buckets {
    /// Lets a request through while the bucket is not empty. What it costs is known, and taken, later.
    ///
    /// # Errors
    /// `ProvisionedThroughputExceededException`.
    pub(crate) fn admit(&self, table: &Open, direction: Direction, now: Timestamp) -> Result<(), ApiError> {
        if self.take(table, direction, 0.0, now) > 0.0 {
            return Ok(());
        }
        let message = "The level of configured provisioned throughput for the table was exceeded. Consider \
                       increasing your provisioning level with the UpdateTable API.";
        Err(g::ProvisionedThroughputExceededException::new(message).into())
    }

    /// Takes what a request cost; the bucket may owe units for a while.
    pub(crate) fn spend(&self, table: &Open, direction: Direction, units: f64, now: Timestamp) {
        self.take(table, direction, units, now);
    }

    /// Drops the buckets of a table that is gone.
    pub(crate) fn forget(&self, id: &str) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.retain(|(table, _), _| table != id);
    }

    fn take(&self, table: &Open, direction: Direction, units: f64, now: Timestamp) -> f64 {
        let Some(throughput) = table.record.throughput else { return f64::INFINITY };
        let rate = match direction {
            Direction::Read => throughput.read,
            Direction::Write => throughput.write,
        } as f64;
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (table.record.id.clone(), direction);
        let bucket = buckets.entry(key).or_insert(Bucket { units: rate * BURST_SECONDS, at: now });
        let seconds = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.units = (bucket.units + seconds * rate).min(rate * BURST_SECONDS) - units;
        bucket.at = bucket.at.max(now);
        bucket.units
    }
}
