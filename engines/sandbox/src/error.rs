//! Why a spawner or an instance could not be had.

use std::io;

/// What went wrong, and at which step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// [`crate::Spawner::start`] was called in a process that already has threads.
    #[error("the spawner must be forked before any thread exists, and {threads} threads exist")]
    Threads {
        /// Threads found.
        threads: usize,
    },
    /// The spawner process could not be made ready.
    #[error("the spawner could not start: {0}")]
    Start(String),
    /// The spawner process is gone, and its instances with it.
    #[error("the spawner has ended")]
    Ended,
    /// This host allows no isolation, and `unsafe_no_sandbox` was not given.
    #[error("this host allows no isolation ({0}); functions run only with unsafe_no_sandbox")]
    NotIsolated(String),
    /// The specification asks for something impossible.
    #[error("the specification is not acceptable: {0}")]
    Spec(String),
    /// Too many instances wait to be made.
    #[error("too many instances wait to be made")]
    Busy,
    /// The instance could not be made, or its program not be executed.
    #[error("{step}: {source}")]
    Spawn {
        /// What was being done, for example `executing /opt/bootstrap`.
        step: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The instance cannot be snapshot as it is; says what is in the way.
    #[error("no snapshot: {0}")]
    Snapshot(String),
    /// An image can't be used; take it again.
    #[error("the image is not usable: {0}")]
    Image(String),
    /// The host could not do it for this process.
    #[error("{step}: {source}")]
    System {
        /// What was being done.
        step: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: names the step that failed.
    pub(crate) fn system<E: Into<io::Error>>(step: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System { step, source: source.into() }
    }
}
