//! Group commit: commits that arrive together share one durable write, each with its own outcome.
//!
//! One thread owns all writing. While it syncs a batch, the next one collects in its queue; commits
//! on the same rows are chained, because the engine applies a batch in order. Invariants: the queue is
//! bounded, so callers wait rather than memory grow; a batch is at most [`BATCH_COMMITS_MAX`] commits,
//! which also is why an index in the batch fits a stamp's two bytes; the writer is a thread of its own,
//! so neither a slow fsync nor a crowd in the runtime's blocking pool holds up the other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::latch::Latches;
use crate::watch::Hub;
use crate::{Commit, Consistency, Engine, Key, Outcome, Read, Rows, Space, Stamp, Store, StoreError};
use crate::{Topic, Versioned, Watch};

/// Most commits in one batch.
pub const BATCH_COMMITS_MAX: usize = 1024;
/// A batch takes no further commit once it holds this many bytes.
const BATCH_BYTES_ENOUGH: usize = 4_000_000;
/// Commits that wait for the batch being written, beyond which callers wait.
const QUEUE_COMMITS_MAX: usize = 4 * BATCH_COMMITS_MAX;

type Answer = Result<Outcome, StoreError>;

struct Pending {
    commit: Commit,
    answer: oneshot::Sender<Answer>,
}

/// How much was written in how many durable writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Commits answered.
    pub commits: u64,
    /// Batches they were in.
    pub batches: u64,
}

#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    batches: AtomicU64,
}

/// A [`Store`] over an [`Engine`].
pub struct Combiner<E: Engine> {
    engine: Arc<E>,
    queue: Mutex<Option<mpsc::Sender<Pending>>>,
    finished: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
    hub: Arc<Hub>,
    counters: Arc<Counters>,
    latches: Latches,
}

impl<E: Engine> Combiner<E> {
    /// Starts the writer. Must be called within a Tokio runtime, which the engine's futures run on.
    pub fn start(engine: E) -> std::io::Result<Self> {
        let engine = Arc::new(engine);
        let hub = Arc::<Hub>::default();
        let counters = Arc::<Counters>::default();
        let (queue, pending) = mpsc::channel(QUEUE_COMMITS_MAX);
        let (finish, finished) = oneshot::channel();
        let writer = Writer { engine: engine.clone(), hub: hub.clone(), counters: counters.clone() };
        let runtime = Handle::current();
        std::thread::Builder::new().name("store-writer".into()).spawn(move || {
            writer.run(pending, &runtime);
            drop(writer); // so that the engine ends with the store that was closed
            finish.send(()).ok(); // nobody need be waiting
        })?;
        let (queue, finished) = (Mutex::new(Some(queue)), tokio::sync::Mutex::new(Some(finished)));
        Ok(Self { engine, queue, finished, hub, counters, latches: Latches::default() })
    }

    /// Commits and batches written since the start: their ratio is the gain of grouping.
    pub fn written(&self) -> Written {
        let commits = self.counters.commits.load(Ordering::Relaxed);
        Written { commits, batches: self.counters.batches.load(Ordering::Relaxed) }
    }

    fn queue(&self) -> Option<mpsc::Sender<Pending>> {
        self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

#[async_trait]
impl<E: Engine> Store for Combiner<E> {
    async fn read(&self, reads: &[Read], consistency: Consistency) -> Result<Vec<Rows>, StoreError> {
        crate::read::validate(reads)?;
        self.engine.read(reads, consistency).await
    }

    fn get_now(&self, key: &Key) -> Option<Result<Option<Versioned>, StoreError>> {
        self.engine.get_now(key)
    }

    async fn commit(&self, commit: Commit) -> Answer {
        commit.validate()?;
        let closed = || StoreError::Unavailable("it is closed".into());
        let (answer, answered) = oneshot::channel();
        let queue = self.queue().ok_or_else(closed)?;
        queue.send(Pending { commit, answer }).await.map_err(|_| closed())?;
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::Unknown("the writer ended before it answered".into())))
    }

    async fn stable(&self, space: Space) -> Result<Stamp, StoreError> {
        self.engine.stable(space).await
    }

    fn watch(&self, topic: Topic) -> Watch {
        self.hub.watch(topic)
    }

    fn latches(&self) -> &Latches {
        &self.latches
    }

    async fn close(&self) {
        self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(finished) = self.finished.lock().await.take() {
            finished.await.ok(); // an error means that the writer is gone already
        }
    }
}

struct Writer<E: Engine> {
    engine: Arc<E>,
    hub: Arc<Hub>,
    counters: Arc<Counters>,
}

impl<E: Engine> Writer<E> {
    fn run(&self, mut pending: mpsc::Receiver<Pending>, runtime: &Handle) {
        while let Some(first) = pending.blocking_recv() {
            let batch = collect(first, &mut pending);
            self.write(batch, runtime);
        }
        self.engine.close();
    }

    fn write(&self, batch: Vec<Pending>, runtime: &Handle) {
        let (mut commits, mut waiting) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for Pending { mut commit, answer } in batch {
            waiting.push((std::mem::take(&mut commit.hints), answer));
            commits.push(commit);
        }
        self.counters.commits.fetch_add(commits.len() as u64, Ordering::Relaxed);
        self.counters.batches.fetch_add(1, Ordering::Relaxed);
        let outcomes = runtime.block_on(self.engine.apply(commits));
        debug_assert_eq!(outcomes.len(), waiting.len(), "one answer each");
        for (outcome, (hints, answer)) in outcomes.into_iter().zip(waiting) {
            if matches!(outcome, Ok(Outcome::Done(_))) {
                hints.iter().for_each(|topic| self.hub.tell(topic));
            }
            answer.send(outcome).ok(); // the caller may have stopped waiting; the commit stands
        }
    }
}

fn collect(first: Pending, pending: &mut mpsc::Receiver<Pending>) -> Vec<Pending> {
    let mut bytes = first.commit.bytes();
    let mut batch = vec![first];
    while batch.len() < BATCH_COMMITS_MAX && bytes < BATCH_BYTES_ENOUGH {
        let Ok(next) = pending.try_recv() else { break };
        bytes += next.commit.bytes();
        batch.push(next);
    }
    batch
}
