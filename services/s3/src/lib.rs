//! AWS s3.

pub mod generated;
