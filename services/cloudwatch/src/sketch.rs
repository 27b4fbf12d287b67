//! How values are distributed: a histogram whose bins grow by a fixed factor, so that a quantile is off by
//! at most one percent of its value.
//!
//! Invariants: at most [`BINS_MAX`] bins; where there were more, the lowest are one, so that high
//! percentiles stay exact.
//!
//! Source: Masson, Rim, Lee, "DDSketch", VLDB 2019, <https://arxiv.org/abs/1908.10693>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The relative error of a quantile.
const ERROR: f64 = 0.01;
/// The factor between the bounds of a bin.
const GAMMA: f64 = (1.0 + ERROR) / (1.0 - ERROR);
/// Twelve orders of magnitude have 1,382 bins; a minute of one metric spans few of them.
const BINS_MAX: usize = 400;
/// The bin of zero, below all others.
const ZERO: i32 = i32::MIN;

/// Counts by bin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sketch(BTreeMap<i32, f64>);

impl Sketch {
    /// Adds `count` observations of `value`, which is not negative.
    pub(crate) fn add(&mut self, value: f64, count: f64) {
        *self.0.entry(bin(value)).or_default() += count;
        self.bound();
    }

    /// Adds all that `other` has.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (bin, count) in &other.0 {
            *self.0.entry(*bin).or_default() += count;
        }
        self.bound();
    }

    /// The value below which `share` (0 to 1) of the observations are; `None` without observations.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let total: f64 = self.0.values().sum();
        let rank = share * (total - 1.0).max(0.0);
        let mut seen = 0.0;
        for (bin, count) in &self.0 {
            seen += count;
            if seen > rank {
                return Some(middle(*bin));
            }
        }
        self.0.keys().next_back().map(|bin| middle(*bin))
    }

    fn bound(&mut self) {
        while self.0.len() > BINS_MAX {
            if let Some((_, count)) = self.0.pop_first()
                && let Some(mut next) = self.0.first_entry()
            {
                *next.get_mut() += count;
            }
        }
    }
}

fn bin(value: f64) -> i32 {
    if value <= 0.0 { ZERO } else { (value.ln() / GAMMA.ln()).ceil() as i32 }
}

fn middle(bin: i32) -> f64 {
    if bin == ZERO { 0.0 } else { 2.0 * GAMMA.powi(bin) / (GAMMA + 1.0) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Sketch::default().quantile(0.5), None);
    }

    #[test]
    fn many_magnitudes_keep_the_high_quantiles() {
        let mut sketch = Sketch::default();
        for exponent in -100..100 {
            for digit in 1..10 {
                sketch.add(f64::from(digit) * 10f64.powi(exponent), 1.0);
            }
        }
        assert_eq!(sketch.0.len(), BINS_MAX);
        let top = sketch.quantile(1.0).unwrap();
        assert!((top / 9e99 - 1.0).abs() <= ERROR * 1.001, "{top}");
    }

    proptest! {
        #[test]
        fn quantiles_are_within_the_error(
            mut values in proptest::collection::vec(0.001f64..100_000.0, 1..200), share in 0.0f64..=1.0,
        ) {
            let (mut left, mut right) = (Sketch::default(), Sketch::default());
            for (place, value) in values.iter().enumerate() {
                if place % 2 == 0 { left.add(*value, 1.0) } else { right.add(*value, 1.0) }
            }
            left.merge(&right);
            values.sort_by(f64::total_cmp);
            let exact = values[(share * (values.len() - 1) as f64).floor() as usize];
            let found = left.quantile(share).unwrap();
            prop_assert!((found / exact - 1.0).abs() <= ERROR * 1.001, "{found} for {exact}");
        }
    }
}
