//! Event source mappings: functions that follow a stream.
//!
//! ```text
//! ReadStream ──► gather ──► filter ──► deliver ──► execution ──► checkpoint
//!   (a hint wakes)             (splits, tries again)   └─ gives up ──► destination
//! ```
//!
//! One task follows each shard, or each of the lanes into which `ParallelizationFactor` divides one. It sleeps
//! until the stream hints at new records.
//!
//! Invariants: a checkpoint is durable and never ahead of what was handled, so that a crash delivers again and
//! never loses; records of one key are delivered in their order, one batch after the other; a mapping's old tasks
//! have ended before its new ones begin.
//!
//! Sources of other kinds come as further providers of [`pagoda_service::ports::ReadStream`].
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html>

pub(crate) mod access;
mod batch;
mod checkpoint;
mod deliver;
mod destination;
mod filter;
mod gather;
pub(crate) mod mapping;
mod permission;
mod poller;
mod record;
mod settings;
pub(crate) mod tag;
mod validate;
mod window;

pub(crate) use poller::Pollers;
