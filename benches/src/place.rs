//! Where things are: the repository, the built platform, the peers, and scratch folders.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::process::succeed;
use crate::{Outcome, peers};

/// The folders of a run.
pub(crate) struct Place {
    root: PathBuf,
    binary: PathBuf,
}

impl Place {
    /// Builds the platform as it is released, or takes the program that `PAGODA_BIN` names, and installs the
    /// peers that are missing.
    pub(crate) fn prepare() -> Outcome<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let given = std::env::var_os("PAGODA_BIN").map(PathBuf::from);
        if given.is_none() {
            succeed(Command::new("cargo").args(["build", "--release", "-p", "pagoda"]).current_dir(&root))?;
        }
        let binary = given.unwrap_or_else(|| root.join("target/release/pagoda"));
        let place = Self { root, binary };
        std::fs::create_dir_all(place.peers())?;
        peers::install(&place.peers())?;
        Ok(place)
    }

    /// A file of the repository.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The platform as it is released.
    pub(crate) fn binary(&self) -> &Path {
        &self.binary
    }

    /// Where the peers are installed.
    pub(crate) fn peers(&self) -> PathBuf {
        self.file("target/bench")
    }

    /// A folder for data, on the same disk for everybody.
    pub(crate) fn scratch(&self) -> Outcome<TempDir> {
        Ok(tempfile::tempdir_in(self.peers())?)
    }
}
