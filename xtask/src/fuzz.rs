//! `cargo xtask fuzz`: the fuzz targets, each for a while, from a seed that is printed.

use std::path::Path;
use std::process::Command;

use clap::Args;

use crate::{Outcome, process};

/// What to run for how long.
#[derive(Args)]
pub(crate) struct Arguments {
    /// For how long each target runs.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where the mutations begin; the same seed tries the same inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this target.
    target: Option<String>,
}

/// Runs the subcommand in the repository `root`.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Outcome {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["run", "--quiet", "--package", "pagoda-fuzz", "--"]);
    cargo.args([arguments.seconds.to_string(), arguments.seed.to_string()]);
    process::run(cargo.args(&arguments.target))
}
