//! The account of concurrency: one for every source of invocations.
//!
//! A function that reserves instances runs on those alone; all others share what nobody reserves.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::name::FunctionId;

/// Counts what runs.
pub(crate) struct Quota {
    limit: usize,
    counts: Mutex<Counts>,
    freed: Notify,
}

#[derive(Default)]
struct Counts {
    reserved: HashMap<FunctionId, Reserved>,
    /// Invocations of functions that reserve nothing.
    shared: usize,
    closed: bool,
}

#[derive(Default)]
struct Reserved {
    size: usize,
    running: usize,
}

/// The right to run one invocation; given back when dropped.
pub(crate) struct Permit {
    quota: Arc<Quota>,
    /// The function, where it runs on what it reserves.
    reserved: Option<FunctionId>,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// All that the function reserves is in use.
    Reserved,
    /// All that is shared is in use; [`Quota::freed`] tells when that changes.
    Shared,
    /// The platform stops.
    Closed,
}

impl Quota {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, counts: Mutex::default(), freed: Notify::new() })
    }

    /// Takes a permit, if there is one.
    pub(crate) fn take(self: &Arc<Self>, id: &FunctionId) -> Result<Permit, Refusal> {
        let mut counts = self.counts();
        if counts.closed {
            return Err(Refusal::Closed);
        }
        let reserved = match counts.reserved.get_mut(id) {
            Some(reserved) if reserved.running >= reserved.size => return Err(Refusal::Reserved),
            Some(reserved) => {
                reserved.running += 1;
                Some(id.clone())
            }
            None => {
                let set_aside: usize = counts.reserved.values().map(|reserved| reserved.size).sum();
                if counts.shared >= self.limit.saturating_sub(set_aside) {
                    return Err(Refusal::Shared);
                }
                counts.shared += 1;
                None
            }
        };
        Ok(Permit { quota: Arc::clone(self), reserved })
    }

    /// Resolves when a shared permit was given back. Ask before [`Quota::take`].
    pub(crate) fn freed(&self) -> impl Future<Output = ()> {
        self.freed.notified()
    }

    /// Sets what a function reserves. What runs already keeps its permits.
    pub(crate) fn reserve(&self, id: &FunctionId, size: Option<u32>) {
        let mut counts = self.counts();
        match size {
            Some(size) => counts.reserved.entry(id.clone()).or_default().size = size as usize,
            None => drop(counts.reserved.remove(id)),
        }
        drop(counts);
        self.freed.notify_waiters();
    }

    /// Gives no more.
    pub(crate) fn close(&self) {
        self.counts().closed = true;
        self.freed.notify_waiters();
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.quota.counts();
        match &self.reserved {
            // Gone when the function no longer reserves.
            Some(id) => {
                if let Some(reserved) = counts.reserved.get_mut(id) {
                    reserved.running = reserved.running.saturating_sub(1);
                }
            }
            None => counts.shared -= 1,
        }
        drop(counts);
        // All of them: who has registered and not yet waited would miss a call to one.
        self.quota.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> FunctionId {
        FunctionId {
            account: "123456789012".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            name: name.into(),
        }
    }

    #[test]
    fn reserved_and_shared_are_kept_apart() {
        let quota = Quota::new(3);
        quota.reserve(&id("r"), Some(1));
        let reserved = quota.take(&id("r")).ok().unwrap();
        assert_eq!(quota.take(&id("r")).err(), Some(Refusal::Reserved));
        let shared: Vec<_> = (0..2).map(|_| quota.take(&id("s")).ok().unwrap()).collect();
        assert_eq!(quota.take(&id("s")).err(), Some(Refusal::Shared));
        drop(shared);
        assert!(quota.take(&id("s")).is_ok());
        drop(reserved);
        assert!(quota.take(&id("r")).is_ok());
        quota.reserve(&id("r"), Some(0));
        assert_eq!(quota.take(&id("r")).err(), Some(Refusal::Reserved));
        quota.reserve(&id("r"), None);
        assert!(quota.take(&id("r")).is_ok());
        quota.close();
        assert_eq!(quota.take(&id("r")).err(), Some(Refusal::Closed));
    }
}
