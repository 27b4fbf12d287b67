//! IAM in process: what it keeps, what it refuses, and what follows for callers.

#![allow(clippy::unwrap_used)] // what panics here is a failed test

mod credential;
mod entity;
mod policy;
mod world;
