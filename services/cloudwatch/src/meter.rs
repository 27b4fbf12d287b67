//! What the platform's own services observe: gathered in memory, written once a minute.
//!
//! Invariants: recording locks one metric for some nanoseconds; what could not be written is gathered
//! again, and merged, so that it needs no more room; there are at most [`SERIES_MAX`] meters.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pagoda_base::Clock;
use pagoda_protocol::ApiError;
use pagoda_service::ports::{Meter, MetricName, RecordMetric};

use crate::CloudWatch;
use crate::aggregate::Aggregate;
use crate::put::Observed;
use crate::series::SERIES_MAX;
use crate::table::Series;

const MINUTE_SECONDS: i64 = 60;
/// Minutes that wait for a store that does not answer; the oldest are given up.
const MINUTES_MAX: usize = 15;

/// All meters.
pub(crate) struct Meters {
    clock: Arc<dyn Clock>,
    all: Mutex<HashMap<MetricName, Arc<Gauge>>>,
}

/// One metric's observations that are not written yet.
struct Gauge {
    clock: Arc<dyn Clock>,
    /// By the start of their minute, in order.
    pending: Mutex<Vec<(i64, Aggregate)>>,
}

/// What a meter had pending.
struct Taken {
    name: MetricName,
    gauge: Arc<Gauge>,
    pending: Vec<(i64, Aggregate)>,
}

impl Gauge {
    fn pending(&self) -> MutexGuard<'_, Vec<(i64, Aggregate)>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_back(&self, minute: i64, aggregate: &Aggregate) {
        let mut pending = self.pending();
        match pending.iter_mut().find(|(start, _)| *start == minute) {
            Some((_, present)) => present.merge(aggregate),
            None => pending.insert(0, (minute, aggregate.clone())),
        }
    }
}

impl Meter for Gauge {
    fn record(&self, value: f64) {
        let now = self.clock.now().as_second();
        let minute = now - now.rem_euclid(MINUTE_SECONDS);
        let mut pending = self.pending();
        match pending.last_mut() {
            Some((start, aggregate)) if *start == minute => aggregate.add(value, 1.0),
            _ => {
                if pending.len() >= MINUTES_MAX {
                    pending.remove(0);
                }
                pending.push((minute, Aggregate::of(value, 1.0)));
            }
        }
    }
}

impl Meters {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, all: Mutex::default() }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<MetricName, Arc<Gauge>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all that is pending, and lets go of meters that nobody holds any more.
    fn take(&self) -> Vec<Taken> {
        let mut taken = Vec::new();
        self.all().retain(|name, gauge| {
            let pending = std::mem::take(&mut *gauge.pending());
            let is_used = Arc::strong_count(gauge) > 1 || !pending.is_empty();
            if !pending.is_empty() {
                taken.push(Taken { name: name.clone(), gauge: Arc::clone(gauge), pending });
            }
            is_used
        });
        taken
    }
}

impl RecordMetric for CloudWatch {
    fn meter(&self, metric: MetricName) -> Arc<dyn Meter> {
        let new = || Arc::new(Gauge { clock: self.meters.clock.clone(), pending: Mutex::default() });
        let mut all = self.meters.all();
        if all.len() >= SERIES_MAX && !all.contains_key(&metric) {
            tracing::warn!(?metric, "too many metrics; this one is not kept");
            return new();
        }
        all.entry(metric).or_insert_with(new).clone()
    }
}

impl CloudWatch {
    /// Writes what was recorded.
    pub(crate) async fn flush(&self) -> Result<(), ApiError> {
        let taken = self.meters.take();
        let mut by_owner: HashMap<_, Vec<Observed>> = HashMap::new();
        for Taken { name, pending, .. } in &taken {
            let of_owner = by_owner.entry((name.account, name.region.clone())).or_default();
            for dimensions in &name.dimensions {
                let dimensions = dimensions.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
                let series = Arc::new(Series::new(name.namespace, name.name, dimensions.collect()));
                of_owner.extend(pending.iter().map(|(start, aggregate)| Observed {
                    series: Arc::clone(&series),
                    start: *start,
                    unit: name.unit.to_owned(),
                    aggregate: aggregate.clone(),
                }));
            }
        }
        for ((account, region), observed) in by_owner {
            if let Err(error) = self.write((account, &region), &observed).await {
                let own = |taken: &&Taken| taken.name.account == account && taken.name.region == region;
                for Taken { gauge, pending, .. } in taken.iter().filter(own) {
                    pending.iter().for_each(|(start, aggregate)| gauge.put_back(*start, aggregate));
                }
                return Err(error);
            }
        }
        Ok(())
    }
}
