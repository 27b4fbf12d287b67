//! CloudWatch Logs in process, over the store in memory.

#![allow(clippy::unwrap_used)] // what panics here is a failed test

mod events;
mod world;
