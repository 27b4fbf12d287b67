//! The pattern language against rows written from AWS's documentation.

#![allow(clippy::unwrap_used)] // what panics here is a failed test

mod malformed;
mod matching;
mod properties;
