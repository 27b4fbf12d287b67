//! How many instances start at the same time.
//!
//! Starting takes the processors: of many that start at once each takes longer, until those that began together
//! all miss the time that initialization may take.

use std::sync::Arc;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The right to start one instance, until its init code is done; given back when dropped.
pub(super) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    freed: Arc<Notify>,
}

/// All slots.
pub(super) struct Slots {
    free: Arc<Semaphore>,
    freed: Arc<Notify>,
}

impl Slots {
    /// `freed` is told whenever one comes back.
    pub(super) fn new(count: usize, freed: Arc<Notify>) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), freed }
    }

    /// Whether one is free.
    pub(super) fn has_one(&self) -> bool {
        self.free.available_permits() > 0
    }

    /// A slot, if one is free.
    pub(super) fn take(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok();
        permit.map(|permit| Slot { permit: Some(permit), freed: Arc::clone(&self.freed) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.freed.notify_one();
    }
}
