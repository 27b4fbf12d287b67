//! The front door, knocked at by clients over real sockets.

#![allow(clippy::unwrap_used)] // what panics here is a failed test

mod drain;
mod large;
mod slow;
mod world;
