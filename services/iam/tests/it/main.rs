//! IAM in process: what it keeps, what it refuses, and what follows for callers.

mod credential;
mod entity;
mod policy;
mod world;
