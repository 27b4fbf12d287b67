//! The policy language against rows written from AWS's documentation.

#![allow(clippy::unwrap_used)] // what panics here is a failed test

mod conditions;
mod decisions;
mod documents;
mod properties;
mod scene;
