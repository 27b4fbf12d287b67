//! The words that every layer shares: accounts, regions, ARNs, ids, clock and randomness.
//!
//! Invariants: nothing here does I/O but [`SystemClock`] and [`SystemRandom`], which only the binary
//! makes; everything else receives time and randomness through [`Clock`] and [`Random`], so that a
//! test can hand in its own.

mod account;
mod arn;
mod clock;
mod failure;
pub mod ids;
mod random;
mod region;

pub use account::{AccountId, InvalidAccountId};
pub use arn::{Arn, InvalidArn};
pub use clock::{Clock, ManualClock, SystemClock};
pub use failure::Failure;
pub use jiff::{SignedDuration, Timestamp};
pub use random::{Random, SeededRandom, SystemRandom};
pub use region::{InvalidRegion, Region};

/// The partition that all of Pagoda's ARNs are in.
pub const PARTITION: &str = "aws";
