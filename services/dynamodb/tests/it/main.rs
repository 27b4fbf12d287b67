//! DynamoDB in process, over a store in memory: every call goes through JSON, as on the wire.

#![allow(clippy::unwrap_used)] // a test that meets a surprise is to fail

mod access;
mod batch;
mod item;
mod number;
mod query;
mod scan;
mod table;
mod throughput;
mod transaction;
mod value;
mod world;
