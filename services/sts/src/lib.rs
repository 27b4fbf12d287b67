//! AWS sts.

pub mod generated;
