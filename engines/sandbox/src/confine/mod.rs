//! The inside: everything that runs in the spawner process and in what it clones.
//!
//! Nothing here runs in the host process. Each of these processes has one thread, for its whole life.

pub(crate) mod begin;
mod bpf;
pub(crate) mod cgroup;
mod clone;
mod etc;
mod first;
mod hierarchy;
pub(crate) mod kernel;
mod landlock;
mod mount;
mod network;
mod program;
mod root;
mod seccomp;
mod serve;
mod shelf;
mod tree;
