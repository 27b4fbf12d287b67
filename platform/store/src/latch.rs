//! Turns for those who want to change the same row.
//!
//! Invariant: latches only spare work. Two keys may share one, another process has its own, and what
//! is right is decided by the checks of the commit alone.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};

use crate::Key;

const LATCHES: usize = 1024;

/// A fixed set of latches that keys are spread over.
#[derive(Debug)]
pub struct Latches {
    hasher: RandomState,
    latches: Box<[Mutex<()>]>,
}

impl Default for Latches {
    fn default() -> Self {
        Self { hasher: RandomState::new(), latches: (0..LATCHES).map(|_| Mutex::new(())).collect() }
    }
}

impl Latches {
    /// Waits for the key's turn, in order of arrival; the turn ends when the guard is dropped.
    /// Whoever holds one must not ask for a second: both keys may share a latch.
    pub async fn of(&self, key: &Key) -> MutexGuard<'_, ()> {
        let place = self.hasher.hash_one(key) as usize % LATCHES;
        self.latches[place].lock().await
    }
}
