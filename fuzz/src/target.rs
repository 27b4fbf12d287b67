//! What is fuzzed: a line each.

mod chunked;
mod expression;
mod json;
mod open_api;
mod package;
mod policy;
mod query;
mod signature;
mod template;
mod xml;

use std::pin::Pin;

use crate::world::World;

/// A parser, and what it likes to read.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Inputs that are understood.
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Pieces of the language.
    pub(crate) words: &'static [&'static str],
    /// Reads an input; an error is an answer, a panic a finding.
    pub(crate) run: for<'a> fn(&'a World, &'a [u8]) -> Run<'a>,
}

/// The reading of an input.
pub(crate) type Run<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

/// All targets.
pub(crate) const TARGETS: &[Target] = &[
    chunked::TARGET,
    expression::TARGET,
    json::TARGET,
    open_api::TARGET,
    package::TARGET,
    policy::TARGET,
    query::TARGET,
    signature::TARGET,
    template::TARGET,
    xml::TARGET,
];

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
