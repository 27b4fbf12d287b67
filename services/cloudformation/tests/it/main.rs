//! CloudFormation in process, over IAM and Logs: stacks are made, moved, put back and removed.

#![allow(clippy::unwrap_used)] // what panics here is a failed test

mod change_set;
mod crash;
mod stack;
mod tag;
mod token;
mod world;
