//! AWS dynamodb.

pub mod generated;
