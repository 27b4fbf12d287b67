//! Confined processes: spawner, namespaces, cgroups, seccomp; knows nothing of AWS.
//!
//! ```text
//! host process (tokio) ── requests ──► spawner (one thread, owns every clone)
//!        ▲                                 │ clones ahead of need
//!        └──── channel of an instance ──── first process ── forks ──► the guest's program
//! ```
//!
//! Invariants:
//! - The spawner exists before the host process has threads, or is a program of its own; nothing is ever
//!   forked from a process with threads.
//! - A guest starts with nothing of the host: no descriptor, variable, directory, id or capability.
//! - Whatever ends (handle, host process, spawner, program), all processes of the instance end with it.
//! - What this host cannot confine is named ([`Spawner::missing`]), and without any isolation nothing runs
//!   unless the caller has said so.
//!
//! Isolation of this kind shares the host's kernel: it keeps one organisation's functions apart, not mutually
//! hostile tenants. Instances run under plain ids of the host, a distinct pair for each function, not in user
//! namespaces of their own: their mounts and network then belong to the host's user namespace, in which
//! they hold no capability whatever happens, and no `/proc/sys/user` setting of a hardened host is in the way.

mod config;
mod confine;
mod connection;
mod error;
mod instance;
mod isolation;
mod message;
#[cfg(target_arch = "x86_64")]
mod snapshot;
#[cfg(not(target_arch = "x86_64"))]
#[path = "snapshot/elsewhere.rs"]
mod snapshot;
mod socket;
mod spawner;
mod spec;

pub use config::{Config, Tree};
pub use error::Error;
pub use instance::{End, Exit, Instance};
pub use isolation::Isolation;
pub use snapshot::Image;
pub use spawner::{Spawner, serve_if_spawner};
pub use spec::{
    BESIDE_MAX, BINDS_MAX, Beside, Bind, Ids, Limits, PORTS_MAX, RESUME_BYTES_MAX, Ready, STRINGS_BYTES_MAX,
    Source, Spec, Start,
};
