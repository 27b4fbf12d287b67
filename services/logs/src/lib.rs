//! AWS logs.

pub mod generated;
