//! `cargo xtask bench`: the benchmarks against named peers, in a release build.

use std::path::Path;
use std::process::Command;

use clap::Args;

use crate::Outcome;

/// What to measure.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A scenario and options, as `cargo xtask bench -- --help` lists them; all scenarios without.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs the subcommand in the repository `root`.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Outcome {
    let mut command = Command::new("cargo");
    command
        .args(["run", "--release", "-p", "pagoda-benches", "--"])
        .args(&arguments.arguments)
        .current_dir(root);
    match command.status()?.success() {
        true => Ok(()),
        false => Err("the benchmarks failed".into()),
    }
}
