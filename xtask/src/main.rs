//! The one tool of the repository. Each subcommand is a file; this one only dispatches.

mod bench;
mod codegen;
mod coverage;
mod fuzz;
mod new_service;
mod process;
mod test;
mod tidy;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

/// What every subcommand answers.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Pagoda's workshop.
#[derive(Parser)]
enum Command {
    /// Measure against named peers, and write docs/benchmarks.md.
    Bench(bench::Arguments),
    /// Write each service's generated.rs from models/.
    Codegen(codegen::Arguments),
    /// Write each service's table of operations into its README, and docs/coverage.md.
    Coverage,
    /// Run the fuzz targets.
    Fuzz(fuzz::Arguments),
    /// Begin a service under services/.
    NewService(new_service::Arguments),
    /// Prepare what is missing, and run all tests.
    Test(test::Arguments),
    /// Check the rules of the house: layers, headers, sizes, words.
    Tidy,
}

fn main() -> ExitCode {
    match run(&Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Outcome {
    match command {
        Command::Bench(arguments) => bench::run(root(), arguments),
        Command::Codegen(arguments) => codegen::run(root(), arguments),
        Command::Coverage => coverage::run(root()),
        Command::Fuzz(arguments) => fuzz::run(root(), arguments),
        Command::NewService(arguments) => new_service::run(root(), arguments),
        Command::Test(arguments) => test::run(root(), arguments),
        Command::Tidy => tidy::run(root()),
    }
}

/// The repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Prints a line; whoever closed the output does not want it.
fn say(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}
