//! Which instance gets an event: the one that was idle last, or a new one, or none for now.
//!
//! Invariants: an invocation holds a permit of the concurrency limit, an instance a share of the memory; an idle
//! instance of whatever function gives way to one that is needed, the one that was idle longest first. Who has
//! to wait is served in the order of arrival within a function; of those that wait the function comes first
//! that has least.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_sandbox::Ids;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::config::Limits;
use crate::generated as g;
use crate::load::Loaded;
use crate::name::{FunctionId, LATEST, VersionId};

use super::instance::Instance;
use super::line::Line;
use super::memory::{Memory, Share};
use super::provision::Kept;
use super::quota::{Permit, Quota, Refusal};
use super::scaling::Allowance;
use super::slot::{Slot, Slots};

/// User ids before they begin anew.
pub(super) const IDS: u32 = 1_000_000;

/// All instances.
pub(crate) struct Scheduler {
    limits: Limits,
    quota: Arc<Quota>,
    memory: Arc<Memory>,
    slots: Slots,
    /// Something was given back: one of those who wait looks what can be done with it, for all of them.
    freed: Arc<Notify>,
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
    line: Line<Want, Given>,
    allowances: HashMap<FunctionId, Allowance>,
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
    /// It has to start one.
    Cold(Means),
}

/// What it takes to start an instance.
pub(super) struct Means {
    pub(super) ids: Ids,
    pub(super) memory: Share,
    /// Until its init code is done.
    pub(super) slot: Slot,
}

/// A claim, or why there will be none.
type Given = Result<Claim, ApiError>;

/// What is to be found.
#[derive(Clone)]
pub(super) struct Want {
    pub(super) loaded: Arc<Loaded>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// An idle instance whose credentials last until then, or the means to start one.
    Any(Timestamp),
    /// The means to start one, whatever is idle.
    New,
}

impl Scheduler {
    pub(crate) fn new(limits: Limits) -> Self {
        let freed = Arc::<Notify>::default();
        Self {
            limits,
            quota: Quota::new(limits.concurrency),
            memory: Memory::new(limits.memory_mb, limits.overcommit, Arc::clone(&freed)),
            slots: Slots::new(limits.starts(), Arc::clone(&freed)),
            freed,
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
        self.quota.take(id, deadline).await.map_err(|refusal| match refusal {
            Refusal::Reserved => throttled("ReservedFunctionConcurrentInvocationLimitExceeded"),
            Refusal::Shared => throttled("ConcurrentInvocationLimitExceeded"),
            Refusal::Closed => stopping(),
        })
    }

    /// Sets what a function reserves.
    pub(crate) fn reserve(&self, id: &FunctionId, reserved: Option<u32>) {
        self.quota.reserve(id, reserved);
    }

    /// An idle instance of the function's present generation, or the means to start one.
    ///
    /// # Errors
    /// `TooManyRequestsException` when the host's memory is taken for too long, or when the function gets new
    /// instances faster than it may.
    pub(super) async fn claim(&self, want: Want) -> Result<Claim, ApiError> {
        let deadline = Instant::now() + self.limits.wait;
        let mut given = self.book().line.join(&want.loaded.id.clone(), want);
        loop {
            self.serve();
            tokio::select! {
                biased;
                claim = &mut given => return claim.unwrap_or_else(|_| Err(stopping())),
                () = self.freed.notified() => {}
                () = sleep_until(deadline) => return Err(throttled("ConcurrentInvocationLimitExceeded")),
            }
        }
    }

    /// The means to start an instance, whatever is idle.
    ///
    /// # Errors
    /// `TooManyRequestsException` when the host's memory is taken.
    pub(super) async fn room(&self, loaded: &Arc<Loaded>) -> Result<Means, ApiError> {
        match self.claim(Want { loaded: Arc::clone(loaded), kind: Kind::New }).await? {
            Claim::Cold(means) => Ok(means),
            Claim::Warm(_) => Err(ApiError::internal()),
        }
    }

    /// Gives those who wait what there is.
    fn serve(&self) {
        loop {
            let mut gone = Vec::new();
            let mut book = self.book();
            let served = book.serve(self, &mut gone);
            drop(book);
            // What ends frees memory, for which somebody may wait.
            let ended = !gone.is_empty();
            drop(gone);
            match served {
                // Who has left in this moment drops it.
                Some((give, claim)) => drop(give.send(claim)),
                None if ended => {}
                None => return,
            }
        }
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
        self.freed.notify_one();
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
        book.allowances.retain(|_, allowance| !allowance.is_full(self.limits.scaling, now));
        drop(book);
        drop(ended);
    }

    /// How many instances of each function wait for events.
    pub(crate) fn idle(&self) -> HashMap<FunctionId, usize> {
        let mut counts = HashMap::new();
        for (version, stack) in &self.book().stacks {
            *counts.entry(version.function.clone()).or_default() += stack.idle.len();
        }
        counts
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
            book.line = Line::default();
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
    /// Finds something for one of those who wait: where it goes, and what it is. What has to end for it or was
    /// found to have ended comes to `gone`, which is to be dropped without the book.
    fn serve(
        &mut self,
        scheduler: &Scheduler,
        gone: &mut Vec<Idle>,
    ) -> Option<(oneshot::Sender<Given>, Given)> {
        let mut may_start = true;
        for (id, want) in self.order(&scheduler.memory) {
            let found = match self.stack(&want.loaded, scheduler.limits.first_uid, gone) {
                Ok(_) => self.find(scheduler, &want, &mut may_start, gone),
                Err(error) => Some(Err(error)),
            };
            if let Some(found) = found {
                return self.line.take(&id).map(|give| (give, found));
            }
            if !gone.is_empty() {
                return None;
            }
        }
        None
    }

    /// Those whose turn it is, the function first that would have least of the memory with what it wants; of
    /// equals one that has an idle instance, which need not give way then.
    fn order(&mut self, memory: &Memory) -> Vec<(FunctionId, Want)> {
        let Self { line, stacks, .. } = self;
        let mut waiting: Vec<_> =
            line.firsts().map(|(id, at, want)| (id.clone(), at, want.clone())).collect();
        if waiting.len() > 1 {
            let mut idle: HashMap<&FunctionId, u32> = HashMap::new();
            for (version, stack) in stacks.iter() {
                *idle.entry(&version.function).or_default() +=
                    stack.idle.iter().map(|idle| idle.instance.memory_mb()).sum::<u32>();
            }
            waiting.sort_by_cached_key(|(id, at, want)| {
                let busy = memory.of(id).saturating_sub(idle.get(id).copied().unwrap_or_default());
                let with = busy.saturating_add(want.loaded.version.settings.memory_mb);
                let own = stacks.get(&want.loaded.version_id());
                (with, own.is_none_or(|stack| stack.idle.is_empty()), *at)
            });
        }
        waiting.into_iter().map(|(id, _, want)| (id, want)).collect()
    }

    /// What is wanted, if there is any. Once nobody `may_start` an instance because the first in the line
    /// waits for memory or a slot, what others can have is an idle one.
    fn find(
        &mut self,
        scheduler: &Scheduler,
        want: &Want,
        may_start: &mut bool,
        gone: &mut Vec<Idle>,
    ) -> Option<Result<Claim, ApiError>> {
        let loaded = &want.loaded;
        let stack = self.stacks.get_mut(&loaded.version_id())?;
        let ids = stack.ids;
        if let Kind::Any(until) = want.kind {
            if let Some(instance) = stack.pop(until, gone) {
                return Some(Ok(Claim::Warm(instance)));
            }
            let (max, now) = (scheduler.limits.scaling, Instant::now());
            let allowance = self.allowances.entry(loaded.id.clone());
            if !allowance.or_insert_with(|| Allowance::full(max, now)).has_one(max, now) {
                return Some(Err(throttled("FunctionInvocationRateLimitExceeded")));
            }
        }
        if !*may_start {
            return None;
        }
        if !scheduler.slots.has_one() {
            *may_start = false;
            return None;
        }
        match scheduler.memory.take(&loaded.id, loaded.version.settings.memory_mb) {
            Some(memory) => {
                // Still free: they are taken under the book's lock only.
                let slot = scheduler.slots.take()?;
                if let (Kind::Any(_), Some(allowance)) = (want.kind, self.allowances.get_mut(&loaded.id)) {
                    allowance.take_one();
                }
                Some(Ok(Claim::Cold(Means { ids, memory, slot })))
            }
            None => {
                *may_start = false;
                gone.extend(self.coldest());
                None
            }
        }
    }

    /// Takes out the instance that has been idle for longest, if one may go.
    fn coldest(&mut self) -> Option<Idle> {
        let Self { stacks, kept, .. } = self;
        let candidates = stacks.iter_mut().filter_map(|(version, stack)| {
            let kept = kept.get(version);
            let may_go = |idle: &Idle| !kept.is_some_and(|kept| kept.holds(&idle.instance));
            let at = stack.idle.iter().position(may_go)?;
            Some((stack.idle[at].since, at, stack))
        });
        candidates.min_by_key(|(since, ..)| *since).map(|(_, at, stack)| stack.idle.remove(at))
    }

    /// The function's stack, of its present generation; instances of another one are `gone`.
    fn stack(
        &mut self,
        loaded: &Loaded,
        first_uid: u32,
        gone: &mut Vec<Idle>,
    ) -> Result<&mut Stack, ApiError> {
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
            gone.append(&mut stack.idle);
        }
        Ok(stack)
    }
}

impl Stack {
    /// The latest idle instance that still lives and whose credentials last until `until`.
    fn pop(&mut self, until: Timestamp, gone: &mut Vec<Idle>) -> Option<Arc<Instance>> {
        while let Some(idle) = self.idle.pop() {
            let instance = &idle.instance;
            if !instance.has_ended() && until < instance.expires && instance.wake() {
                return Some(idle.instance);
            }
            gone.push(idle);
        }
        None
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
