//! Asynchronous invocation: events wait in a durable queue, are tried again, and end at a destination.
//!
//! ```text
//! Invoke (Event) ──► queue ──► dispatch ──► execution ──► destination ──► queue of another function, or S3
//! ```
//!
//! Invariants: an event is durable before it is acknowledged, and stays in the queue until what became of it is
//! durable too, so that it is handled at least once; no function's events wait for another function's.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html>

pub(crate) mod config;
mod destination;
mod dispatch;
mod later;
mod queue;

pub(crate) use dispatch::Dispatcher;
