//! The Velocity template language: the templates that map requests and answers.
//!
//! Invariants: pure (no I/O, no caller but its arguments); a template is read once and rendered by many
//! threads; rendering ends, and takes no more steps, memory and output than its [`Limits`] say, whatever
//! the template and its input are; a template reaches the values that it is given and nothing else (there
//! are no classes, no reflection, no files: `#include` and `#parse` are refused).
//!
//! The language is that of Velocity 1.7, which API Gateway speaks. Maps keep the order in which they were
//! filled; arithmetic beyond 64 bits is an error.
//!
//! Source: <https://velocity.apache.org/engine/1.7/vtl-reference.html>; where it is silent, what Velocity
//! 1.7 itself does (`tests/velocity-1.7.jsonl`).

mod error;
mod heap;
mod host;
mod limits;
mod method;
mod number;
mod render;
mod rendering;
mod syntax;
mod template;
mod value;

pub use error::{RenderError, SyntaxError};
pub use heap::Heap;
pub use host::Host;
pub use limits::Limits;
pub use rendering::Rendering;
pub use template::Template;
pub use value::Value;
