//! The durable engine: fjall, one directory, one process.
//!
//! Invariants: an outcome is given only after the batch's fdatasync; readers see only synced batches
//! (fjall makes a batch visible after it is durable); a failed write or sync ends all writing until the
//! store is opened anew, because what the disk holds is unknown from then on; every row read is
//! checked. All spaces share one tree, so a batch is recovered whole or not at all (`sequence.rs`).
//!
//! Point reads run on the caller's thread: they cost microseconds from memory, and a cold block is one
//! 4 KiB read, less than the two thread changes that moving it would cost. Ranges of more than
//! [`INLINE_ROWS`] rows move to Tokio's blocking pool.

mod batch;
mod fault;
mod journal;
mod lock;
mod open;
mod row;
mod sequence;
mod tip;
mod tokens;
mod view;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use crc_fast::{CrcAlgorithm, Digest};
use fjall::{Database, Keyspace, OwnedWriteBatch, PersistMode};
use pagoda_base::{Clock, Random};

use self::batch::Batch;
pub use self::fault::{Fault, Faults};
use self::sequence::{CommitRow, Trim};
use self::tip::Tip;
use self::tokens::Tokens;
use self::view::View;
use crate::{Commit, Consistency, Engine, Key, OpenError, Outcome, Read, Rows, Space, Stamp};
use crate::{StoreError, Versioned};

const JOURNALS_BYTES_MAX: u64 = 128 << 20;
/// Ranges of up to this many rows, over all reads of a call, are read on the caller's thread.
const INLINE_ROWS: u32 = 64;

type Answers = Vec<Result<Outcome, StoreError>>;

/// A data directory in use.
pub struct Embedded {
    database: Database,
    rows: Keyspace,
    dir: PathBuf,
    identity: [u8; 16],
    clock: Arc<dyn Clock>,
    faults: Faults,
    writer: Mutex<Writer>,
    visible: AtomicU64,
    dead: OnceLock<String>,
    _lock: lock::Lock, // declared last: let go only after the database is
}

struct Writer {
    last: CommitRow,
    trim: Trim,
    tokens: Tokens,
}

/// What goes to disk together.
struct Changes {
    batch: OwnedWriteBatch,
    content: Digest,
    bytes: u64,
}

impl Embedded {
    /// Opens the store in `dir`, creating it if there is none. Blocks while it recovers.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>, random: &dyn Random) -> Result<Self, OpenError> {
        Self::open_faulty(dir, clock, random, Faults::default())
    }

    /// As [`Embedded::open`], with failures that a test may arm.
    pub fn open_faulty(
        dir: &Path,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
        faults: Faults,
    ) -> Result<Self, OpenError> {
        std::fs::create_dir_all(dir).map_err(|source| OpenError::Io { path: dir.into(), source })?;
        let lock = lock::take(dir)?;
        let open::Opened { database, rows, identity, oldest, last } = open::open(dir, random)?;
        let view = View { snapshot: database.snapshot(), rows: rows.clone() };
        let tokens = Tokens::load(&view)
            .map_err(|error| OpenError::Damaged { path: dir.into(), what: error.to_string() })?;
        tracing::info!(dir = %dir.display(), batches = last.number, "store opened");
        Ok(Self {
            writer: Mutex::new(Writer { last, trim: Trim::new(oldest), tokens }),
            visible: AtomicU64::new(last.number),
            dir: dir.into(),
            dead: OnceLock::new(),
            _lock: lock,
            database,
            rows,
            identity,
            clock,
            faults,
        })
    }

    fn view(&self) -> View {
        View { snapshot: self.database.snapshot(), rows: self.rows.clone() }
    }

    fn write(&self, writer: &mut Writer, commits: Vec<Commit>) -> Answers {
        let now = self.clock.now().as_millisecond();
        let number = writer.last.number + 1;
        let mut changes = Changes::new(&self.database);
        writer.tokens.forget(now);
        let mut batch = Batch::on(self.view());
        let mut answers = Vec::with_capacity(commits.len());
        for (index, mut commit) in (0..=u16::MAX).zip(commits) {
            let stamp = Stamp::new(number, index);
            let token = commit.token.take();
            if let Some(first) = token.and_then(|token| writer.tokens.stamp(&token)) {
                answers.push(Ok(Outcome::Done(first)));
                continue;
            }
            let answer = batch.apply(commit, stamp);
            if let (Ok(Outcome::Done(_)), Some(token)) = (&answer, token) {
                let (key, value) = writer.tokens.remember(token, stamp, now);
                changes.put(&self.rows, key, value);
            }
            answers.push(answer);
        }
        let happened = |answer: &Result<Outcome, _>| matches!(answer, Ok(Outcome::Done(stamp)) if stamp.batch() == number);
        if !answers.iter().any(happened) {
            return answers; // nothing changed, so nothing needs to be durable
        }
        changes.take_up(&self.rows, &batch);
        for key in writer.tokens.take_gone() {
            changes.batch.remove(&self.rows, key);
        }
        match self.sync(writer, changes) {
            Ok(()) => answers,
            Err(error) => answers.into_iter().map(|answer| Err(self.failed(answer, &error))).collect(),
        }
    }

    /// Adds the batch's own record and makes everything durable.
    fn sync(&self, writer: &mut Writer, mut changes: Changes) -> Result<(), fjall::Error> {
        let next = writer.last.next(changes.content.finalize() as u32);
        let old = writer.trim.step(next.number, changes.bytes);
        if !old.is_empty() {
            changes.batch.insert(&self.rows, [row::OLDEST], old.end.to_le_bytes());
        }
        for number in old {
            changes.batch.remove(&self.rows, CommitRow::key(number));
        }
        changes.batch.insert(&self.rows, CommitRow::key(next.number), next.encode(&self.identity));
        self.commit_durably(changes.batch)?;
        writer.last = next;
        self.visible.store(next.number, Ordering::Release);
        Ok(())
    }

    fn commit_durably(&self, batch: OwnedWriteBatch) -> Result<(), fjall::Error> {
        match self.faults.take() {
            None => batch.durability(Some(PersistMode::SyncData)).commit(),
            Some(fault @ Fault::SyncFailsKept) => {
                batch.durability(Some(PersistMode::SyncData)).commit()?;
                Err(fault.error().into())
            }
            Some(fault) => Err(fault.error().into()),
        }
    }

    /// Ends all writing, and says of one commit of the failed batch what can be said.
    fn failed(&self, answer: Result<Outcome, StoreError>, error: &fjall::Error) -> StoreError {
        let reason = self.dead.get_or_init(|| {
            tracing::error!(%error, dir = %self.dir.display(), "the store can't write any more; restart it");
            format!("writing failed, and the store must be opened anew: {error}")
        });
        match (answer, error) {
            (Err(own), _) => own,
            (Ok(Outcome::Done(_)), error) if !matches!(error, fjall::Error::Poisoned) => {
                StoreError::Unknown(reason.clone())
            }
            // Nothing of it was written; but why it was refused may have been a row that is now lost.
            (Ok(_), _) => StoreError::Unavailable(reason.clone()),
        }
    }
}

impl Changes {
    fn new(database: &Database) -> Self {
        Self { batch: database.batch(), content: Digest::new(CrcAlgorithm::Crc32Iscsi), bytes: 0 }
    }

    fn take_up(&mut self, rows: &Keyspace, batch: &Batch) {
        for (key, written) in batch.rows() {
            let key = row::key_bytes(key);
            match written {
                Some((value, stamp)) => {
                    let value = row::encode(&key, *stamp, value);
                    self.put(rows, key, value);
                }
                None => {
                    self.content.update(&key);
                    self.batch.remove(rows, key);
                }
            }
        }
    }

    fn put(&mut self, rows: &Keyspace, key: Vec<u8>, value: Vec<u8>) {
        self.content.update(&key);
        self.content.update(&value);
        self.bytes += (key.len() + value.len()) as u64;
        self.batch.insert(rows, key, value);
    }
}

#[async_trait]
impl Engine for Embedded {
    async fn apply(&self, batch: Vec<Commit>) -> Answers {
        if let Some(reason) = self.dead.get() {
            return batch.iter().map(|_| Err(StoreError::Unavailable(reason.clone()))).collect();
        }
        match self.writer.lock() {
            Ok(mut writer) => self.write(&mut writer, batch),
            Err(_) => {
                let reason = "an earlier batch ended in a panic; restart the store";
                batch.iter().map(|_| Err(StoreError::Unavailable(reason.into()))).collect()
            }
        }
    }

    async fn read(&self, reads: &[Read], _: Consistency) -> Result<Vec<Rows>, StoreError> {
        let rows_max = reads.iter().map(|read| match read {
            Read::Get(_) => 1,
            Read::Range { limit, .. } => *limit,
        });
        let view = self.view();
        if rows_max.sum::<u32>() <= INLINE_ROWS {
            return reads.iter().map(|read| view.answer(read)).collect();
        }
        let reads = reads.to_vec();
        let answers = move || reads.iter().map(|read| view.answer(read)).collect();
        let failed = |error| StoreError::Unavailable(format!("reading was cut short: {error}"));
        tokio::task::spawn_blocking(answers).await.map_err(failed)?
    }

    fn get_now(&self, key: &Key) -> Option<Result<Option<Versioned>, StoreError>> {
        let found = self.view().get(key);
        Some(found.map(|row| row.map(|(value, stamp)| Versioned { value, stamp })))
    }

    async fn stable(&self, _: Space) -> Result<Stamp, StoreError> {
        Ok(Stamp::new(self.visible.load(Ordering::Acquire), u16::MAX))
    }

    fn close(&self) {
        let commits = self.visible.load(Ordering::Acquire);
        if self.dead.get().is_some() {
            return; // what is on disk is unknown: the next start looks for itself
        }
        let clean = Tip { identity: self.identity, commits, clean: true };
        if let Err(error) = clean.save(&self.dir) {
            tracing::warn!(%error, "the store's clean end was not recorded; the next start takes longer");
        }
    }
}
