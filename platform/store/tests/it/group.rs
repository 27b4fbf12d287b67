//! Commits that share a batch keep their own outcomes.

use std::sync::Arc;

use pagoda_store::{Commit, Outcome, Store};

use crate::stores::{embedded, key, on_each};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_conflicting_creations_exactly_one_happens() {
    on_each(async |engine, store| {
        for round in 0..20 {
            let row = key(&format!("row {round}"));
            let create = |who: usize| {
                let (store, row) = (store.clone(), row.clone());
                async move { store.commit(Commit::new().absent(row.clone()).put(row, vec![who as u8])).await }
            };
            let tries: Vec<_> = (0..16).map(|who| tokio::spawn(create(who))).collect();
            let mut winners = Vec::new();
            for (who, attempt) in tries.into_iter().enumerate() {
                match attempt.await.unwrap().unwrap() {
                    Outcome::Done(stamp) => winners.push((who, stamp)),
                    Outcome::CheckFailed { check: 0, current: Some(_) } => {}
                    other => panic!("{engine}: {other:?}"),
                }
            }
            let [(who, stamp)] = winners[..] else { panic!("{engine}: {winners:?}") };
            let kept = store.get(&row).await.unwrap().unwrap();
            assert_eq!((&kept.value[..], kept.stamp), (&[who as u8][..], stamp), "{engine}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_commits_share_batches_and_all_count() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(embedded(dir.path()).unwrap());
    let writers = (0..64).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..20 {
                let own = key(&format!("{writer} {number}"));
                let commit = Commit::new().absent(own.clone()).put(own, "").add(key("count"), 1);
                store.commit(commit).await.unwrap().done().unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let written = store.written();
    assert_eq!(written.commits, 64 * 20);
    assert!(written.batches * 2 < written.commits, "hardly grouped: {written:?}");
    let store: Arc<dyn Store> = store;
    let count = store.get(&key("count")).await.unwrap().unwrap().value;
    assert_eq!(count[..], (64i64 * 20).to_le_bytes());
    store.close().await;
}
