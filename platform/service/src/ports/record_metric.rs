//! Observations for CloudWatch, from within the platform.

use std::sync::Arc;

use pagoda_base::{AccountId, Region};

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MetricName {
    /// Whose metric it is.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// Such as `AWS/Lambda`.
    pub namespace: &'static str,
    /// Such as `Invocations`.
    pub name: &'static str,
    /// Names and values, at most 30: the metric is kept once for each of these sets.
    pub dimensions: Vec<Vec<(&'static str, String)>>,
    /// Such as `Count`.
    pub unit: &'static str,
}

/// One metric, resolved: keep it and record into it. Recording takes no allocation and never waits for I/O.
pub trait Meter: Send + Sync {
    /// Notes one observation, now.
    fn record(&self, value: f64);
}

/// Keeps metrics.
pub trait RecordMetric: Send + Sync {
    /// The meter of a metric; the same one for as long as somebody holds it.
    fn meter(&self, metric: MetricName) -> Arc<dyn Meter>;
}
