//! What a disk may do to a data directory while nobody looks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pagoda_store::{Commit, OpenError, Store, StoreError};
use tempfile::TempDir;

use crate::stores::{embedded, key};

const BATCHES: usize = 40;

/// A directory with `BATCHES` commits, as a crash leaves it: copied while the store is open.
async fn crashed() -> TempDir {
    let (live, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = embedded(live.path()).unwrap();
    for number in 0..BATCHES {
        store
            .commit(Commit::new().put(key(&format!("row {number}")), vec![7; 300]))
            .await
            .unwrap()
            .done()
            .unwrap();
    }
    duplicate(live.path(), copy.path());
    store.close().await;
    let (path, written) = journal(copy.path()); // without most of the zeros, for speed
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(written as u64 + 4096).unwrap();
    copy
}

fn duplicate(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            duplicate(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The journal, and how many of its bytes are written.
fn journal(dir: &Path) -> (PathBuf, usize) {
    let files = std::fs::read_dir(dir.join("db")).unwrap().map(|entry| entry.unwrap().path());
    let path = files.filter(|path| path.extension().is_some_and(|e| e == "jnl")).max().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    (path, written)
}

async fn rows(store: &Arc<dyn Store>) -> usize {
    let mut there = 0;
    for number in 0..BATCHES {
        let row = store.get(&key(&format!("row {number}"))).await.unwrap();
        assert!(row.is_none() || there == number, "only the end may be missing, not row {there}");
        there += usize::from(row.is_some());
    }
    there
}

/// What the directory is refused for, if it is.
async fn damage(dir: &Path) -> Option<String> {
    match embedded(dir) {
        Err(OpenError::Damaged { what, .. }) => Some(what),
        Err(other) => panic!("{other}"),
        Ok(store) => {
            store.close().await;
            None
        }
    }
}

#[tokio::test]
async fn a_torn_tail_costs_at_most_the_batch_it_tears() {
    let crashed = crashed().await;
    let (path, written) = journal(crashed.path());
    let name = path.file_name().unwrap().to_owned();
    for torn in [1, 9, 40, 100, 300, 500] {
        let dir = tempfile::tempdir().unwrap();
        duplicate(crashed.path(), dir.path());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(written - torn);
        bytes.resize(written + 4096, 0); // never written: zeros, as in the preallocated file
        std::fs::write(dir.path().join("db").join(&name), bytes).unwrap();
        let store: Arc<dyn Store> = Arc::new(embedded(dir.path()).unwrap());
        let there = rows(&store).await;
        assert!((BATCHES - 2..BATCHES).contains(&there), "{torn} bytes torn off: {there} rows");
        store.commit(Commit::new().put(key("more"), "")).await.unwrap().done().unwrap();
        store.close().await;
        drop(store);
        let store: Arc<dyn Store> = Arc::new(embedded(dir.path()).unwrap());
        assert_eq!(rows(&store).await, there);
        assert!(store.get(&key("more")).await.unwrap().is_some());
        store.close().await;
    }
}

#[tokio::test]
async fn a_corrupt_middle_is_refused_at_every_attempt() {
    let crashed = crashed().await;
    let (path, written) = journal(crashed.path());
    let name = path.file_name().unwrap().to_owned();
    let good = std::fs::read(&path).unwrap();
    for twentieth in 1..19 {
        for (kind, change) in [("flip", 0x40u8), ("zero", 0)] {
            let dir = tempfile::tempdir().unwrap();
            duplicate(crashed.path(), dir.path());
            let mut bytes = good.clone();
            let place = written * twentieth / 20;
            let hurt = &mut bytes[place..place + 60];
            hurt.iter_mut().for_each(|byte| *byte = if change == 0 { 0 } else { *byte ^ change });
            std::fs::write(dir.path().join("db").join(&name), bytes).unwrap();
            for attempt in 1..=2 {
                let refused = damage(dir.path()).await;
                assert!(refused.is_some(), "{kind} at {place} of {written}, attempt {attempt}: opened");
            }
        }
    }
}

#[tokio::test]
async fn a_lost_journal_is_refused_after_a_clean_end() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded(dir.path()).unwrap();
    store.commit(Commit::new().put(key("a"), "")).await.unwrap().done().unwrap();
    store.close().await;
    drop(store);
    let (path, written) = journal(dir.path());
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(written as u64 / 2).unwrap();
    let refused = damage(dir.path()).await.unwrap();
    assert!(refused.contains("1 batches were durable, only 0 are left"), "{refused}");
}

#[tokio::test]
async fn a_directory_without_its_witness_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    embedded(dir.path()).unwrap().close().await;
    std::fs::remove_file(dir.path().join("tip")).unwrap();
    assert_eq!(damage(dir.path()).await.unwrap(), "the file 'tip' is missing");
}

#[tokio::test]
async fn a_store_half_created_is_created_anew_but_none_that_had_commits() {
    let (live, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = embedded(live.path()).unwrap();
    let copy = |name: &str| {
        let dir = copies.path().join(name);
        duplicate(live.path(), &dir);
        dir
    };
    let unused = [copy("unused 1"), copy("unused 2")];
    store.commit(Commit::new().put(key("a"), "")).await.unwrap().done().unwrap();
    let used = [copy("used 1"), copy("used 2")];
    store.close().await;
    for ([empty, missing], opens) in [(unused, true), (used, false)] {
        std::fs::write(empty.join("db/version"), "").unwrap();
        assert_eq!(damage(&empty).await.is_none(), opens, "empty marker in {}", empty.display());
        std::fs::remove_file(missing.join("db/version")).unwrap();
        assert_eq!(damage(&missing).await.is_none(), opens, "no marker in {}", missing.display());
    }
}

#[tokio::test]
async fn a_second_process_is_told_who_was_first() {
    let dir = tempfile::tempdir().unwrap();
    let first = embedded(dir.path()).unwrap();
    let second = embedded(dir.path()).err().unwrap();
    let expected = format!("is in use by another process (pid {})", std::process::id());
    assert!(second.to_string().contains(&expected), "{second}");
    first.close().await;
    drop(first);
    embedded(dir.path()).unwrap().close().await;
}

#[tokio::test]
async fn what_cannot_be_checked_is_not_answered() {
    // Behind the engine's back, a row gets another's bytes: well-formed for fjall, wrong for us.
    let dir = tempfile::tempdir().unwrap();
    let store = embedded(dir.path()).unwrap();
    store.commit(Commit::new().put(key("a"), "A").put(key("b"), "B")).await.unwrap().done().unwrap();
    store.close().await;
    drop(store);
    {
        let database = fjall::Database::builder(dir.path().join("db")).open().unwrap();
        let rows = database.keyspace("rows", fjall::KeyspaceCreateOptions::default).unwrap();
        let at = |name| [&[1], &key(name).bytes[..]].concat();
        let other = rows.get(at("b")).unwrap().unwrap();
        rows.insert(at("a"), other).unwrap();
        database.persist(fjall::PersistMode::SyncAll).unwrap();
    }
    let store: Arc<dyn Store> = Arc::new(embedded(dir.path()).unwrap());
    assert!(matches!(store.get(&key("a")).await, Err(StoreError::Corrupt(_))));
    let checked = store.commit(Commit::new().absent(key("a")).put(key("c"), "")).await;
    assert!(matches!(checked, Err(StoreError::Corrupt(_))), "{checked:?}");
    assert_eq!(store.get(&key("b")).await.unwrap().unwrap().value, "B");
    store.close().await;
}
