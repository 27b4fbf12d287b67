//! Amazon CloudWatch: what services and applications measure, by the minute.
//!
//! ```text
//! Meter::record ──► pending, in memory ──flush──► points of a minute ──settle──► 5 minutes ──► 1 hour
//! PutMetricData ─────────────────────────────────►
//! ```
//!
//! Invariants: recording inside the process never waits for the store; a point is merged from all that was
//! written for its minute, so that writing never reads; coarser points are made anew from finer ones, so
//! that settling can be repeated; the number of series is bounded.

mod access;
mod aggregate;
mod data;
pub mod generated;
mod list;
mod meter;
mod page;
mod put;
mod read;
mod series;
mod settle;
mod sketch;
mod statistic;
mod statistics;
mod table;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pagoda_base::Clock;
use pagoda_protocol::ApiError;
use pagoda_service::{Access, Background, Context, Nudge, Ownership, Service, operations};
use pagoda_store::Store;

use crate::meter::Meters;
use crate::series::Known;

/// How often what was recorded is written.
const FLUSH_PERIOD: Duration = Duration::from_secs(60);
/// How often what is past its retention is looked for.
const EXPIRE_PERIOD: Duration = Duration::from_secs(3600);

/// The CloudWatch service.
pub struct CloudWatch {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    known: Known,
    meters: Meters,
}

impl CloudWatch {
    /// Metrics over `store`.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let meters = Meters::new(clock.clone());
        Arc::new(Self { store, clock, known: Known::default(), meters })
    }

    /// Registers the writing of what was recorded, and the care for what was written.
    pub fn run(self: &Arc<Self>, background: &mut Background) {
        let metrics = Arc::clone(self);
        background.every(FLUSH_PERIOD, Nudge::default(), move || {
            let metrics = Arc::clone(&metrics);
            async move { metrics.flush_and_settle().await }
        });
        let metrics = Arc::clone(self);
        background.every(EXPIRE_PERIOD, Nudge::default(), move || {
            let metrics = Arc::clone(&metrics);
            async move { metrics.expire().await }
        });
    }

    /// Writes what was recorded since. Call it before the store is closed.
    pub async fn close(&self) {
        if let Err(error) = self.flush().await {
            tracing::warn!(%error, "the last metrics were not written");
        }
    }

    /// Does at once what the background does from time to time.
    pub async fn maintain(&self) {
        self.flush_and_settle().await;
        self.expire().await;
    }

    fn store(&self) -> &dyn Store {
        &*self.store
    }
}

operations!(CloudWatch {
    GetMetricData => data::get, on access::data_read;
    GetMetricStatistics => statistics::get, on access::statistics_read;
    ListMetrics => list::list, on access::listed;
    PutMetricData => put::put, on access::written;
});

#[async_trait]
impl Service for CloudWatch {
    /// PutMetricData's limit.
    const BODY_BYTES_MAX: usize = 1024 * 1024;

    async fn ownership(&self, cx: &Context, _access: &Access) -> Result<Ownership, ApiError> {
        Ok(Ownership::of(cx.account))
    }
}
