//! What a service measures, kept for the test to look at.

use std::sync::{Arc, Mutex, PoisonError};

use pagoda_service::ports::{Meter, MetricName, RecordMetric};

/// Keeps what is measured: `{name} {values of the dimensions}` and each value, once for each set of dimensions.
#[derive(Clone, Default)]
pub struct Measured(Arc<Mutex<Vec<(String, f64)>>>);

struct MeasuredOne(Measured, MetricName);

impl Measured {
    /// The values that were recorded, in their order, under this name and these dimensions.
    pub fn of(&self, name: &str) -> Vec<f64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|(known, _)| known == name).map(|(_, value)| *value).collect()
    }
}

impl RecordMetric for Measured {
    fn meter(&self, metric: MetricName) -> Arc<dyn Meter> {
        Arc::new(MeasuredOne(self.clone(), metric))
    }
}

impl Meter for MeasuredOne {
    fn record(&self, value: f64) {
        for set in &self.1.dimensions {
            let values: Vec<_> = set.iter().map(|(_, value)| value.as_str()).collect();
            let name = format!("{} {}", self.1.name, values.join(" "));
            self.0.0.lock().unwrap_or_else(PoisonError::into_inner).push((name.trim_end().to_owned(), value));
        }
    }
}
