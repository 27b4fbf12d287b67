//! Which instance gets an event: the one that was idle last, or a new one, or none for now.
//!
//! Invariants: an invocation holds a permit of the concurrency limit, an instance one of the memory limit for
//! its size; an idle instance of whatever function gives way to one that is needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pagoda_protocol::ApiError;
use pagoda_sandbox::Ids;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout_at};

use crate::config::Limits;
use crate::generated as g;
use crate::load::Loaded;
use crate::name::{FunctionId, LATEST, VersionId};

use super::instance::Instance;
use super::provision::Kept;
use super::quota::{Permit, Quota, Refusal};

/// User ids before they begin anew.
pub(super) const IDS: u32 = 1_000_000;

/// All instances.
pub(crate) struct Scheduler {
    limits: Limits,
    quota: Arc<Quota>,
    memory: Arc<Semaphore>,
    memory_mb_max: u32,
    /// Something was given back.
    freed: Notify,
    book: Mutex<Book>,
    /// How many scribes still write.
    writers: watch::Sender<usize>,
    closed: watch::Sender<bool>,
}

#[derive(Default)]
pub(super) struct Book {
    stacks: HashMap<VersionId, Stack>,
    /// Instances that don't go when they are idle.
    pub(super) kept: HashMap<VersionId, Kept>,
    ids: u32,
    closed: bool,
}

/// The idle instances of a version, the latest last.
struct Stack {
    generation: String,
    ids: Ids,
    idle: Vec<Idle>,
}

struct Idle {
    instance: Arc<Instance>,
    since: Instant,
}

/// What an invocation is given.
pub(super) enum Claim {
    Warm(Arc<Instance>),
    /// It has to start one, with this identity and memory.
    Cold(Ids, OwnedSemaphorePermit),
}

impl Scheduler {
    pub(crate) fn new(limits: Limits) -> Self {
        let memory_mb_max = limits.memory_mb.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        Self {
            limits,
            quota: Quota::new(limits.concurrency),
            memory: Arc::new(Semaphore::new(memory_mb_max as usize)),
            memory_mb_max,
            freed: Notify::new(),
            book: Mutex::default(),
            writers: watch::Sender::new(0),
            closed: watch::Sender::new(false),
        }
    }

    /// The right to run an invocation.
    ///
    /// # Errors
    /// `TooManyRequestsException` when the function uses all that it reserves, or when all that is shared is
    /// taken for too long.
    pub(super) async fn admit(&self, id: &FunctionId) -> Result<Permit, ApiError> {
        let deadline = Instant::now() + self.limits.wait;
        loop {
            let freed = self.quota.freed();
            match self.quota.take(id) {
                Ok(permit) => return Ok(permit),
                Err(Refusal::Reserved) => {
                    return Err(throttled("ReservedFunctionConcurrentInvocationLimitExceeded"));
                }
                Err(Refusal::Closed) => return Err(stopping()),
                Err(Refusal::Shared) if timeout_at(deadline, freed).await.is_ok() => {}
                Err(Refusal::Shared) => return Err(throttled("ConcurrentInvocationLimitExceeded")),
            }
        }
    }

    /// Sets what a function reserves.
    pub(crate) fn reserve(&self, id: &FunctionId, reserved: Option<u32>) {
        self.quota.reserve(id, reserved);
    }

    /// An idle instance of the function's present generation, or the means to start one.
    ///
    /// # Errors
    /// `TooManyRequestsException` when the host's memory is taken for too long.
    pub(super) async fn claim(
        &self,
        loaded: &Loaded,
        fit: impl Fn(&Instance) -> bool,
    ) -> Result<Claim, ApiError> {
        let deadline = Instant::now() + self.limits.wait;
        let memory_mb = loaded.version.settings.memory_mb.min(self.memory_mb_max);
        loop {
            // Registered before looking, so that what is given back meanwhile is not missed.
            let freed = self.freed.notified();
            if let Some(instance) = self.pop(loaded, &fit)? {
                return Ok(Claim::Warm(instance));
            }
            if let Some(memory) = self.memory(memory_mb) {
                return Ok(Claim::Cold(self.ids(loaded)?, memory));
            }
            if timeout_at(deadline, freed).await.is_err() {
                return Err(throttled("ConcurrentInvocationLimitExceeded"));
            }
        }
    }

    /// The means to start an instance, whatever is idle.
    ///
    /// # Errors
    /// `TooManyRequestsException` when the host's memory is taken.
    pub(super) async fn room(&self, loaded: &Loaded) -> Result<(Ids, OwnedSemaphorePermit), ApiError> {
        let deadline = Instant::now() + self.limits.wait;
        let memory_mb = loaded.version.settings.memory_mb.min(self.memory_mb_max);
        loop {
            let freed = self.freed.notified();
            if let Some(memory) = self.memory(memory_mb) {
                return Ok((self.ids(loaded)?, memory));
            }
            if timeout_at(deadline, freed).await.is_err() {
                return Err(throttled("ConcurrentInvocationLimitExceeded"));
            }
        }
    }

    /// Memory for an instance, if need be that of idle ones.
    fn memory(&self, memory_mb: u32) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(memory) = Arc::clone(&self.memory).try_acquire_many_owned(memory_mb) {
                return Some(memory);
            }
            if !self.evict_one() {
                return None;
            }
        }
    }

    /// The latest idle instance that still lives and is `fit`.
    fn pop(
        &self,
        loaded: &Loaded,
        fit: impl Fn(&Instance) -> bool,
    ) -> Result<Option<Arc<Instance>>, ApiError> {
        let mut unfit = Vec::new();
        let mut book = self.book();
        let stack = book.stack(loaded, self.limits.first_uid)?;
        let found = loop {
            match stack.idle.pop() {
                Some(idle) if !idle.instance.has_ended() && fit(&idle.instance) && idle.instance.wake() => {
                    break Some(idle.instance);
                }
                Some(idle) => unfit.push(idle),
                None => break None,
            }
        };
        drop(book); // before the unfit end
        Ok(found)
    }

    fn ids(&self, loaded: &Loaded) -> Result<Ids, ApiError> {
        Ok(self.book().stack(loaded, self.limits.first_uid)?.ids)
    }

    /// Takes an instance back, unless its function has changed since.
    pub(super) fn park(&self, instance: Arc<Instance>) {
        instance.rest(self.limits.freeze_after);
        let mut book = self.book();
        let closed = book.closed;
        let stack = book.stacks.get_mut(&instance.version);
        let refused = match stack.filter(|stack| !closed && stack.generation == instance.generation) {
            Some(stack) => {
                stack.idle.push(Idle { instance, since: Instant::now() });
                None
            }
            None => Some(instance),
        };
        drop(book);
        drop(refused);
        self.freed.notify_waiters();
    }

    /// Tells that something else was given back.
    pub(super) fn freed(&self) {
        self.freed.notify_waiters();
    }

    /// Ends the instances of a function's `$LATEST` that is of another generation now.
    pub(crate) fn retire(&self, id: &FunctionId, generation: &str) {
        let latest = VersionId { function: id.clone(), number: LATEST.to_owned() };
        let mut book = self.book();
        let Some(stack) = book.stacks.get_mut(&latest) else { return };
        stack.generation = generation.to_owned();
        let ended = std::mem::take(&mut stack.idle);
        drop(book);
        drop(ended);
    }

    /// Ends the instances of a function that is no more.
    pub(crate) fn forget(&self, id: &FunctionId) {
        let ended: Vec<_> = self.book().stacks.extract_if(|version, _| version.function == *id).collect();
        drop(ended);
        self.quota.reserve(id, None);
    }

    /// Ends the instances of a version that is no more.
    pub(crate) fn forget_version(&self, version: &VersionId) {
        let ended = self.book().stacks.remove(version);
        drop(ended);
    }

    /// Ends instances that have been idle for long, and those that ended by themselves.
    pub(crate) fn reap(&self) {
        let now = Instant::now();
        let mut ended: Vec<Idle> = Vec::new();
        let mut book = self.book();
        let Book { stacks, kept, .. } = &mut *book;
        for (version, stack) in stacks {
            let kept = kept.get(version);
            let over = |idle: &mut Idle| {
                let is_kept = kept.is_some_and(|kept| kept.holds(&idle.instance));
                idle.instance.has_ended() || (now - idle.since >= self.limits.idle && !is_kept)
            };
            ended.extend(stack.idle.extract_if(.., over));
        }
        drop(book);
        drop(ended);
        self.freed.notify_waiters();
    }

    /// Ends the instance that has been idle for longest; false when none is idle.
    fn evict_one(&self) -> bool {
        let mut book = self.book();
        let Book { stacks, kept, .. } = &mut *book;
        let candidates = stacks.iter_mut().filter_map(|(version, stack)| {
            let kept = kept.get(version);
            let may_go = |idle: &Idle| !kept.is_some_and(|kept| kept.holds(&idle.instance));
            let at = stack.idle.iter().position(may_go)?;
            Some((stack.idle[at].since, at, stack))
        });
        let evicted = candidates.min_by_key(|(since, ..)| *since).map(|(_, at, stack)| stack.idle.remove(at));
        drop(book);
        evicted.is_some()
    }

    /// Runs a scribe's writing, and counts it.
    pub(super) fn track(&self, writing: impl Future<Output = ()> + Send + 'static) {
        self.writers.send_modify(|writers| *writers += 1);
        let writers = self.writers.clone();
        tokio::spawn(async move {
            writing.await;
            writers.send_modify(|writers| *writers -= 1);
        });
    }

    /// Whether everything ends.
    pub(crate) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Resolves when everything is to end.
    pub(crate) fn closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut closed = self.closed.subscribe();
        async move {
            // Without a sender there is nothing left that could close.
            let _ = closed.wait_for(|closed| *closed).await;
        }
    }

    /// Ends everything, and waits until all lines are written.
    pub(crate) async fn close(&self) {
        self.quota.close();
        self.closed.send_replace(true);
        let stacks = {
            let mut book = self.book();
            book.closed = true;
            std::mem::take(&mut book.stacks)
        };
        drop(stacks);
        // The sender lives as long as this.
        let _ = self.writers.subscribe().wait_for(|writers| *writers == 0).await;
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// The function's stack, of its present generation.
    fn stack(&mut self, loaded: &Loaded, first_uid: u32) -> Result<&mut Stack, ApiError> {
        if self.closed {
            return Err(stopping());
        }
        let version = loaded.version_id();
        if !self.stacks.contains_key(&version) {
            let id = first_uid + self.ids % IDS;
            self.ids = self.ids.wrapping_add(1);
            let ids = Ids { uid: id, gid: id };
            let generation = loaded.version.generation.clone();
            self.stacks.insert(version.clone(), Stack { generation, ids, idle: Vec::new() });
        }
        let stack = self.stacks.get_mut(&version).ok_or_else(ApiError::internal)?;
        if stack.generation != loaded.version.generation {
            stack.generation.clone_from(&loaded.version.generation);
            stack.idle.clear();
        }
        Ok(stack)
    }
}

fn stopping() -> ApiError {
    ApiError::new("ServiceException", 503, "The platform is shutting down.")
}

fn throttled(reason: &str) -> ApiError {
    let exception = g::TooManyRequestsException {
        reason: reason.parse().ok(),
        r#type: Some("User".to_owned()),
        message: Some("Rate Exceeded.".to_owned()),
        ..Default::default()
    };
    exception.into()
}

/// Nothing is scheduled later than this before its credentials end.
pub(super) const CREDENTIALS_MARGIN: Duration = Duration::from_secs(60);
