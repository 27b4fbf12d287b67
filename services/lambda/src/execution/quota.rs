//! The account of concurrency: one for every source of invocations.
//!
//! A function that reserves instances runs on those alone; all others share what nobody reserves. Who waits for
//! what is shared is served in the order of arrival within a function, and the function that runs least first.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::name::FunctionId;

use super::line::Line;

/// Counts what runs.
pub(crate) struct Quota {
    limit: usize,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    reserved: HashMap<FunctionId, Reserved>,
    /// Invocations of functions that reserve nothing, by function and together.
    running: HashMap<FunctionId, usize>,
    shared: usize,
    line: Line<(), Permit>,
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
    id: FunctionId,
    /// Whether the function runs on what it reserves.
    is_reserved: bool,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// All that the function reserves is in use.
    Reserved,
    /// All that is shared has been in use for too long.
    Shared,
    /// The platform stops.
    Closed,
}

/// What comes of asking.
enum Asked {
    Taken(Permit),
    Waits(oneshot::Receiver<Permit>),
}

impl Quota {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, counts: Mutex::default() })
    }

    /// Takes a permit; waits for one that is shared until `deadline`.
    pub(crate) async fn take(
        self: &Arc<Self>,
        id: &FunctionId,
        deadline: Instant,
    ) -> Result<Permit, Refusal> {
        match self.ask(id)? {
            Asked::Taken(permit) => Ok(permit),
            Asked::Waits(given) => {
                let given = timeout_at(deadline, given).await.map_err(|_| Refusal::Shared)?;
                given.map_err(|_| Refusal::Closed)
            }
        }
    }

    fn ask(self: &Arc<Self>, id: &FunctionId) -> Result<Asked, Refusal> {
        let mut counts = self.counts();
        if counts.closed {
            return Err(Refusal::Closed);
        }
        match counts.reserved.get_mut(id) {
            Some(reserved) if reserved.running >= reserved.size => return Err(Refusal::Reserved),
            Some(reserved) => {
                reserved.running += 1;
                return Ok(Asked::Taken(self.permit(id, true)));
            }
            None => {}
        }
        if !counts.is_free(self.limit) {
            return Ok(Asked::Waits(counts.line.join(id, ())));
        }
        counts.begin(id);
        Ok(Asked::Taken(self.permit(id, false)))
    }

    /// Sets what a function reserves. What runs already keeps its permits.
    pub(crate) fn reserve(self: &Arc<Self>, id: &FunctionId, size: Option<u32>) {
        let mut counts = self.counts();
        match size {
            Some(size) => counts.reserved.entry(id.clone()).or_default().size = size as usize,
            None => drop(counts.reserved.remove(id)),
        }
        drop(counts);
        self.serve();
    }

    /// Gives no more.
    pub(crate) fn close(&self) {
        let mut counts = self.counts();
        counts.closed = true;
        counts.line = Line::default();
    }

    /// Gives what is free to those who wait.
    fn serve(self: &Arc<Self>) {
        let mut served = Vec::new();
        let mut counts = self.counts();
        while counts.is_free(self.limit) {
            let Some(id) = counts.next() else { break };
            let Some(give) = counts.line.take(&id) else { break };
            counts.begin(&id);
            served.push((give, self.permit(&id, false)));
        }
        drop(counts);
        for (give, permit) in served {
            // Who has left in this moment gives it back by dropping it.
            let _ = give.send(permit);
        }
    }

    fn permit(self: &Arc<Self>, id: &FunctionId, is_reserved: bool) -> Permit {
        Permit { quota: Arc::clone(self), id: id.clone(), is_reserved }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn is_free(&self, limit: usize) -> bool {
        let set_aside: usize = self.reserved.values().map(|reserved| reserved.size).sum();
        self.shared < limit.saturating_sub(set_aside)
    }

    /// Whose turn it is: of those who wait, the function that runs least.
    fn next(&mut self) -> Option<FunctionId> {
        let Self { line, running, .. } = self;
        let of = |id| running.get(id).copied().unwrap_or_default();
        line.firsts().min_by_key(|(id, arrival, ())| (of(id), *arrival)).map(|(id, ..)| id.clone())
    }

    fn begin(&mut self, id: &FunctionId) {
        self.shared += 1;
        *self.running.entry(id.clone()).or_default() += 1;
    }

    fn end(&mut self, id: &FunctionId) {
        self.shared -= 1;
        if let Some(running) = self.running.get_mut(id) {
            *running -= 1;
            if *running == 0 {
                self.running.remove(id);
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.quota.counts();
        if self.is_reserved {
            // Gone when the function no longer reserves.
            if let Some(reserved) = counts.reserved.get_mut(&self.id) {
                reserved.running = reserved.running.saturating_sub(1);
            }
            return;
        }
        counts.end(&self.id);
        drop(counts);
        self.quota.serve();
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

    #[tokio::test]
    async fn reserved_and_shared_are_kept_apart() {
        let quota = Quota::new(3);
        let take = async |name: &str| quota.take(&id(name), Instant::now()).await;
        quota.reserve(&id("r"), Some(1));
        let reserved = take("r").await.ok().unwrap();
        assert_eq!(take("r").await.err(), Some(Refusal::Reserved));
        let shared = [take("s").await.ok().unwrap(), take("s").await.ok().unwrap()];
        assert_eq!(take("s").await.err(), Some(Refusal::Shared));
        drop(shared);
        assert!(take("s").await.is_ok());
        drop(reserved);
        assert!(take("r").await.is_ok());
        quota.reserve(&id("r"), Some(0));
        assert_eq!(take("r").await.err(), Some(Refusal::Reserved));
        quota.reserve(&id("r"), None);
        assert!(take("r").await.is_ok());
        quota.close();
        assert_eq!(take("r").await.err(), Some(Refusal::Closed));
    }

    #[tokio::test]
    async fn a_burst_of_one_function_does_not_hold_up_another() {
        let quota = Quota::new(2);
        let later = Instant::now() + std::time::Duration::from_secs(60);
        let mut running = Vec::new();
        for _ in 0..2 {
            running.push(quota.take(&id("a"), later).await.ok().unwrap());
        }
        let mut waiting = Vec::new();
        for name in ["a", "a", "a", "b", "b"] {
            match quota.ask(&id(name)) {
                Ok(Asked::Waits(given)) => waiting.push(given),
                _ => panic!("{name} does not wait"),
            }
        }
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(running.remove(0));
            let at = waiting.iter_mut().position(|one| match one.try_recv() {
                Ok(permit) => {
                    order.push(permit.id.name.clone());
                    running.push(permit);
                    true
                }
                Err(_) => false,
            });
            drop(waiting.remove(at.expect("somebody is next")));
        }
        assert_eq!(order, ["b", "a", "b", "a", "a"]);
    }
}
