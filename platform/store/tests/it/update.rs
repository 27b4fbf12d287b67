//! Read-modify-write under contention.

use pagoda_store::{Commit, Decision, KeyBuilder, Record, Space, Stamp, StoreError, update};
use serde::{Deserialize, Serialize};

use crate::stores::{key, on_each};

#[derive(Serialize, Deserialize)]
struct Count(u64);

impl Record for Count {
    const KIND: &str = "count";
    const VERSION: u8 = 1;
}

fn one_more(current: Option<Count>) -> Result<Decision<Count, u64>, StoreError> {
    let next = current.map_or(0, |count| count.0) + 1;
    Ok(Decision::save(Count(next), next))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hot_record_loses_no_update() {
    on_each(async |engine, store| {
        let at = KeyBuilder::new(Space::Meta).text("hot").done();
        let updates = (0..100).map(|_| {
            let (store, at) = (store.clone(), at.clone());
            tokio::spawn(async move { update(&*store, &at, one_more).await.unwrap() })
        });
        let mut seen = Vec::new();
        for update in updates.collect::<Vec<_>>() {
            seen.push(update.await.unwrap());
        }
        seen.sort_unstable();
        assert_eq!(seen, (1..=100).collect::<Vec<_>>(), "{engine}");
    })
    .await;
}

#[tokio::test]
async fn a_decision_is_made_again_on_what_somebody_else_wrote() {
    on_each(async |engine, store| {
        let at = key("row");
        let mut calls = 0;
        let answer = update(&*store, &at, |current: Option<Count>| {
            calls += 1;
            if calls == 1 {
                // Somebody without the latch is faster.
                let (store, at) = (store.clone(), at.clone());
                let theirs = Commit::new().put(at, Count(41).encode()?);
                std::thread::scope(|scope| {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    scope.spawn(move || runtime.block_on(store.commit(theirs)).unwrap().done().unwrap());
                });
            }
            one_more(current)
        });
        assert_eq!(answer.await, Ok(42), "{engine}");
        assert_eq!(calls, 2, "{engine}");
    })
    .await;
}

#[tokio::test]
async fn decisions_keep_delete_and_refuse() {
    on_each(async |engine, store| {
        let at = key("row");
        update(&*store, &at, one_more).await.unwrap();
        let keep = |_: Option<Count>| Ok::<_, StoreError>(Decision::keep("kept"));
        assert_eq!(update(&*store, &at, keep).await, Ok("kept"), "{engine}");
        let guarded = |_: Option<Count>| {
            let elsewhere = Commit::new().absent(key("index")).at(key("other"), Stamp::ZERO);
            Ok::<_, StoreError>(Decision::save(Count(9), ()).with(elsewhere))
        };
        let refused = update(&*store, &at, guarded).await;
        assert_eq!(refused, Err(StoreError::CheckFailed { check: 1 }), "{engine}");
        let refuse = |_: Option<Count>| Err::<Decision<Count, ()>, _>(StoreError::Fenced);
        assert_eq!(update(&*store, &at, refuse).await, Err(StoreError::Fenced), "{engine}");
        let count =
            |current: Option<Count>| Ok::<_, StoreError>(Decision::delete(current.map(|count| count.0)));
        assert_eq!(update(&*store, &at, count).await, Ok(Some(1)), "{engine}");
        assert_eq!(store.get(&at).await, Ok(None), "{engine}");
    })
    .await;
}
