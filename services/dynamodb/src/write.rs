//! Changes single items: with one commit that nothing precedes where nothing has to be known, otherwise by
//! reading, deciding and committing what was decided, if the item still is as it was read.
//!
//! Writers of the same item take turns at its latch, so that a hot item costs each of them one attempt.

use std::sync::Arc;

use bytes::Bytes;
use pagoda_protocol::ApiError;
use pagoda_store::{Check, Commit, Key, Op, Outcome, StoreError};

use crate::DynamoDb;
use crate::access::not_found;
use crate::codec;
use crate::known::Open;
use crate::value::Item;

const ATTEMPTS_MAX: u32 = 32;

/// What becomes of an item.
pub(crate) enum Next {
    /// It stays as it is.
    Keep,
    /// It is written.
    Put(Bytes),
    /// It is removed.
    Delete,
}

impl DynamoDb {
    /// Makes `ops` happen in a table, whatever its items are.
    ///
    /// # Errors
    /// `ResourceNotFoundException` when the table is gone.
    pub(crate) async fn write(&self, table: &Arc<Open>, ops: Vec<Op>) -> Result<(), ApiError> {
        let mut table = Arc::clone(table);
        for _ in 0..ATTEMPTS_MAX {
            let commit = Commit { ops: ops.clone(), ..table.fence() };
            match self.store().commit(commit).await? {
                Outcome::CheckFailed { .. } => table = self.reopen(&table).await?,
                outcome => return Ok(outcome.done().map(drop)?),
            }
        }
        Err(StoreError::Conflict { attempts: ATTEMPTS_MAX }.into())
    }

    /// Makes of the item at `row` what `decide` says, and answers what it answers. It may be called several
    /// times and must not have effects.
    ///
    /// # Errors
    /// Those of `decide`; `ResourceNotFoundException` when the table is gone.
    pub(crate) async fn change<T>(
        &self,
        table: &Arc<Open>,
        row: &Key,
        mut decide: impl FnMut(Option<Item>) -> Result<(Next, T), ApiError>,
    ) -> Result<T, ApiError> {
        let _turn = self.store().latches().of(row).await;
        let mut table = Arc::clone(table);
        for _ in 0..ATTEMPTS_MAX {
            let found = self.store().get(row).await?;
            let item = found.as_ref().map(|found| codec::decode(&found.value)).transpose()?;
            let (next, answer) = decide(item)?;
            let seen = match &found {
                Some(found) => Check::At(row.clone(), found.stamp),
                None => Check::Absent(row.clone()),
            };
            let op = match next {
                Next::Keep => return Ok(answer),
                Next::Put(bytes) => Op::Put(row.clone(), bytes),
                Next::Delete => Op::Delete(row.clone()),
            };
            match self.store().commit(table.fence().check(seen).op(op)).await? {
                Outcome::CheckFailed { check: 0, .. } => table = self.reopen(&table).await?,
                Outcome::CheckFailed { .. } => tokio::task::yield_now().await,
                outcome => return Ok(outcome.done().map(|_| answer)?),
            }
        }
        Err(StoreError::Conflict { attempts: ATTEMPTS_MAX }.into())
    }

    /// The same table as it is now, after its record was found changed.
    async fn reopen(&self, table: &Open) -> Result<Arc<Open>, ApiError> {
        self.known.forget(&table.key);
        let open = self.known.open(self.store(), &table.place).await?;
        open.filter(|open| open.record.id == table.record.id).ok_or_else(not_found)
    }
}
