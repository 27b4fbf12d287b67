//! What every engine promises.

use std::sync::Arc;

use bytes::Bytes;
use pagoda_base::SignedDuration;
use pagoda_store::limits::{CLEAR_ROWS_MAX, COMMIT_BYTES_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX};
use pagoda_store::tuple::{Element, decode};
use pagoda_store::{
    Commit, Consistency, Key, KeyBuilder, Outcome, Read, Space, Stamp, Store, StoreError, Topic,
};

use crate::stores::{each, key, on_each};

async fn done(store: &Arc<dyn Store>, commit: Commit) -> Stamp {
    store.commit(commit).await.unwrap().done().unwrap()
}

async fn value(store: &Arc<dyn Store>, key: &Key) -> Option<Bytes> {
    store.get(key).await.unwrap().map(|row| row.value)
}

async fn names(store: &Arc<dyn Store>, read: Read) -> (Vec<String>, bool) {
    let found = store.rows(read).await.unwrap();
    let name = |row: pagoda_store::Row| match decode(&row.key.bytes).unwrap().pop() {
        Some(Element::Text(name)) => name,
        other => panic!("{other:?}"),
    };
    (found.rows.into_iter().map(name).collect(), found.more)
}

#[tokio::test]
async fn checks_decide_and_report_what_is_there() {
    on_each(async |engine, store| {
        let (a, b) = (key("a"), key("b"));
        let first = done(&store, Commit::new().absent(a.clone()).put(a.clone(), "1")).await;
        let again = store.commit(Commit::new().absent(b.clone()).absent(a.clone()).put(a.clone(), "2")).await;
        let current = Some((Bytes::from("1"), first));
        assert_eq!(again, Ok(Outcome::CheckFailed { check: 1, current }), "{engine}");
        let second = done(&store, Commit::new().at(a.clone(), first).put(a.clone(), "2")).await;
        assert!(second > first, "{engine}");
        let stale = store.commit(Commit::new().at(a.clone(), first).put(b.clone(), "x")).await.unwrap();
        assert!(matches!(stale, Outcome::CheckFailed { check: 0, .. }), "{engine}");
        let missing = store.commit(Commit::new().at(b.clone(), first).put(b.clone(), "x")).await;
        assert_eq!(missing, Ok(Outcome::CheckFailed { check: 0, current: None }), "{engine}");
        assert_eq!(value(&store, &a).await, Some("2".into()), "{engine}");
        assert_eq!(value(&store, &b).await, None, "{engine}: a refused commit writes nothing");
    })
    .await;
}

#[tokio::test]
async fn operations_happen_in_order_within_a_commit() {
    on_each(async |engine, store| {
        let (a, b, c) = (key("a"), key("b"), key("c"));
        let (lo, hi) = KeyBuilder::new(Space::Data).done().prefix_range();
        let stamp =
            done(&store, Commit::new().put(a.clone(), "1").delete(a.clone()).put(b.clone(), "1")).await;
        assert_eq!(value(&store, &a).await, None, "{engine}");
        assert_eq!(store.get(&b).await.unwrap().unwrap().stamp, stamp, "{engine}");
        done(&store, Commit::new().put(c.clone(), "1").clear_range(lo, hi).put(a.clone(), "2")).await;
        let (found, _) = names(&store, Read::prefix(&KeyBuilder::new(Space::Data).done(), 10)).await;
        assert_eq!(found, ["a"], "{engine}");
    })
    .await;
}

#[tokio::test]
async fn counters_add_up_and_refuse_what_is_none() {
    on_each(async |engine, store| {
        let (count, text) = (key("count"), key("text"));
        done(&store, Commit::new().add(count.clone(), 5).add(count.clone(), -7)).await;
        assert_eq!(value(&store, &count).await.unwrap()[..], (-2i64).to_le_bytes(), "{engine}");
        done(&store, Commit::new().add(count.clone(), i64::MIN).add(count.clone(), i64::MAX)).await;
        assert_eq!(value(&store, &count).await.unwrap()[..], (-3i64).to_le_bytes(), "{engine}: wraps");
        done(&store, Commit::new().put(text.clone(), "text")).await;
        let refused = store.commit(Commit::new().put(key("before"), "x").add(text.clone(), 1)).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{engine}: {refused:?}");
        assert_eq!(value(&store, &key("before")).await, None, "{engine}: fails whole");
    })
    .await;
}

#[tokio::test]
async fn appended_records_are_in_the_order_of_their_commits() {
    on_each(async |engine, store| {
        let log = KeyBuilder::new(Space::Log).text("log").done();
        let tail = |number| KeyBuilder::new(Space::Log).u64(number).into_bytes();
        let mut expected = Vec::new();
        for value in ["a", "b", "c"] {
            let commit =
                Commit::new().append(log.clone(), tail(1), value).append(log.clone(), tail(0), "first");
            let stamp = done(&store, commit).await;
            expected.push((stamp, 0, Bytes::from("first")));
            expected.push((stamp, 1, Bytes::from(value)));
        }
        let found = store.rows(Read::prefix(&log, 100)).await.unwrap();
        let records = found.rows.iter().map(|row| match &decode(&row.key.bytes).unwrap()[1..] {
            [Element::Stamp(stamp), Element::U64(number)] => (*stamp, *number, row.value.clone()),
            other => panic!("{other:?}"),
        });
        assert_eq!(records.collect::<Vec<_>>(), expected, "{engine}");
        assert!(store.stable(Space::Log).await.unwrap() >= expected[5].0, "{engine}");
    })
    .await;
}

#[tokio::test]
async fn only_the_holder_of_the_lease_commits() {
    on_each(async |engine, store| {
        let lease = KeyBuilder::new(Space::Lease).text("queue").done();
        let write = |taken| Commit::new().fence(lease.clone(), taken).put(key("a"), "x");
        assert_eq!(store.commit(write(Stamp::ZERO)).await, Ok(Outcome::Fenced), "{engine}: no lease");
        let mine = done(&store, Commit::new().put(lease.clone(), "me")).await;
        done(&store, write(mine)).await;
        let theirs = done(&store, Commit::new().at(lease.clone(), mine).put(lease.clone(), "they")).await;
        assert_eq!(store.commit(write(mine)).await, Ok(Outcome::Fenced), "{engine}: taken over");
        done(&store, write(theirs)).await;
        done(&store, Commit::new().delete(lease.clone())).await;
        assert_eq!(store.commit(write(theirs)).await, Ok(Outcome::Fenced), "{engine}: given back");
    })
    .await;
}

#[tokio::test]
async fn a_token_makes_a_commit_happen_once() {
    let each = each();
    for (engine, store) in &each.stores {
        let commit = || Commit::new().token([1; 16]).add(key("count"), 1);
        let first = done(store, commit()).await;
        assert_eq!(done(store, commit()).await, first, "{engine}");
        let other = done(store, commit().token([2; 16])).await;
        assert_ne!(other, first, "{engine}");
        let failed = || Commit::new().token([3; 16]).absent(key("gate")).put(key("x"), "1");
        done(store, Commit::new().put(key("gate"), "")).await;
        assert!(matches!(store.commit(failed()).await, Ok(Outcome::CheckFailed { .. })), "{engine}");
        done(store, Commit::new().delete(key("gate"))).await;
        done(store, failed()).await; // a refusal is not remembered
        assert_eq!(value(store, &key("count")).await.unwrap()[..], 2i64.to_le_bytes(), "{engine}");
    }
    each.clock.advance(SignedDuration::from_mins(11));
    for (engine, store) in &each.stores {
        done(store, Commit::new().token([1; 16]).add(key("count"), 1)).await;
        assert_eq!(value(store, &key("count")).await.unwrap()[..], 3i64.to_le_bytes(), "{engine}: forgotten");
        store.close().await;
    }
}

#[tokio::test]
async fn ranges_are_half_open_bounded_and_reversible() {
    on_each(async |engine, store| {
        let all = ["a", "b", "c", "d", "e"];
        done(&store, all.iter().fold(Commit::new(), |commit, name| commit.put(key(name), vec![b'x'; 100])))
            .await;
        let range = |lo: &str, hi: &str, limit, bytes, reverse| {
            let (lo, hi) = (key(lo), key(hi));
            names(&store, Read::Range { lo, hi, limit, bytes, reverse })
        };
        let check = |found: (Vec<String>, bool), expected: &[&str], more| {
            assert_eq!(found, (expected.iter().map(|name| (*name).to_owned()).collect(), more), "{engine}");
        };
        check(range("b", "d", 10, 10_000, false).await, &["b", "c"], false);
        check(range("b", "d", 2, 10_000, false).await, &["b", "c"], false);
        check(range("a", "z", 2, 10_000, false).await, &["a", "b"], true);
        check(range("a", "z", 2, 10_000, true).await, &["e", "d"], true);
        check(range("a", "z", 10, 250, false).await, &["a", "b"], true);
        check(range("a", "z", 10, 0, false).await, &["a"], true); // the first whatever its size
        check(range("d", "b", 10, 10_000, false).await, &[], false);
        check(range("d", "d", 10, 10_000, true).await, &[], false);
        check(range("a", "z", 10_000, 10_000, false).await, &all, false); // through the blocking pool
    })
    .await;
}

#[tokio::test]
async fn spaces_are_apart() {
    on_each(async |engine, store| {
        let keys: Vec<Key> =
            Space::ALL.iter().map(|space| KeyBuilder::new(*space).text("same").done()).collect();
        let commit = keys.iter().fold(Commit::new(), |commit, key| commit.put(key.clone(), key.space.name()));
        done(&store, commit).await;
        let reads: Vec<Read> = keys.iter().map(|key| Read::Get(key.clone())).collect();
        let answers = store.read(&reads, Consistency::Strong).await.unwrap();
        for (space, answer) in Space::ALL.iter().zip(answers) {
            assert_eq!(answer.rows[0].value, space.name(), "{engine}");
            let found = store.rows(Read::prefix(&KeyBuilder::new(*space).done(), 10)).await.unwrap();
            assert_eq!(found.rows.len(), 1, "{engine}");
        }
    })
    .await;
}

#[tokio::test]
async fn limits_are_kept_exactly() {
    on_each(async |engine, store| {
        let long = |bytes| Key::raw(Space::Data, vec![b'k'; bytes]);
        let put = |key: Key, value: usize| store.commit(Commit::new().put(key, vec![b'v'; value]));
        assert!(put(long(KEY_BYTES_MAX), VALUE_BYTES_MAX).await.is_ok(), "{engine}");
        let row = store.get(&long(KEY_BYTES_MAX)).await.unwrap().unwrap();
        assert_eq!(row.value.len(), VALUE_BYTES_MAX, "{engine}");
        for (key_bytes, value_bytes) in [(KEY_BYTES_MAX + 1, 1), (0, 1), (1, VALUE_BYTES_MAX + 1)] {
            let refused = put(long(key_bytes), value_bytes).await;
            assert!(matches!(refused, Err(StoreError::Invalid(_))), "{engine}: {key_bytes}, {value_bytes}");
        }
        let parts = COMMIT_BYTES_MAX / VALUE_BYTES_MAX + 1;
        let large = (0..parts)
            .fold(Commit::new(), |commit, part| commit.put(key(&part.to_string()), vec![0; VALUE_BYTES_MAX]));
        assert!(matches!(store.commit(large).await, Err(StoreError::Invalid(_))), "{engine}");
        let (lo, _) = key("a").prefix_range();
        let crossing = Key::raw(Space::Log, "z");
        let read = Read::Range { lo: lo.clone(), hi: crossing.clone(), limit: 1, bytes: 1, reverse: false };
        assert!(matches!(store.rows(read).await, Err(StoreError::Invalid(_))), "{engine}");
        let clear = store.commit(Commit::new().clear_range(lo, crossing)).await;
        assert!(matches!(clear, Err(StoreError::Invalid(_))), "{engine}");
    })
    .await;
}

#[tokio::test]
async fn wide_ranges_are_cleared_in_steps() {
    on_each(async |engine, store| {
        let rows = CLEAR_ROWS_MAX + 1;
        let under = KeyBuilder::new(Space::Data).text("wide").done();
        let row = |number| KeyBuilder::under(&under).u64(number).done();
        for part in 0..2 {
            let half = (rows / 2 + 1) as u64;
            let numbers = part * half..((part + 1) * half).min(rows as u64);
            done(&store, numbers.fold(Commit::new(), |commit, number| commit.put(row(number), ""))).await;
        }
        done(&store, Commit::new().put(key("zz"), "stays")).await;
        let (lo, hi) = under.prefix_range();
        let refused = store.commit(Commit::new().clear_range(lo.clone(), hi.clone())).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{engine}: {refused:?}");
        assert_eq!(store.rows(Read::prefix(&under, 1)).await.unwrap().rows.len(), 1, "{engine}: untouched");
        store.clear_in_steps(lo, hi, &Commit::new()).await.unwrap();
        assert_eq!(store.rows(Read::prefix(&under, 1)).await.unwrap().rows.len(), 0, "{engine}");
        assert_eq!(value(&store, &key("zz")).await, Some("stays".into()), "{engine}");
    })
    .await;
}

#[tokio::test]
async fn watchers_hear_of_commits_that_happened() {
    on_each(async |engine, store| {
        let mut watch = store.watch(Topic::new("queue"));
        done(&store, Commit::new().hint(Topic::new("other")).put(key("a"), "")).await;
        let refused = Commit::new().absent(key("a")).hint(Topic::new("queue"));
        assert!(matches!(store.commit(refused).await, Ok(Outcome::CheckFailed { .. })), "{engine}");
        let silent = futures_util::FutureExt::now_or_never(watch.changed());
        assert_eq!(silent, None, "{engine}: nothing happened on the topic");
        done(&store, Commit::new().hint(Topic::new("queue")).put(key("a"), "")).await;
        watch.changed().await;
    })
    .await;
}

#[tokio::test]
async fn a_closed_store_says_so() {
    on_each(async |engine, store| {
        store.close().await;
        store.close().await;
        let refused = store.commit(Commit::new().put(key("a"), "")).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{engine}: {refused:?}");
    })
    .await;
}
