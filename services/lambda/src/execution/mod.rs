//! Instances: how they begin, get events, answer, are frozen, and end.
//!
//! ```text
//! run ── claim ──► scheduler ── warm ───────────────► instance ── event ──► desk ◄── api ◄── guest
//!                      └────── cold ──► start ──────────┘  └── lines ──► scribe ◄── pipes ◄── guest
//! ```
//!
//! Invariants: an instance has at most one event; an instance that failed to answer is never used again; a
//! caller who goes away doesn't end the invocation.

mod api;
mod desk;
mod extension;
mod extension_api;
mod failure;
mod instance;
mod java;
mod line;
mod memory;
mod plan;
mod provision;
mod quota;
mod record;
mod run;
mod scaling;
mod scheduler;
mod scribe;
mod slot;
mod snapshot;
mod start;
mod stream;
mod template;
mod tier;
mod trace;
mod variables;

pub(crate) use memory::Host;
pub(crate) use provision::{Provision, provision};
pub(crate) use run::{Job, run};
pub(crate) use scheduler::Scheduler;
pub(crate) use snapshot::{Snapshots, State};
pub(crate) use stream::Piece;
pub(crate) use template::{Mold, Templates};
pub(crate) use trace::onward;
