//! A batch in the making: each commit is judged on the snapshot and on what those before it did.
//!
//! Invariant: a commit that is refused, or fails midway, leaves no trace in the batch.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::view::View;
use crate::commit::{appended, clearable, counter};
use crate::{Check, Commit, Key, Op, Outcome, Stamp, StoreError};

type Written = Option<(Bytes, Stamp)>;

/// What the commits of a batch have written so far; `None` is a removed row.
pub(super) struct Batch {
    view: View,
    rows: BTreeMap<Key, Written>,
}

impl Batch {
    pub(super) fn on(view: View) -> Self {
        Self { view, rows: BTreeMap::new() }
    }

    /// What is to be written, in the order of the keys.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&Key, &Written)> {
        self.rows.iter()
    }

    /// Judges a commit and, if it happens, takes up what it writes.
    pub(super) fn apply(&mut self, commit: Commit, stamp: Stamp) -> Result<Outcome, StoreError> {
        if let Some((lease, taken)) = &commit.fence
            && self.get(lease)?.is_none_or(|(_, stamp)| stamp != *taken)
        {
            return Ok(Outcome::Fenced);
        }
        for (index, check) in commit.checks.iter().enumerate() {
            if let Some(failed) = self.refuted(index, check)? {
                return Ok(failed);
            }
        }
        let mut staged = BTreeMap::new();
        let mut cleared = 0;
        for op in commit.ops {
            self.stage(op, stamp, &mut staged, &mut cleared)?;
        }
        self.rows.extend(staged);
        Ok(Outcome::Done(stamp))
    }

    fn get(&self, key: &Key) -> Result<Written, StoreError> {
        match self.rows.get(key) {
            Some(written) => Ok(written.clone()),
            None => self.view.get(key),
        }
    }

    fn refuted(&self, index: usize, check: &Check) -> Result<Option<Outcome>, StoreError> {
        let current = self.get(check.key())?;
        let holds = current.as_ref().map(|(_, stamp)| *stamp) == check.wanted();
        Ok((!holds).then_some(Outcome::CheckFailed { check: index, current }))
    }

    fn stage(
        &self,
        op: Op,
        stamp: Stamp,
        staged: &mut BTreeMap<Key, Written>,
        cleared: &mut usize,
    ) -> Result<(), StoreError> {
        match op {
            Op::Put(key, value) => drop(staged.insert(key, Some((value, stamp)))),
            Op::Delete(key) => drop(staged.insert(key, None)),
            Op::Append { prefix, tail, value } => {
                staged.insert(appended(&prefix, stamp, &tail), Some((value, stamp)));
            }
            Op::Add(key, amount) => {
                let before = match staged.get(&key) {
                    Some(written) => written.clone(),
                    None => self.get(&key)?,
                };
                let sum = counter(&key, before.as_ref().map(|(value, _)| &value[..]))?.wrapping_add(amount);
                staged.insert(key, Some((Bytes::copy_from_slice(&sum.to_le_bytes()), stamp)));
            }
            Op::ClearRange(lo, hi) if lo < hi => {
                let live = self.live(&lo, &hi, staged, *cleared)?;
                *cleared += live.len();
                staged.extend(live.into_iter().map(|key| (key, None)));
            }
            Op::ClearRange(..) => {}
        }
        Ok(())
    }

    /// The rows that are there in `[lo, hi)` after what is staged.
    fn live(
        &self,
        lo: &Key,
        hi: &Key,
        staged: &BTreeMap<Key, Written>,
        cleared: usize,
    ) -> Result<BTreeSet<Key>, StoreError> {
        let mut live = BTreeSet::new();
        for (key, written) in self.rows.range(lo.clone()..hi.clone()) {
            if written.is_some() && !staged.contains_key(key) {
                live.insert(key.clone());
            }
        }
        for (key, written) in staged.range(lo.clone()..hi.clone()) {
            if written.is_some() {
                live.insert(key.clone());
            }
        }
        clearable(cleared + live.len())?;
        for key in self.view.keys(lo, hi) {
            let key = key?;
            if !self.rows.contains_key(&key) && !staged.contains_key(&key) {
                live.insert(key);
                clearable(cleared + live.len())?;
            }
        }
        Ok(live)
    }
}
