//! Stores to test with.

use std::path::Path;
use std::sync::Arc;

use pagoda_base::{ManualClock, SeededRandom, Timestamp};
use pagoda_store::embedded::Faults;
use pagoda_store::{Combiner, Embedded, Key, KeyBuilder, Memory, OpenError, Space, Store};
use tempfile::TempDir;

/// A clock that stands until it is moved.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH))
}

/// A key in the data space.
pub(crate) fn key(name: &str) -> Key {
    KeyBuilder::new(Space::Data).text(name).done()
}

pub(crate) fn embedded(dir: &Path) -> Result<Combiner<Embedded>, OpenError> {
    faulty(dir, Faults::default())
}

pub(crate) fn faulty(dir: &Path, faults: Faults) -> Result<Combiner<Embedded>, OpenError> {
    let engine = Embedded::open_faulty(dir, clock(), &SeededRandom::new(7), faults)?;
    Ok(Combiner::start(engine).expect("a thread"))
}

/// One store of each engine, empty, with the clock both go by.
pub(crate) struct Each {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) stores: Vec<(&'static str, Arc<dyn Store>)>,
    _dir: TempDir,
}

/// Runs a test on a store of each engine.
pub(crate) async fn on_each(test: impl AsyncFn(&'static str, Arc<dyn Store>)) {
    for (engine, store) in each().stores {
        test(engine, store.clone()).await;
        store.close().await; // before the directory goes
    }
}

pub(crate) fn each() -> Each {
    let (clock, dir) = (clock(), tempfile::tempdir().unwrap());
    let random = SeededRandom::new(7);
    let memory = Combiner::start(Memory::new(clock.clone())).unwrap();
    let embedded = Combiner::start(Embedded::open(dir.path(), clock.clone(), &random).unwrap()).unwrap();
    let stores: Vec<(_, Arc<dyn Store>)> =
        vec![("memory", Arc::new(memory)), ("embedded", Arc::new(embedded))];
    Each { clock, stores, _dir: dir }
}
