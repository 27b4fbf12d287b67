//! The language of conditions, filters, updates, projections and key conditions.
//!
//! An expression is text, tokens, a tree, and then a pure function of an item. Invariants: a tree borrows the
//! request's names and values and holds only placeholders that are defined; what a request may make us do is
//! bounded by the length of its text, the number of its operators and its nesting.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>

mod apply;
mod condition;
mod evaluate;
mod key_condition;
mod parser;
mod path;
mod projection;
mod reserved;
mod scope;
mod token;
mod tree;
mod update;

#[cfg(test)]
mod tests;

pub(crate) use condition::Condition;
pub(crate) use key_condition::{KeyCondition, RangeCondition};
pub(crate) use projection::Projection;
pub(crate) use scope::{Expected, Scope};
pub(crate) use update::Update;
