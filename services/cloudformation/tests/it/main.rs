//! CloudFormation in process, over IAM, Logs and a stand-in for Lambda: stacks are made, moved, put back and removed.

#![allow(clippy::unwrap_used)] // what panics here is a failed test

mod change_set;
mod crash;
mod functions;
mod lambda;
mod stack;
mod tag;
mod token;
mod world;
