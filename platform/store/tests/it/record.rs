//! Records: versions, and the tables that hold them.

use pagoda_store::{Commit, Outcome, Record, Space, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::stores::on_each;

#[derive(Serialize, Deserialize)]
struct UserV1 {
    name: String,
}

#[derive(Serialize, Deserialize)]
struct UserV2 {
    name: String,
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct User {
    name: String,
    path: Vec<String>,
}

impl Record for UserV1 {
    const KIND: &str = "user";
    const VERSION: u8 = 1;
}

impl Record for UserV2 {
    const KIND: &str = "user";
    const VERSION: u8 = 2;

    fn migrate(version: u8, body: &[u8]) -> Result<Self, StoreError> {
        UserV1::read(version, body).map(|old| Self { name: old.name, path: "/".into() })
    }
}

impl Record for User {
    const KIND: &str = "user";
    const VERSION: u8 = 3;

    fn migrate(version: u8, body: &[u8]) -> Result<Self, StoreError> {
        UserV2::read(version, body).map(|old| Self {
            name: old.name,
            path: old.path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        })
    }
}

const USERS: Table<User> = Table::new(Space::Meta);

fn user(name: &str) -> User {
    User { name: name.into(), path: vec![] }
}

#[test]
fn every_version_decodes() {
    let check = |stored: &[u8], expected: Option<&[&str]>| {
        let path = User::decode(stored).map(|user| user.path);
        let expected = expected.map(|path| path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        assert_eq!(path.clone().ok(), expected, "{path:?}");
    };
    check(b"\x01{\"name\":\"ada\"}", Some(&[]));
    check(b"\x02{\"name\":\"ada\",\"path\":\"/a/b/\"}", Some(&["a", "b"]));
    check(b"\x03{\"name\":\"ada\",\"path\":[\"c\"]}", Some(&["c"]));
    check(b"\x04{\"name\":\"ada\"}", None);
    check(b"\x03{\"name\":\"ada\"", None);
    check(b"", None);
}

#[tokio::test]
async fn tables_create_replace_and_remove_by_stamp() {
    on_each(async |engine, store| {
        let at = USERS.key().text("ada").done();
        let create = USERS.create(Commit::new(), &at, &user("ada")).unwrap();
        let stamp = store.commit(create.clone()).await.unwrap().done().unwrap();
        assert!(matches!(store.commit(create).await, Ok(Outcome::CheckFailed { .. })), "{engine}");
        let old = USERS.get(&*store, &at).await.unwrap().unwrap();
        assert_eq!((&old.record, old.stamp), (&user("ada"), stamp), "{engine}");
        let replace = USERS.replace(Commit::new(), &at, stamp, &user("lovelace")).unwrap();
        store.commit(replace).await.unwrap().done().unwrap();
        let stale = store.commit(USERS.remove(Commit::new(), &old)).await;
        assert!(matches!(stale, Ok(Outcome::CheckFailed { .. })), "{engine}");
        let new = USERS.get(&*store, &at).await.unwrap().unwrap();
        assert_eq!(new.record.name, "lovelace", "{engine}");
        store.commit(USERS.remove(Commit::new(), &new)).await.unwrap().done().unwrap();
        assert_eq!(USERS.get(&*store, &at).await, Ok(None), "{engine}");
    })
    .await;
}

#[tokio::test]
async fn scans_go_on_where_they_ended() {
    on_each(async |engine, store| {
        let group = |name: &str| USERS.key().text(name).done();
        let mut commit = Commit::new();
        for (name, number) in [("a", 0u64), ("b", 0), ("b", 1), ("b", 2), ("b", 3), ("c", 0)] {
            let at = USERS.key().text(name).u64(number).done();
            commit = USERS.put(commit, &at, &user(&format!("{name}{number}"))).unwrap();
        }
        store.commit(commit).await.unwrap().done().unwrap();
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = USERS.scan(&*store, &group("b"), after.as_ref(), 3).await.unwrap();
            pages.push(page.items.into_iter().map(|item| item.record.name).collect::<Vec<_>>());
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(pages, [vec!["b0", "b1", "b2"], vec!["b3"]], "{engine}");
    })
    .await;
}

#[tokio::test]
async fn all_records_of_a_prefix_are_found_however_many() {
    on_each(async |engine, store| {
        const COUNT: u64 = 2_500;
        for first in (0..COUNT).step_by(500) {
            let mut commit = Commit::new();
            for number in first..first + 500 {
                commit = USERS.put(commit, &USERS.key().text("b").u64(number).done(), &user("b")).unwrap();
            }
            commit = USERS.put(commit, &USERS.key().text("c").u64(first).done(), &user("c")).unwrap();
            store.commit(commit).await.unwrap().done().unwrap();
        }
        let found = USERS.all(&*store, &USERS.key().text("b").done()).await.unwrap();
        assert_eq!(found.len() as u64, COUNT, "{engine}");
        assert!(found.iter().all(|user| user.name == "b"), "{engine}");
    })
    .await;
}
