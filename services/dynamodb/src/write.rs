//! Changes single items: with one commit that nothing precedes where nothing has to be known, otherwise by
//! reading, deciding and committing what was decided, if the item still is as it was read.
//!
//! Writers of the same item take turns at its latch, so that a hot item costs each of them one attempt.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::try_join_all;
use pagoda_protocol::ApiError;
use pagoda_store::{Check, Commit, Key, Op, Outcome, StoreError};

use crate::DynamoDb;
use crate::access::not_found;
use crate::known::Open;
use crate::value::Item;
use crate::{codec, stream};

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

/// An item that is written, or removed where there are no bytes.
pub(crate) struct Write {
    pub(crate) row: Key,
    pub(crate) bytes: Option<Bytes>,
}

impl Write {
    pub(crate) fn op(&self) -> Op {
        match &self.bytes {
            Some(bytes) => Op::Put(self.row.clone(), bytes.clone()),
            None => Op::Delete(self.row.clone()),
        }
    }
}

impl DynamoDb {
    /// Writes items, whatever they were: all at once, or each for itself where a stream tells what it was.
    ///
    /// # Errors
    /// `ResourceNotFoundException` when the table is gone.
    pub(crate) async fn write(&self, table: &Arc<Open>, writes: Vec<Write>) -> Result<(), ApiError> {
        let mut table = Arc::clone(table);
        for _ in 0..ATTEMPTS_MAX {
            if table.stream().is_some() {
                let each = writes.iter().map(|write| self.write_one(&table, write));
                return try_join_all(each).await.map(drop);
            }
            let ops = writes.iter().map(Write::op).collect();
            let commit = Commit { ops, ..table.fence() };
            match self.store().commit(commit).await? {
                Outcome::CheckFailed { .. } => table = self.reopen(&table).await?,
                outcome => return Ok(outcome.done().map(drop)?),
            }
        }
        Err(StoreError::Conflict { attempts: ATTEMPTS_MAX }.into())
    }

    async fn write_one(&self, table: &Arc<Open>, write: &Write) -> Result<(), ApiError> {
        let next = |_| match &write.bytes {
            Some(bytes) => Ok((Next::Put(bytes.clone()), ())),
            None => Ok((Next::Delete, ())),
        };
        self.change(table, &write.row, next).await
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
            let write = match next {
                Next::Keep => return Ok(answer),
                Next::Put(bytes) => Write { row: row.clone(), bytes: Some(bytes) },
                Next::Delete => Write { row: row.clone(), bytes: None },
            };
            let mut commit = table.fence().check(seen).op(write.op());
            if table.stream().is_some() {
                let old = found.as_ref().map(|found| &found.value);
                commit = stream::record(commit, &table, old, write.bytes.as_ref(), self.clock.now())?;
            }
            match self.store().commit(commit).await? {
                Outcome::CheckFailed { check: 0, .. } => table = self.reopen(&table).await?,
                Outcome::CheckFailed { .. } => tokio::task::yield_now().await,
                outcome => return Ok(outcome.done().map(|_| answer)?),
            }
        }
        Err(StoreError::Conflict { attempts: ATTEMPTS_MAX }.into())
    }

    /// The same table as it is now, after its record was found changed.
    pub(crate) async fn reopen(&self, table: &Open) -> Result<Arc<Open>, ApiError> {
        self.known.forget(&table.key);
        let open = self.known.open(self.store(), &table.place).await?;
        open.filter(|open| open.record.id == table.record.id).ok_or_else(not_found)
    }
}
