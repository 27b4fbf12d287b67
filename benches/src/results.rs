//! What the scenarios found.

/// Figures of one server under one load.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Requests per second.
    pub(crate) per_second: f64,
    /// Requests per second of CPU that the server and its children used.
    pub(crate) per_cpu_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Figures {
    /// The median of each figure over rounds.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure).collect());
        Self {
            per_second: of(|one| one.per_second),
            per_cpu_second: of(|one| one.per_cpu_second),
            p50_ms: of(|one| one.p50_ms),
            p99_ms: of(|one| one.p99_ms),
        }
    }
}

/// How many times more than the peer: the median over rounds, the least and the greatest.
#[derive(Clone, Copy)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Ratio {
    /// The ratio of a figure in rounds that took place next to each other.
    pub(crate) fn of(ours: &[Figures], theirs: &[Figures], figure: fn(&Figures) -> f64) -> Self {
        let ratios: Vec<f64> =
            ours.iter().zip(theirs).map(|(our, their)| figure(our) / figure(their)).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = ratios.iter().copied().fold(0.0, f64::max);
        Self { median: median(ratios), least, greatest }
    }
}

/// Pagoda beside a peer under the same load.
pub(crate) struct Comparison {
    pub(crate) what: String,
    pub(crate) connections: usize,
    pub(crate) peer: &'static str,
    pub(crate) pagoda: Figures,
    pub(crate) other: Figures,
    pub(crate) throughput: Ratio,
    pub(crate) cpu: Ratio,
    /// The least median of `cpu` that is aimed at.
    pub(crate) target: Option<f64>,
}

/// A start beside the start of something barer, in milliseconds.
pub(crate) struct Start {
    pub(crate) what: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) pagoda_ms: Vec<f64>,
    pub(crate) other_ms: Vec<f64>,
    /// The greatest share of the peer's time that is aimed at.
    pub(crate) target: Option<f64>,
}

impl Start {
    /// Pagoda's time as a multiple of the peer's.
    pub(crate) fn ratio(&self) -> f64 {
        median(self.pagoda_ms.clone()) / median(self.other_ms.clone())
    }

    /// The same of the time that one start of a hundred exceeds.
    pub(crate) fn ratio_of_p99(&self) -> f64 {
        quantile(self.pagoda_ms.clone(), 0.99) / quantile(self.other_ms.clone(), 0.99)
    }
}

/// A figure of Pagoda alone.
pub(crate) struct Measure {
    pub(crate) what: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// The greatest value that is aimed at.
    pub(crate) target: Option<f64>,
}

/// All findings of a run.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) starts: Vec<Start>,
    pub(crate) measures: Vec<Measure>,
}

impl Results {
    /// Whether Pagoda was compared with something.
    pub(crate) fn has_ratios(&self) -> bool {
        !self.comparisons.is_empty() || !self.starts.is_empty()
    }

    /// What misses its target, in sentences.
    pub(crate) fn misses(&self) -> Vec<String> {
        let comparisons = self.comparisons.iter().filter_map(|one| {
            let target = one.target.filter(|target| one.cpu.median < *target)?;
            Some(format!(
                "{}: {:.2}x of {} per CPU second; the target is {target}x.",
                one.what, one.cpu.median, one.peer
            ))
        });
        let starts = self.starts.iter().filter_map(|one| {
            let target = one.target.filter(|target| one.ratio() > *target)?;
            Some(format!(
                "{}: {:.2}x of the time of {}; the target is {target}x.",
                one.what,
                one.ratio(),
                one.peer
            ))
        });
        let measures = self.measures.iter().filter_map(|one| {
            let target = one.target.filter(|target| one.value > *target)?;
            Some(format!("{}: {:.1} {}; the target is {target} {}.", one.what, one.value, one.unit, one.unit))
        });
        comparisons.chain(starts).chain(measures).collect()
    }
}

/// The value that `share` of the values do not exceed; 0 of none.
pub(crate) fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let at = (values.len() as f64 * share).ceil() as usize;
    values.get(at.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// The middle value, or the mean of the two in the middle; 0 of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count => (values[(count - 1) / 2] + values[count / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(per_second: f64) -> Figures {
        Figures { per_second, per_cpu_second: 1.0, p50_ms: 1.0, p99_ms: 2.0 }
    }

    #[test]
    fn medians() {
        for (values, expected) in
            [(vec![], 0.0), (vec![3.0], 3.0), (vec![9.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0], 2.5)]
        {
            assert_eq!(median(values), expected);
        }
    }

    #[test]
    fn quantiles() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!((quantile(hundred.clone(), 0.99), quantile(hundred, 0.5)), (99.0, 50.0));
        assert_eq!((quantile(vec![7.0], 0.99), quantile(vec![], 0.99)), (7.0, 0.0));
    }

    #[test]
    fn ratios_are_of_neighbouring_rounds() {
        let ratio = Ratio::of(
            &[figures(2.0), figures(6.0), figures(9.0)],
            &[figures(1.0), figures(2.0), figures(9.0)],
            |f| f.per_second,
        );
        assert_eq!((ratio.least, ratio.median, ratio.greatest), (1.0, 2.0, 3.0));
    }
}
