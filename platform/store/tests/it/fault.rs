//! A write or sync that fails ends all writing; nothing acknowledged is lost, nothing is made up.

use std::sync::Arc;

use pagoda_store::embedded::{Fault, Faults};
use pagoda_store::{Commit, Store, StoreError};

use crate::stores::{embedded, faulty, key};

async fn check(fault: Fault, kept: bool) {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::default();
    let store: Arc<dyn Store> = Arc::new(faulty(dir.path(), faults.clone()).unwrap());
    store.commit(Commit::new().put(key("before"), "")).await.unwrap().done().unwrap();
    faults.arm(fault);
    let failed = store.commit(Commit::new().put(key("during"), "").token([1; 16])).await;
    assert!(matches!(failed, Err(StoreError::Unknown(_))), "{fault:?}: {failed:?}");
    let after = store.commit(Commit::new().put(key("after"), "")).await;
    assert!(matches!(after, Err(StoreError::Unavailable(_))), "{fault:?}: {after:?}");
    assert!(store.get(&key("before")).await.unwrap().is_some(), "{fault:?}: reading goes on");
    store.close().await;
    drop(store);

    let store: Arc<dyn Store> = Arc::new(embedded(dir.path()).unwrap());
    assert!(store.get(&key("before")).await.unwrap().is_some(), "{fault:?}");
    assert_eq!(store.get(&key("during")).await.unwrap().is_some(), kept, "{fault:?}");
    assert!(store.get(&key("after")).await.unwrap().is_none(), "{fault:?}");
    // Repeating the commit with its token settles what the first answer left open.
    let again = Commit::new().put(key("during"), "").add(key("times"), 1).token([1; 16]);
    store.commit(again).await.unwrap().done().unwrap();
    assert!(store.get(&key("during")).await.unwrap().is_some(), "{fault:?}");
    assert_eq!(store.get(&key("times")).await.unwrap().is_none(), kept, "{fault:?}: happens once");
    store.close().await;
}

#[tokio::test]
async fn a_full_disk_ends_writing() {
    check(Fault::DiskFull, false).await;
}

#[tokio::test]
async fn a_failed_sync_ends_writing() {
    check(Fault::SyncFailsLost, false).await;
    check(Fault::SyncFailsKept, true).await;
}
