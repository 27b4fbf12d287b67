//! CloudWatch, called in process over a store in memory. A file for each noun, as in src/.

#![allow(clippy::unwrap_used)] // what panics here is a failed test

mod meter;
mod metric;
mod put;
mod wire;
mod world;
