//! AWS apigateway.

pub mod generated;
