//! The one tool of the repository. Each subcommand is a file; this one only dispatches.

mod bench;
mod codegen;

use std::error::Error;
use std::path::Path;

use clap::Parser;

/// What every subcommand answers.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Pagoda's workshop.
#[derive(Parser)]
enum Command {
    /// Write each service's generated.rs from models/.
    Codegen(codegen::Arguments),
    /// Measure against named peers, and write docs/benchmarks.md.
    Bench(bench::Arguments),
}

fn main() -> Outcome {
    match Command::parse() {
        Command::Codegen(arguments) => codegen::run(root(), &arguments),
        Command::Bench(arguments) => bench::run(root(), &arguments),
    }
}

/// The repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
