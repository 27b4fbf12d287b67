//! `cargo xtask test`: prepares what is missing, builds, and runs every test of the repository.
//!
//! Invariants: a part that could not run counts as failed; the last line is `N passed, M failed` over all
//! parts, and the exit status says the same.

mod prepare;
mod python;
mod rust;
mod tally;

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::{Outcome, say};
use tally::Tally;

/// Which tests to run.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Install nothing: neither Debian packages, nor the Python environment, nor npm packages.
    #[arg(long)]
    no_prepare: bool,
    /// Only the Rust tests.
    #[arg(long, conflicts_with = "python")]
    rust: bool,
    /// Only the Python tests.
    #[arg(long)]
    python: bool,
}

/// Runs the subcommand in the repository `root`.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Outcome {
    let python = !arguments.rust && root.join(python::REQUIREMENTS).exists();
    let mut tally = Tally::default();
    if python && !arguments.no_prepare {
        // What is still missing afterwards fails in the tests that need it.
        tally.part("preparing", prepare::run(root));
    }
    if !arguments.python {
        tally.part("Rust", rust::run(root));
    }
    if python {
        tally.part("Python", binary(root).and_then(|binary| python::run(root, &binary)));
    }
    if tally.failed > 0 {
        return Err(tally.to_string().into());
    }
    say(&tally.to_string());
    Ok(())
}

/// The program under test, built if it is not.
fn binary(root: &Path) -> Outcome<PathBuf> {
    rust::build(root)?;
    let output = cargo(root).args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let target = metadata["target_directory"].as_str().ok_or("cargo metadata names no target folder")?;
    Ok(Path::new(target).join("debug/pagoda"))
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root);
    cargo
}
