//! DynamoDB in process, over a store in memory: every call goes through JSON, as on the wire.

mod access;
mod batch;
mod item;
mod number;
mod query;
mod scan;
mod table;
mod throughput;
mod value;
mod world;
