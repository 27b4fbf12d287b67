//! AWS iam.
