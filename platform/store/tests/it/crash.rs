//! `kill -9` at random moments: what was acknowledged is there, and no commit is there in part.
//!
//! The test starts its own binary as a child that writes and prints each acknowledgement. It kills the
//! child after a random number of those, reopens the directory, and compares.
//! `PAGODA_CRASH_ROUNDS` sets the number of rounds.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pagoda_base::{Random, SystemRandom};
use pagoda_store::tuple::{Element, decode};
use pagoda_store::{Commit, Key, KeyBuilder, Read, Space, Store};

use crate::stores::embedded;

const DIR: &str = "PAGODA_CRASH_DIR";
const ROUND: &str = "PAGODA_CRASH_ROUND";
const WRITERS: u64 = 16;

fn row(space: Space, round: u64, writer: u64, number: u64) -> Key {
    KeyBuilder::new(space).text("crash").u64(round).u64(writer).u64(number).done()
}

fn counter(writer: u64) -> Key {
    KeyBuilder::new(Space::Meta).text("count").u64(writer).done()
}

/// Each commit writes to four spaces, with a value that spans several blocks now and then.
fn commit(round: u64, writer: u64, number: u64) -> Commit {
    let bytes = if number.is_multiple_of(7) { 20_000 } else { 100 };
    let log = KeyBuilder::new(Space::Log).text("crash").done();
    let name = format!("{round} {writer} {number}");
    Commit::new()
        .absent(row(Space::Data, round, writer, number))
        .put(row(Space::Data, round, writer, number), vec![number as u8; bytes])
        .put(row(Space::Index, round, writer, number), "")
        .append(log, "", name)
        .add(counter(writer), 1)
}

/// Not a test of its own: the child's part, which does nothing unless it was started as one.
#[test]
fn child() {
    let (Ok(dir), Ok(round)) = (std::env::var(DIR), std::env::var(ROUND)) else { return };
    let round = round.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        println!("\nopening");
        let store: Arc<dyn Store> = Arc::new(embedded(Path::new(&dir)).unwrap());
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| tokio::spawn(write(store.clone(), round, writer))).collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

async fn write(store: Arc<dyn Store>, round: u64, writer: u64) {
    for number in 0.. {
        store.commit(commit(round, writer, number)).await.unwrap().done().unwrap();
        let mut out = std::io::stdout().lock();
        if writeln!(out, "ack {writer} {number}").and_then(|()| out.flush()).is_err() {
            return; // the parent is gone
        }
    }
}

/// When a child is to die.
enum Moment {
    /// It has acknowledged so many commits.
    Acks(usize),
    /// So long after it began to open the store.
    Opening(Duration),
}

/// Runs a child until the moment comes, kills it, returns all that it acknowledged.
fn killed(at: Moment, dir: &Path, round: u64) -> HashSet<(u64, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env(DIR, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().expect("the child writes until it is killed").unwrap();
    let mut acknowledged = HashSet::new();
    match at {
        Moment::Acks(acks) => {
            while acknowledged.len() < acks {
                acknowledged.extend(ack(&next()));
            }
        }
        Moment::Opening(delay) => {
            while next() != "opening" {}
            std::thread::sleep(delay); // not to wait for anything: to die at any moment
        }
    }
    child.kill().unwrap();
    // What it had printed before it died counts, too; a line without an end is not an answer.
    let mut rest: Vec<String> = lines.map_while(Result::ok).collect();
    rest.pop();
    acknowledged.extend(rest.iter().filter_map(|line| ack(line)));
    child.wait().unwrap();
    acknowledged
}

fn ack(line: &str) -> Option<(u64, u64)> {
    let (writer, number) = line.strip_prefix("ack ")?.split_once(' ')?;
    Some((writer.parse().ok()?, number.parse().ok()?))
}

fn random(below: u64) -> u64 {
    let mut bytes = [0; 8];
    SystemRandom::default().fill(&mut bytes);
    u64::from_le_bytes(bytes) % below
}

fn rounds() -> u64 {
    std::env::var("PAGODA_CRASH_ROUNDS").map_or(24, |rounds| rounds.parse().unwrap())
}

async fn all(store: &Arc<dyn Store>, prefix: &Key) -> Vec<pagoda_store::Row> {
    let (mut lo, hi) = prefix.prefix_range();
    let mut rows = Vec::new();
    loop {
        let read = Read::Range { lo, hi: hi.clone(), limit: 10_000, bytes: 8_000_000, reverse: false };
        let found = store.rows(read).await.unwrap();
        rows.extend(found.rows);
        match rows.last() {
            Some(last) if found.more => lo = last.key.successor(),
            _ => return rows,
        }
    }
}

fn numbers(key: &Key) -> (u64, u64, u64) {
    match decode(&key.bytes).unwrap()[..] {
        [_, Element::U64(round), Element::U64(writer), Element::U64(number)] => (round, writer, number),
        ref other => panic!("{other:?}"),
    }
}

async fn verify(store: &Arc<dyn Store>, round: u64, acknowledged: &HashSet<(u64, u64)>) {
    let of_round = |space| KeyBuilder::new(space).text("crash").u64(round).done();
    let data = all(store, &of_round(Space::Data)).await;
    let there: HashSet<(u64, u64)> = data
        .iter()
        .map(|row| {
            let (_, writer, number) = numbers(&row.key);
            assert!(row.value.iter().all(|byte| *byte == number as u8));
            (writer, number)
        })
        .collect();
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "round {round}: acknowledged, but lost: {lost:?}");
    let index: HashSet<(u64, u64)> = all(store, &of_round(Space::Index))
        .await
        .iter()
        .map(|row| numbers(&row.key))
        .map(|(_, writer, number)| (writer, number))
        .collect();
    assert_eq!(there, index, "round {round}: half a commit");
}

/// The log and the counters span all rounds, and agree with the rows there are.
async fn verify_totals(store: &Arc<dyn Store>) {
    let under = |space, name| KeyBuilder::new(space).text(name).done();
    let data = all(store, &under(Space::Data, "crash")).await;
    let mut expected: Vec<String> = data
        .iter()
        .map(|row| numbers(&row.key))
        .map(|(round, writer, number)| format!("{round} {writer} {number}"))
        .collect();
    let log = all(store, &under(Space::Log, "crash")).await;
    let mut logged: Vec<String> =
        log.iter().map(|row| String::from_utf8(row.value.to_vec()).unwrap()).collect();
    expected.sort_unstable();
    logged.sort_unstable();
    assert_eq!(logged, expected, "the log has a record of each commit");
    let counts = all(store, &under(Space::Meta, "count")).await;
    let total: i64 = counts.iter().map(|row| i64::from_le_bytes(row.value[..].try_into().unwrap())).sum();
    assert_eq!(total, expected.len() as i64, "the counters count each commit once");
}

async fn round(dir: &Path, round: u64, at: Moment, last: bool) {
    let path = dir.to_owned();
    let killed = tokio::task::spawn_blocking(move || killed(at, &path, round));
    let acknowledged = killed.await.unwrap();
    let store: Arc<dyn Store> = Arc::new(embedded(dir).unwrap());
    verify(&store, round, &acknowledged).await;
    if last {
        verify_totals(&store).await;
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_commits_survive_kill_9_and_none_is_there_in_part() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..rounds() {
        let at = Moment::Acks(random(400) as usize + 1);
        round(dir.path(), number, at, number + 1 == rounds()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_killed_while_it_opens_opens_again() {
    for _ in 0..rounds() / 3 {
        let dir = tempfile::tempdir().unwrap();
        // Once while it is created, twice while it recovers.
        for number in 0..3 {
            let at = Moment::Opening(Duration::from_micros(random(60_000)));
            round(dir.path(), number, at, number == 2).await;
        }
    }
}
