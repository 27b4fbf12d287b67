//! API Gateway in process: APIs are defined, deployed, and called.

#![allow(clippy::unwrap_used)] // what panics here is a failed test

mod authorizer;
mod caching;
mod canary;
mod compression;
mod control;
mod documentation;
mod export;
mod gateway_response;
mod keys;
mod logs;
mod mapping;
mod plane;
mod servers;
mod validation;
mod world;
