//! EventBridge, called in process over a store in memory. A file for each noun, as in src/.

#![allow(clippy::unwrap_used)] // what panics here is a failed test

mod bus;
mod event;
mod rule;
mod schedule;
mod world;
