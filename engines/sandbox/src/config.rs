//! What all instances of one spawner share: the read-only tree and the pool.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A tree of the host that every instance sees read-only, for example an interpreter outside `/usr`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// The host's directory.
    pub host: PathBuf,
    /// Its absolute path in the guest. Directories above it are made (mode 0755), so that an interpreter
    /// under `/root` can be given at its own path and nothing else of `/root` is visible.
    pub guest: PathBuf,
}

/// Settings of a spawner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Trees beside `/usr`.
    pub trees: Vec<Tree>,
    /// Guest directories at which instances can have a directory bound.
    pub mount_points: Vec<PathBuf>,
    /// Sandboxes kept ready. Zero makes each on demand.
    pub pool: usize,
    /// Run plain processes where the host allows no isolation. Never set it for code you don't trust.
    pub unsafe_no_sandbox: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            trees: Vec::new(),
            mount_points: ["/var/task", "/var/runtime", "/opt"].map(PathBuf::from).to_vec(),
            pool: 4,
            unsafe_no_sandbox: false,
        }
    }
}
