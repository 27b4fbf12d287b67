//! How fast a function may get more instances: so many in ten seconds, each function for itself.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html>

use std::time::Duration;

use tokio::time::Instant;

/// In which time the whole allowance comes back, evenly.
const PERIOD: Duration = Duration::from_secs(10);

/// What is left of a function's allowance.
#[derive(Debug)]
pub(super) struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    /// All of `max` instances.
    pub(super) fn full(max: u32, now: Instant) -> Self {
        Self { left: max.into(), at: now }
    }

    /// Whether there is one instance left.
    pub(super) fn has_one(&mut self, max: u32, now: Instant) -> bool {
        self.refill(max, now);
        self.left >= 1.0
    }

    /// Takes one instance that there was.
    pub(super) fn take_one(&mut self) {
        self.left = (self.left - 1.0).max(0.0);
    }

    /// Whether it is as if nothing had ever been taken.
    pub(super) fn is_full(&mut self, max: u32, now: Instant) -> bool {
        self.refill(max, now);
        self.left >= f64::from(max)
    }

    fn refill(&mut self, max: u32, now: Instant) {
        let part = now.saturating_duration_since(self.at).as_secs_f64() / PERIOD.as_secs_f64();
        self.left = (self.left + part * f64::from(max)).min(max.into());
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowance_comes_back_evenly() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut allowance = Allowance::full(1_000, start);
        let mut take = |at| {
            let is_there = allowance.has_one(1_000, at);
            if is_there {
                allowance.take_one();
            }
            is_there
        };
        assert!((0..1_000).all(|_| take(start)));
        assert!(!take(after(5)));
        assert!(take(after(15)));
        assert_eq!((0..500).filter(|_| take(after(1_015))).count(), 100);
        assert!(!allowance.is_full(1_000, after(10_000)));
        assert!(allowance.is_full(1_000, after(11_020)));
    }
}
