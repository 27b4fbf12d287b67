//! Durable conditional puts per second, and how many share a batch: `cargo bench -p pagoda-store`.
//!
//! 400-byte values, each put checks that its row is absent; the directory is under the system's
//! temporary one, so set `TMPDIR` to a real disk. Writers are tasks that wait for their answers.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for people, outside the product")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use pagoda_base::{SystemClock, SystemRandom};
use pagoda_store::{Combiner, Commit, Embedded, KeyBuilder, Space, Store};

const RUN: Duration = Duration::from_secs(3);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    println!("{:>8} {:>10} {:>16}", "writers", "puts/s", "puts in a batch");
    for writers in [1, 32, 256] {
        let (puts, shared) = runtime.block_on(measure(writers));
        println!("{writers:>8} {puts:>10.0} {shared:>16.1}");
    }
}

async fn measure(writers: u64) -> (f64, f64) {
    let dir = tempfile::tempdir().unwrap();
    let engine = Embedded::open(dir.path(), Arc::new(SystemClock), &SystemRandom::default()).unwrap();
    let store = Arc::new(Combiner::start(engine).unwrap());
    let begin = Instant::now();
    let tasks: Vec<_> =
        (0..writers).map(|writer| tokio::spawn(put(store.clone(), writer, begin + RUN))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let (written, seconds) = (store.written(), begin.elapsed().as_secs_f64());
    store.close().await;
    (written.commits as f64 / seconds, written.commits as f64 / written.batches as f64)
}

async fn put(store: Arc<Combiner<Embedded>>, writer: u64, end: Instant) {
    for number in 0.. {
        if Instant::now() >= end {
            return;
        }
        let key = KeyBuilder::new(Space::Data).text("put").u64(number).u64(writer).done();
        let commit = Commit::new().absent(key.clone()).put(key, vec![7; 400]);
        store.commit(commit).await.unwrap().done().unwrap();
    }
}
