//! Who uses packages right now: publications that are under way, and running instances.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::table::Code;

/// All holds.
#[derive(Default)]
pub(crate) struct Holds {
    counts: Mutex<HashMap<String, Count>>,
    numbers: AtomicU64,
}

#[derive(Default)]
struct Count {
    holds: usize,
    /// Set by [`Holds::doom`], and cleared by whoever holds the package since.
    doomed: bool,
}

/// Keeps one package from being removed.
pub(crate) struct Hold {
    holds: Arc<Holds>,
    code: Code,
    number: u64,
}

impl Holds {
    pub(super) fn hold(self: &Arc<Self>, code: Code) -> Hold {
        let mut counts = self.counts();
        let count = counts.entry(code.sha256.clone()).or_default();
        count.holds += 1;
        count.doomed = false;
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        Hold { holds: Arc::clone(self), code, number }
    }

    /// Marks a package for removal; false when somebody holds it.
    pub(super) fn doom(&self, sha256: &str) -> bool {
        let mut counts = self.counts();
        let count = counts.entry(sha256.to_owned()).or_default();
        count.doomed = count.holds == 0;
        count.doomed
    }

    /// Runs `remove` unless somebody has held the package since [`Holds::doom`]. Nobody can begin to hold it
    /// meanwhile, so `remove` must be short.
    pub(super) fn bury<T>(&self, sha256: &str, remove: impl FnOnce() -> T) -> Option<T> {
        let mut counts = self.counts();
        if !counts.get(sha256).is_some_and(|count| count.doomed) {
            return None;
        }
        counts.remove(sha256);
        Some(remove())
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// What is held.
    pub(crate) fn code(&self) -> &Code {
        &self.code
    }

    /// A number that no other hold of this process has.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut counts = self.holds.counts();
        if let Some(count) = counts.get_mut(&self.code.sha256) {
            count.holds -= 1;
            if count.holds == 0 && !count.doomed {
                counts.remove(&self.code.sha256);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> Code {
        Code { sha256: "a".into(), bytes: 1 }
    }

    #[test]
    fn what_is_held_is_not_removed() {
        let holds = Arc::new(Holds::default());
        let first = holds.hold(code());
        assert!(!holds.doom("a"));
        drop(first);
        assert!(holds.doom("a"));
        assert_eq!(holds.bury("a", || 1), Some(1));
        assert_eq!(holds.bury("a", || 1), None);
    }

    #[test]
    fn who_holds_a_doomed_package_saves_it() {
        let holds = Arc::new(Holds::default());
        assert!(holds.doom("a"));
        let saved = holds.hold(code());
        assert_eq!(holds.bury("a", || 1), None);
        drop(saved);
        assert_eq!(holds.bury("a", || 1), None, "it was used in between, so its records count again");
    }
}
