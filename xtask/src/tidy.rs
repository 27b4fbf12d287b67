//! `cargo xtask tidy`: the rules of the house that a compiler does not know. They are tests of this crate too.
//!
//! Invariant: a rule names each place that breaks it, and what would be accepted.

mod allow;
mod function;
mod layer;
mod size;
mod source;
mod word;

use std::path::Path;

use crate::{Outcome, say};

/// Runs the subcommand in the repository `root`.
pub(crate) fn run(root: &Path) -> Outcome {
    let sources = source::all(root)?;
    let broken: Vec<String> = [
        layer::check(root)?,
        source::check_headers(&sources),
        size::check(&sources),
        word::check(&sources),
        allow::check(&sources),
    ]
    .concat();
    if broken.is_empty() {
        say("tidy");
        return Ok(());
    }
    Err(format!("{}\n{} places break the rules", broken.join("\n"), broken.len()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(broken: &[String]) {
        assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    }

    fn sources() -> Vec<source::Source> {
        source::all(crate::root()).unwrap()
    }

    #[test]
    fn crates_depend_downwards_only() {
        none(&layer::check(crate::root()).unwrap());
    }

    #[test]
    fn files_open_with_a_header() {
        none(&source::check_headers(&sources()));
    }

    #[test]
    fn files_and_functions_stay_small() {
        none(&size::check(&sources()));
    }

    #[test]
    fn nothing_is_left_for_later() {
        none(&word::check(&sources()));
    }

    #[test]
    fn exceptions_have_reasons() {
        none(&allow::check(&sources()));
    }
}
