//! How well this host can confine an instance.

use serde::{Deserialize, Serialize};

/// What stands between an instance and the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Isolation {
    /// Everything: namespaces, own ids, all limits, Landlock, seccomp.
    Full,
    /// Namespaces and seccomp, but something is missing; [`crate::Spawner::missing`] names it.
    Partial,
    /// Plain processes. Spawning is refused unless the configuration says `unsafe_no_sandbox`.
    None,
}
