//! What is kept of the observations of a period.

use serde::{Deserialize, Serialize};

use crate::sketch::Sketch;

/// Observations, summed up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Aggregate {
    /// How many; clients may weigh them, so it need not be whole.
    pub(crate) count: f64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// Nothing where observations were negative, or came without their values.
    pub(crate) sketch: Option<Sketch>,
}

impl Aggregate {
    /// `count` observations of `value`.
    pub(crate) fn of(value: f64, count: f64) -> Self {
        let mut sketch = Sketch::default();
        sketch.add(value, count);
        Self {
            count,
            sum: value * count,
            min: value,
            max: value,
            sketch: Some(sketch).filter(|_| value >= 0.0),
        }
    }

    /// Observations that somebody else summed up; their values are known only where they are all alike.
    pub(crate) fn of_set(count: f64, sum: f64, min: f64, max: f64) -> Self {
        let is_alike = count == 1.0 || min == max;
        let sketch = if is_alike { Self::of(min, count).sketch } else { None };
        Self { count, sum, min, max, sketch }
    }

    /// Adds `count` observations of `value`.
    pub(crate) fn add(&mut self, value: f64, count: f64) {
        self.count += count;
        self.sum += value * count;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        match &mut self.sketch {
            Some(sketch) if value >= 0.0 => sketch.add(value, count),
            _ => self.sketch = None,
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        match (&mut self.sketch, &other.sketch) {
            (Some(sketch), Some(other)) => sketch.merge(other),
            _ => self.sketch = None,
        }
    }

    /// The value below which `share` (0 to 1) of the observations are.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let found = self.sketch.as_ref()?.quantile(share)?;
        // What the extremes are is known exactly.
        Some(found.max(self.min).min(self.max))
    }
}

/// Adds `other` to what there may be.
pub(crate) fn merge_into(place: &mut Option<Aggregate>, other: &Aggregate) {
    match place {
        Some(aggregate) => aggregate.merge(other),
        None => *place = Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_are_exact() {
        let mut all = Aggregate::of(3.0, 1.0);
        all.add(100.0, 2.0);
        all.merge(&Aggregate::of(7.0, 1.0));
        assert_eq!((all.count, all.sum, all.min, all.max), (4.0, 210.0, 3.0, 100.0));
        assert_eq!((all.quantile(0.0), all.quantile(1.0)), (Some(3.0), Some(100.0)));
    }

    #[test]
    fn percentiles_need_values_that_are_not_negative() {
        let mut negative = Aggregate::of(1.0, 1.0);
        negative.add(-1.0, 1.0);
        let set = Aggregate::of_set(2.0, 3.0, 1.0, 2.0);
        let alike = Aggregate::of_set(2.0, 4.0, 2.0, 2.0);
        assert_eq!((negative.quantile(0.5), set.quantile(0.5), alike.quantile(0.5)), (None, None, Some(2.0)));
    }
}
