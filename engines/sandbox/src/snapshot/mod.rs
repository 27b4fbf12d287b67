//! Snapshots of a running process, and processes made from them.
//!
//! A process that waits for its resume pipe is stopped from outside and written to an [`Image`]; in a new
//! instance, a process behind all its walls becomes that process instead of executing a program. The guest
//! takes no part, so that it may be any program: its threads, its just-compiled code, its heap and its
//! descriptors are there again, under another process number, user and pipe.
//!
//! ```text
//! taking (host)      trace ── thread, process, area, descriptor, file ──► memory ──► plan ──► image
//! rehearsing (host)  page map ── rehearsal ──► plan ──► image
//! restoring (guest)  image ── enter: files, descriptors ──► restorer (list of calls) ──► the process
//! ```
//!
//! Invariants:
//! - Nothing of an image runs before the walls stand: identity, limits, Landlock, seccomp.
//! - Nothing of this process's own memory is left when the image's code begins.
//! - What cannot be restored faithfully is refused by name when the snapshot is taken.
//! - A thread keeps its number; the process itself gets a new one, which makes OpenSSL seed itself anew.

mod area;
mod descriptor;
pub(crate) mod enter;
mod file;
mod frame;
pub(crate) mod image;
mod memory;
mod page_map;
mod plan;
mod process;
pub(crate) mod rehearsal;
pub(crate) mod restorer;
pub(crate) mod take;
mod thread;
mod trace;

pub use image::Image;
