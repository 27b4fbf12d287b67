//! The Rust tests, by nextest where it is there.

use std::path::Path;

use crate::test::cargo;
use crate::test::tally::Tally;
use crate::{Outcome, process};

/// Everything that is built: programs and tests together, so that no library is built twice with
/// different features.
const BUILT: [&str; 4] = ["--workspace", "--lib", "--bins", "--tests"];

/// Builds the programs and the tests.
pub(crate) fn build(root: &Path) -> Outcome {
    process::run(cargo(root).arg("build").args(BUILT))
}

/// Builds and runs all of them.
pub(crate) fn run(root: &Path) -> Outcome<Tally> {
    build(root)?;
    let mut runner = cargo(root);
    if process::succeeds(cargo(root).args(["nextest", "--version"])) {
        runner.args(["nextest", "run"]).args(BUILT);
    } else {
        runner.args(["test", "--no-fail-fast"]).args(BUILT);
    }
    let mut tally = Tally::default();
    let status = process::follow(&mut runner, |line| tally.read(line))?;
    Ok(tally.ended(status.success()))
}
