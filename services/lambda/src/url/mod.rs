//! Function URLs: an address of its own for a function or an alias.
//!
//! ```text
//! front door ──► serve: find ─ cross-origin ─ authorize ─ event ─► execution ─► answer
//! ```
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html>

mod answer;
pub(crate) mod config;
mod cors;
mod event;
mod record;
mod serve;
mod stream;

pub(crate) use record::prefix;
