//! Streams in process: tables of the real DynamoDB, read through the API.

#![allow(clippy::unwrap_used)] // a test that meets a surprise is to fail

mod reading;
mod world;
