//! What runs and what waits, for the operator.

use pagoda_base::{AccountId, Region};

/// The instances of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instances {
    /// Whose function it is.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// The function's name.
    pub function: String,
    /// Invocations under way.
    pub running: usize,
    /// Instances that wait for events.
    pub idle: usize,
}

/// Counts instances.
pub trait CountInstances: Send + Sync {
    /// Those of all functions that have any.
    fn instances(&self) -> Vec<Instances>;
}
