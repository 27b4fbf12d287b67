//! Failures that tests arm; an engine that was handed none pays one load per batch.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// What is to fail, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// The disk is full: the batch can't be written.
    DiskFull = 1,
    /// The batch is written, its sync fails, and it turns out to be lost.
    SyncFailsLost = 2,
    /// The batch is written, its sync fails, and yet it turns out to be there after a restart.
    SyncFailsKept = 3,
}

/// Shared between an engine and the test that makes it fail.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<AtomicU8>);

impl Faults {
    /// Makes the next batch fail.
    pub fn arm(&self, fault: Fault) {
        self.0.store(fault as u8, Ordering::SeqCst);
    }

    pub(super) fn take(&self) -> Option<Fault> {
        if self.0.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let armed = self.0.swap(0, Ordering::SeqCst);
        [Fault::DiskFull, Fault::SyncFailsLost, Fault::SyncFailsKept]
            .into_iter()
            .find(|fault| *fault as u8 == armed)
    }
}

impl Fault {
    /// The error that the operating system would have given.
    pub(super) fn error(self) -> io::Error {
        match self {
            Self::DiskFull => io::ErrorKind::StorageFull.into(),
            Self::SyncFailsLost | Self::SyncFailsKept => io::Error::other("injected: fdatasync failed"),
        }
    }
}
