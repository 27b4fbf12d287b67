//! AWS lambda.

pub mod generated;
