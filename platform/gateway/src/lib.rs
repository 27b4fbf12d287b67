//! The front door: every request takes the steps of [`pipeline`], in its order, one file a step.
//!
//! Invariants: plain HTTP is spoken on loopback only; nothing is called before its caller is known and
//! allowed; every read from a peer has a limit in size and time; a panic in a handler answers 500 and
//! ends nothing else.

mod authenticate;
mod body;
mod certificate;
mod identify;
mod limits;
mod linger;
mod listen;
mod operator;
mod pipeline;
mod record;
mod timer;
mod too_large;

pub use authenticate::Authenticator;
pub use certificate::{Authority, CertificateError};
pub use identify::Planes;
pub use limits::Limits;
pub use listen::{Front, Listener, SandboxFront};
pub use pipeline::Gateway;
pub use record::Counters;
