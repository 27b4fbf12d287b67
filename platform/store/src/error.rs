//! What can go wrong between a caller and the store.

use std::path::PathBuf;

use pagoda_base::Failure;

/// Why a read or a commit was not answered as asked.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// Nothing happened, and nothing will until the cause is removed. Retrying elsewhere or later is safe.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The commit may or may not have happened; repeating it with the same token settles it.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
    /// The request is outside the store's limits or contradicts itself; nothing happened.
    #[error("invalid request to the store: {0}")]
    Invalid(String),
    /// What was read is not what was written.
    #[error("stored data is corrupt: {0}")]
    Corrupt(String),
    /// A check of the commit did not hold, where the caller had no use for the difference.
    #[error("check {check} of the commit did not hold")]
    CheckFailed {
        /// Index into the commit's checks.
        check: usize,
    },
    /// The caller's lease belongs to somebody else by now.
    #[error("the lease that the commit was fenced by is gone")]
    Fenced,
    /// A record kept changing under a read-modify-write.
    #[error("the record changed under {attempts} attempts to update it")]
    Conflict {
        /// Attempts made.
        attempts: u32,
    },
}

impl Failure for StoreError {
    fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unknown(_) | Self::Fenced | Self::Conflict { .. })
    }
}

/// Why a data directory was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works on the directory.
    #[error(
        "{path} is in use by another process (pid {pid}); stop it first, or choose another data directory"
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// Who holds the lock, as it wrote it.
        pid: String,
    },
    /// Acknowledged commits are missing or damaged. Nothing is repaired silently: restore a backup.
    #[error("{path} is damaged: {what}; restore it from a backup")]
    Damaged {
        /// The data directory.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The operating system refused.
    #[error("cannot open {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Its reason.
        source: std::io::Error,
    },
}
