//! The two traits: what services hold, and what an engine offers beneath.

use async_trait::async_trait;

use crate::latch::Latches;
use crate::{
    Commit, Consistency, Key, Outcome, Read, Rows, Space, Stamp, StoreError, Topic, Versioned, Watch,
};

/// A durable, ordered, transactional key-value space. Services hold it as `Arc<dyn Store>`.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Answers all reads from one snapshot, in their order.
    async fn read(&self, reads: &[Read], consistency: Consistency) -> Result<Vec<Rows>, StoreError>;

    /// The row at a key, if this store can tell without waiting; `None` means: ask [`Store::read`].
    fn get_now(&self, key: &Key) -> Option<Result<Option<Versioned>, StoreError>>;

    /// Makes the change; once it answers `Done`, it survives power loss.
    /// It happens (or not) even if the caller stops waiting.
    async fn commit(&self, commit: Commit) -> Result<Outcome, StoreError>;

    /// A stamp at or below which nothing can still appear in `space`: how far a log's reader may read.
    async fn stable(&self, space: Space) -> Result<Stamp, StoreError>;

    /// Hints from commits that named `topic`, from now on.
    fn watch(&self, topic: Topic) -> Watch;

    /// Turns for read-modify-write of single rows; see [`crate::update`].
    fn latches(&self) -> &Latches;

    /// Answers the commits asked before and ends writing in order; later commits are `Unavailable`.
    /// The data directory is free once the last `Arc` of the store is dropped after it.
    async fn close(&self);
}

impl dyn Store {
    /// The newest row at a key. Allocates nothing but the value where the store can answer at once.
    pub async fn get(&self, key: &Key) -> Result<Option<Versioned>, StoreError> {
        if let Some(answer) = self.get_now(key) {
            return answer;
        }
        let mut answers = self.read(&[Read::Get(key.clone())], Consistency::Strong).await?;
        let row = answers.pop().and_then(|mut answer| answer.rows.pop());
        Ok(row.map(|row| Versioned { value: row.value, stamp: row.stamp }))
    }

    /// The answer to a single read of the newest state.
    pub async fn rows(&self, read: Read) -> Result<Rows, StoreError> {
        let mut answers = self.read(&[read], Consistency::Strong).await?;
        answers.pop().ok_or_else(|| StoreError::Corrupt("the engine gave no answer to a read".into()))
    }

    /// Removes all rows in `[lo, hi)`, however many, in commits of a thousand rows: not atomic as a whole.
    /// Each step carries `guard`'s checks and fence, so it stops when they no longer hold.
    pub async fn clear_in_steps(&self, lo: Key, hi: Key, guard: &Commit) -> Result<(), StoreError> {
        const STEP_ROWS: u32 = 1_000;
        let mut lo = lo;
        loop {
            let bytes = crate::limits::RANGE_BYTES_MAX;
            let read =
                Read::Range { lo: lo.clone(), hi: hi.clone(), limit: STEP_ROWS, bytes, reverse: false };
            let found = self.rows(read).await?;
            let Some(last) = found.rows.last() else { return Ok(()) };
            let next = last.key.successor();
            self.commit(guard.clone().clear_range(lo, next.clone())).await?.done()?;
            if !found.more {
                return Ok(());
            }
            lo = next;
        }
    }
}

/// What stores bytes. [`crate::Combiner`] makes a [`Store`] of it.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Applies the commits in their order, each seeing those before it, with one durable write;
    /// one answer each. May block its thread: only the combiner's writer calls it, one batch at a time.
    async fn apply(&self, batch: Vec<Commit>) -> Vec<Result<Outcome, StoreError>>;

    /// As [`Store::read`].
    async fn read(&self, reads: &[Read], consistency: Consistency) -> Result<Vec<Rows>, StoreError>;

    /// As [`Store::get_now`].
    fn get_now(&self, key: &Key) -> Option<Result<Option<Versioned>, StoreError>>;

    /// As [`Store::stable`].
    async fn stable(&self, space: Space) -> Result<Stamp, StoreError>;

    /// Called once, after the last batch.
    fn close(&self);
}
