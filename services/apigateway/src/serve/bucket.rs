//! Token buckets: how many requests a method takes.
//!
//! Unlike AWS, which throttles on a best-effort basis, a bucket is exact.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html>

use std::sync::{Arc, Mutex, PoisonError};

use pagoda_base::Timestamp;
use quick_cache::sync::Cache;

/// Buckets that are kept; one that had to make room starts full.
const BUCKETS_MAX: usize = 10_000;
const MICROS: f64 = 1_000_000.0;

/// What a bucket lets through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limit {
    /// Requests a second, in the long run.
    pub(crate) rate: f64,
    /// Requests at once.
    pub(crate) burst: f64,
}

/// Tokens of one method.
pub(crate) struct Bucket {
    limit: Limit,
    state: Mutex<State>,
}

struct State {
    tokens: f64,
    micros: i64,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(limit: Limit) -> Self {
        Self { limit, state: Mutex::new(State { tokens: limit.burst, micros: i64::MIN }) }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&self, now: Timestamp) -> bool {
        // What another thread left half done is at most one token.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_microsecond();
        // A clock that was set back refills nothing.
        let passed = now.saturating_sub(state.micros).max(0) as f64 / MICROS;
        state.tokens = (state.tokens + passed * self.limit.rate).min(self.limit.burst);
        state.micros = now;
        if state.tokens < 1.0 || self.limit.rate <= 0.0 {
            return false;
        }
        state.tokens -= 1.0;
        true
    }
}

/// The buckets of all methods: they outlive what is read of a stage, so that no change of an API fills them.
pub(crate) struct Buckets(Cache<String, Arc<Bucket>>);

impl Default for Buckets {
    fn default() -> Self {
        Self(Cache::new(BUCKETS_MAX))
    }
}

impl Buckets {
    /// The bucket of `name`; a full one, where its limit is new.
    pub(crate) fn of(&self, name: &str, limit: Limit) -> Arc<Bucket> {
        match self.0.get(name).filter(|bucket| bucket.limit == limit) {
            Some(bucket) => bucket,
            None => {
                let bucket = Arc::new(Bucket::new(limit));
                self.0.insert(name.to_owned(), Arc::clone(&bucket));
                bucket
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks at these milliseconds; which of them pass.
    #[track_caller]
    fn check(rate: f64, burst: f64, at: &[(i64, bool)]) {
        let bucket = Bucket::new(Limit { rate, burst });
        for (millis, expected) in at {
            let now = Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap();
            assert_eq!(bucket.take(now), *expected, "at {millis}");
        }
    }

    #[test]
    fn a_bucket_lets_its_burst_through_and_then_its_rate() {
        check(1.0, 2.0, &[(0, true), (0, true), (0, false), (999, false), (1_000, true), (1_001, false)]);
        check(10.0, 1.0, &[(0, true), (50, false), (100, true), (10_000, true), (10_000, false)]);
        check(0.5, 1.0, &[(0, true), (1_000, false), (2_000, true)]);
        check(0.0, 5.0, &[(0, false)]);
        check(5.0, 0.0, &[(0, false), (9_000, false)]);
        // Set back, it refills nothing.
        check(1.0, 1.0, &[(0, true), (-5_000, false), (-4_500, false)]);
    }

    #[test]
    fn a_name_keeps_its_bucket_until_its_limit_changes() {
        let (buckets, limit) = (Buckets::default(), Limit { rate: 1.0, burst: 1.0 });
        let now = Timestamp::UNIX_EPOCH;
        assert!(buckets.of("a", limit).take(now));
        assert!(!buckets.of("a", limit).take(now));
        assert!(buckets.of("b", limit).take(now));
        assert!(buckets.of("a", Limit { rate: 2.0, ..limit }).take(now));
    }
}
