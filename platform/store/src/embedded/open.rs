//! Opening a data directory: lock, witness, recover, verify.
//!
//! Nothing is repaired. A directory that has lost acknowledged commits is refused, at every attempt.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions};
use pagoda_base::Random;

use super::row::{COMMITS, OLDEST};
use super::sequence::{self, CommitRow};
use super::tip::Tip;
use super::view::View;
use super::{JOURNALS_BYTES_MAX, journal};
use crate::OpenError;

const MEMTABLE_BYTES: u64 = 32 << 20;
const CACHE_BYTES: u64 = 64 << 20;

/// An engine that has been verified.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) rows: Keyspace,
    pub(super) identity: [u8; 16],
    pub(super) oldest: u64,
    pub(super) last: CommitRow,
}

/// Opens or creates what is in `dir`, which the caller has locked.
pub(super) fn open(dir: &Path, random: &dyn Random) -> Result<Opened, OpenError> {
    let tip = raise_tip(dir, random)?;
    let (database, rows) = recover(&dir.join("db")).map_err(|what| damaged(dir, what))?;
    let view = View { snapshot: database.snapshot(), rows: rows.clone() };
    let oldest = oldest(&view).map_err(|what| damaged(dir, what))?;
    let found = view.own(COMMITS).map(|row| {
        let (_, value) = row.map_err(|error| error.to_string())?;
        CommitRow::decode(&tip.identity, &value).ok_or_else(|| "a commit's record is damaged".to_owned())
    });
    let last = sequence::verify(oldest, found).map_err(|what| damaged(dir, what))?;
    if last.number < tip.commits {
        let what = format!(
            "the journal's middle is corrupt: {} batches were durable, only {} are left",
            tip.commits, last.number
        );
        return Err(damaged(dir, what));
    }
    Ok(Opened { database, rows, identity: tip.identity, oldest, last })
}

/// Writes down how far the commits had come, before fjall may cut off the evidence.
fn raise_tip(dir: &Path, random: &dyn Random) -> Result<Tip, OpenError> {
    let io = |source| OpenError::Io { path: dir.into(), source };
    let tip = match Tip::load(dir).map_err(io)? {
        Some(tip) if tip.clean => Tip { clean: false, ..tip },
        Some(tip) => {
            let highest = journal::highest(&dir.join("db"), &tip.identity).map_err(io)?;
            if highest == 0 && tip.commits == 0 {
                remove_unborn(&dir.join("db")).map_err(io)?;
            }
            Tip { commits: tip.commits.max(highest.saturating_sub(1)), ..tip }
        }
        None if dir.join("db").exists() => return Err(damaged(dir, "the file 'tip' is missing".into())),
        None => {
            let mut identity = [0; 16];
            random.fill(&mut identity);
            Tip { identity, commits: 0, clean: false }
        }
    };
    tip.save(dir).map_err(io)?;
    Ok(tip)
}

/// Removes an engine that never held a batch: a crash may have left it half created, and fjall would
/// not create it again over that. The caller found no batch in a journal; a table would hold some.
fn remove_unborn(db: &Path) -> io::Result<()> {
    let trees = match std::fs::read_dir(db.join("keyspaces")) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        trees => Some(trees?),
    };
    for tree in trees.into_iter().flatten() {
        let tree = tree?;
        let of_fjall_itself = tree.file_name() == "0";
        let tables = tree.path().join("tables");
        if !of_fjall_itself && tables.exists() && std::fs::read_dir(tables)?.next().is_some() {
            return Ok(());
        }
    }
    match std::fs::remove_dir_all(db) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// fjall checks what it reads, in places with assertions: a panic of its recovery is damage, too.
fn recover(dir: &Path) -> Result<(Database, Keyspace), String> {
    let open = || {
        let database = Database::builder(dir)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNALS_BYTES_MAX)
            .journal_compression(CompressionType::None) // the search for commit rows needs them as they are
            .worker_threads(2)
            .open()?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let rows = database.keyspace("rows", options)?;
        Ok::<_, fjall::Error>((database, rows))
    };
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => Err(format!("the engine can't recover: {error}")),
        Err(_) => Err("the engine's recovery failed".into()),
    }
}

fn oldest(view: &View) -> Result<u64, String> {
    let Some(row) = view.own(OLDEST).next() else { return Ok(1) };
    let (_, value) = row.map_err(|error| error.to_string())?;
    let number =
        <[u8; 8]>::try_from(&value[..]).map_err(|_| "the oldest commit's row is damaged".to_owned())?;
    Ok(u64::from_le_bytes(number))
}

fn damaged(dir: &Path, what: String) -> OpenError {
    OpenError::Damaged { path: dir.into(), what }
}
