//! The commands, one file each.

mod env;
mod serve;

use std::process::ExitCode;

use crate::cli::Command;
use crate::error::Error;

/// Runs a command to its end.
pub(crate) fn run(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Env(arguments) => env::run(&arguments),
        _ => Err(Error::new("not yet")),
    }
}
