//! Load, decide, save with a check, again if somebody was faster.
//!
//! Who updates the same row in this process takes turns at its latch, so a hot row costs one attempt
//! each instead of collapsing under retries. Another process's write shows as a failed check, and the
//! decision is made again on what it wrote.

use crate::{Check, Commit, Key, Outcome, Record, Store, StoreError};

const ATTEMPTS_MAX: u32 = 32;

/// What is to become of a record, and what the caller wants to know afterwards.
pub struct Decision<R, T> {
    next: Next<R>,
    commit: Commit,
    answer: T,
}

enum Next<R> {
    Keep,
    Save(R),
    Delete,
}

impl<R, T> Decision<R, T> {
    /// Leaves the record as it is.
    pub fn keep(answer: T) -> Self {
        Self { next: Next::Keep, commit: Commit::new(), answer }
    }

    /// Writes `record`.
    pub fn save(record: R, answer: T) -> Self {
        Self { next: Next::Save(record), commit: Commit::new(), answer }
    }

    /// Removes the record.
    pub fn delete(answer: T) -> Self {
        Self { next: Next::Delete, commit: Commit::new(), answer }
    }

    /// Lets more happen in the same commit: index rows, log records, a fence. If one of its own checks
    /// fails, the update ends with [`StoreError::CheckFailed`], counted in `commit`'s checks.
    pub fn with(mut self, commit: Commit) -> Self {
        self.commit = self.commit.and(commit);
        self
    }
}

/// Replaces the record at `key` by what `decide` makes of it (`None`: there is none); returns its answer.
///
/// `decide` may be called several times and must not have effects. Gives up with
/// [`StoreError::Conflict`] after 32 attempts. `Unknown` is passed on: give the commit a token
/// if the update may be repeated.
pub async fn update<R, T, E>(
    store: &dyn Store,
    key: &Key,
    mut decide: impl FnMut(Option<R>) -> Result<Decision<R, T>, E>,
) -> Result<T, E>
where
    R: Record,
    E: From<StoreError>,
{
    let _turn = store.latches().of(key).await;
    for _ in 0..ATTEMPTS_MAX {
        let current = store.get(key).await?;
        let record = current.as_ref().map(|row| R::decode(&row.value)).transpose()?;
        let Decision { next, commit, answer } = decide(record)?;
        let seen = match &current {
            Some(row) => Check::At(key.clone(), row.stamp),
            None => Check::Absent(key.clone()),
        };
        let own = match next {
            Next::Keep if commit.ops.is_empty() => return Ok(answer),
            Next::Keep => Commit::new().check(seen),
            Next::Save(record) => Commit::new().check(seen).put(key.clone(), record.encode()?),
            Next::Delete => Commit::new().check(seen).delete(key.clone()),
        };
        match store.commit(own.and(commit)).await? {
            Outcome::Done(_) => return Ok(answer),
            Outcome::CheckFailed { check: 0, .. } => tokio::task::yield_now().await,
            Outcome::CheckFailed { check, .. } => {
                return Err(StoreError::CheckFailed { check: check - 1 }.into());
            }
            Outcome::Fenced => return Err(StoreError::Fenced.into()),
        }
    }
    Err(StoreError::Conflict { attempts: ATTEMPTS_MAX }.into())
}
