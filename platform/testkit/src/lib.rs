//! Services inside a test: a store in memory, a clock that the test moves, callers of its choice.
//!
//! Whole servers are tested through real clients against the real binary: see `tests/`.

mod client;
mod measured;
mod world;

pub use client::Client;
pub use measured::Measured;
pub use world::{ACCOUNT, OTHER_ACCOUNT, REGION, World};
