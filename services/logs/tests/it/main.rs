//! CloudWatch Logs in process, over the store in memory.

mod events;
mod world;
