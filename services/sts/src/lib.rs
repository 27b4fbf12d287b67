//! AWS sts.
