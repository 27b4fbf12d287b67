//! AWS iam.

pub mod generated;
