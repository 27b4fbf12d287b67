//! AWS cloudformation.

pub mod generated;
