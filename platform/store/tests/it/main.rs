//! The store's tests: one semantics on every engine, and what survives which disaster.

#![allow(clippy::unwrap_used, reason = "a helper that panics fails its test")]

mod blob;
mod conformance;
mod crash;
mod damage;
mod fault;
mod group;
mod model;
mod record;
mod stores;
mod tuple;
mod update;
