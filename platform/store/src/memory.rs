//! The reference engine: a sorted map in memory, one commit after the other.
//!
//! It is the model that the durable engine is tested against, and the store of tests that need none.
//! Deliberately plain: no overlay, no batching, changes undone one by one when a commit fails midway.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use pagoda_base::Clock;

use crate::commit::{appended, clearable, counter};
use crate::retention::{TOKEN_MILLISECONDS, TOKENS_MAX};
use crate::{Check, Commit, Consistency, Engine, Key, Op, Outcome, Read, Row, Rows, Space, Stamp};
use crate::{StoreError, Versioned};

/// An engine that forgets everything when it is dropped.
pub struct Memory {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rows: BTreeMap<Key, (Bytes, Stamp)>,
    batch: u64,
    tokens: HashMap<[u8; 16], (Stamp, i64)>,
}

type Undo = Vec<(Key, Option<(Bytes, Stamp)>)>;

impl Memory {
    /// An empty store; the clock tells when tokens are forgotten.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[async_trait]
impl Engine for Memory {
    async fn apply(&self, batch: Vec<Commit>) -> Vec<Result<Outcome, StoreError>> {
        let now = self.clock.now().as_millisecond();
        let mut state = self.state();
        state.forget_tokens(now);
        let number = state.batch + 1;
        let numbered = (0..=u16::MAX).zip(batch);
        let answers: Vec<_> =
            numbered.map(|(index, commit)| state.apply(commit, Stamp::new(number, index), now)).collect();
        let happened =
            |answer: &Result<_, _>| matches!(answer, Ok(Outcome::Done(stamp)) if stamp.batch() == number);
        if answers.iter().any(happened) {
            state.batch = number;
        }
        answers
    }

    async fn read(&self, reads: &[Read], _: Consistency) -> Result<Vec<Rows>, StoreError> {
        let state = self.state();
        reads.iter().map(|read| state.read(read)).collect()
    }

    fn get_now(&self, key: &Key) -> Option<Result<Option<Versioned>, StoreError>> {
        let found = self.state().rows.get(key).cloned();
        Some(Ok(found.map(|(value, stamp)| Versioned { value, stamp })))
    }

    async fn stable(&self, _: Space) -> Result<Stamp, StoreError> {
        Ok(Stamp::new(self.state().batch, u16::MAX))
    }

    fn close(&self) {}
}

impl State {
    fn apply(&mut self, commit: Commit, stamp: Stamp, now: i64) -> Result<Outcome, StoreError> {
        if let Some((first, _)) = commit.token.and_then(|token| self.tokens.get(&token)) {
            return Ok(Outcome::Done(*first));
        }
        if let Some((lease, taken)) = &commit.fence
            && self.rows.get(lease).is_none_or(|(_, stamp)| stamp != taken)
        {
            return Ok(Outcome::Fenced);
        }
        for (index, check) in commit.checks.iter().enumerate() {
            if let Some(failed) = self.refuted(index, check) {
                return Ok(failed);
            }
        }
        let mut undo = Undo::new();
        let mut cleared = 0;
        for op in commit.ops {
            if let Err(error) = self.write(op, stamp, &mut undo, &mut cleared) {
                self.roll_back(undo);
                return Err(error);
            }
        }
        if let Some(token) = commit.token {
            self.tokens.insert(token, (stamp, now));
        }
        Ok(Outcome::Done(stamp))
    }

    fn refuted(&self, index: usize, check: &Check) -> Option<Outcome> {
        let current = self.rows.get(check.key()).cloned();
        let holds = current.as_ref().map(|(_, stamp)| *stamp) == check.wanted();
        (!holds).then_some(Outcome::CheckFailed { check: index, current })
    }

    fn write(
        &mut self,
        op: Op,
        stamp: Stamp,
        undo: &mut Undo,
        cleared: &mut usize,
    ) -> Result<(), StoreError> {
        match op {
            Op::Put(key, value) => self.set(key, Some((value, stamp)), undo),
            Op::Delete(key) => self.set(key, None, undo),
            Op::Append { prefix, tail, value } => {
                self.set(appended(&prefix, stamp, &tail), Some((value, stamp)), undo);
            }
            Op::Add(key, amount) => {
                let before = counter(&key, self.rows.get(&key).map(|(value, _)| &value[..]))?;
                let sum = before.wrapping_add(amount).to_le_bytes();
                self.set(key, Some((Bytes::copy_from_slice(&sum), stamp)), undo);
            }
            Op::ClearRange(lo, hi) if lo < hi => {
                let keys: Vec<Key> = self.rows.range(lo..hi).map(|(key, _)| key.clone()).collect();
                *cleared += keys.len();
                clearable(*cleared)?;
                keys.into_iter().for_each(|key| self.set(key, None, undo));
            }
            Op::ClearRange(..) => {}
        }
        Ok(())
    }

    fn set(&mut self, key: Key, row: Option<(Bytes, Stamp)>, undo: &mut Undo) {
        let before = match row {
            Some(row) => self.rows.insert(key.clone(), row),
            None => self.rows.remove(&key),
        };
        undo.push((key, before));
    }

    fn roll_back(&mut self, undo: Undo) {
        for (key, before) in undo.into_iter().rev() {
            match before {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    fn forget_tokens(&mut self, now: i64) {
        self.tokens.retain(|_, (_, since)| now - *since < TOKEN_MILLISECONDS);
        while self.tokens.len() > TOKENS_MAX {
            let oldest = self.tokens.iter().min_by_key(|(_, (stamp, _))| *stamp).map(|(token, _)| *token);
            oldest.and_then(|token| self.tokens.remove(&token));
        }
    }

    fn read(&self, read: &Read) -> Result<Rows, StoreError> {
        let row = |(key, (value, stamp)): (&Key, &(Bytes, Stamp))| {
            Ok(Row { key: key.clone(), value: value.clone(), stamp: *stamp })
        };
        match read {
            Read::Get(key) => crate::read::bounded(self.rows.get_key_value(key).into_iter().map(row), 1, 0),
            Read::Range { lo, hi, .. } if lo >= hi => Ok(Rows::default()),
            Read::Range { lo, hi, limit, bytes, reverse: false } => {
                crate::read::bounded(self.rows.range(lo.clone()..hi.clone()).map(row), *limit, *bytes)
            }
            Read::Range { lo, hi, limit, bytes, reverse: true } => {
                crate::read::bounded(self.rows.range(lo.clone()..hi.clone()).rev().map(row), *limit, *bytes)
            }
        }
    }
}
