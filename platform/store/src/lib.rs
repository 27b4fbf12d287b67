//! Durable ordered tables and transactions; blobs.
//!
//! Everything that Pagoda keeps lives in one ordered, transactional key-value space behind
//! `Arc<dyn Store>`; services are layers over it. Invariants: a commit answered `Done` survives power
//! loss; a commit happens whole or not at all; a value that is not what was written is never returned;
//! the same semantics hold on every [`Engine`], and the tests in `tests/it/conformance.rs` say which.
//!
//! Deliberately absent: interactive transactions, checks on ranges (fence keys serve), secondary
//! indexes (rows written by the same commit serve), SQL, consensus and replication.

pub mod blob;
mod combiner;
mod commit;
pub mod embedded;
mod error;
mod key;
mod latch;
pub mod limits;
mod memory;
mod read;
mod record;
mod retention;
mod stamp;
mod store;
mod table;
pub mod tuple;
mod update;
mod watch;

use std::path::Path;
use std::sync::Arc;

use pagoda_base::{Clock, Random};

pub use blob::{Blob, BlobError, BlobId};
pub use combiner::{BATCH_COMMITS_MAX, Combiner, Written};
pub use commit::{Check, Commit, Op, Outcome};
pub use embedded::Embedded;
pub use error::{OpenError, StoreError};
pub use key::{Key, Space};
pub use latch::Latches;
pub use memory::Memory;
pub use read::{Consistency, Read, Row, Rows, Versioned};
pub use record::Record;
pub use stamp::{InvalidStamp, Stamp};
pub use store::{Engine, Store};
pub use table::{Page, Stored, Table};
pub use tuple::KeyBuilder;
pub use update::{Decision, update};
pub use watch::{Topic, Watch};

/// A store in memory, for tests; everything is lost with it. Call it within a Tokio runtime.
pub fn memory(clock: Arc<dyn Clock>) -> std::io::Result<Arc<dyn Store>> {
    Ok(Arc::new(Combiner::start(Memory::new(clock))?))
}

/// The durable store in `dir`, created if there is none. Blocks while it recovers; call it within a
/// Tokio runtime, and `close` it before the directory is opened again.
pub fn open(dir: &Path, clock: Arc<dyn Clock>, random: &dyn Random) -> Result<Arc<dyn Store>, OpenError> {
    let engine = Embedded::open(dir, clock, random)?;
    let combiner = Combiner::start(engine).map_err(|source| OpenError::Io { path: dir.into(), source })?;
    Ok(Arc::new(combiner))
}
