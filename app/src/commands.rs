//! The commands, one file each.

mod deploy;
mod doctor;
mod env;
mod invoke;
mod list;
mod logs;
mod sdk;
mod serve;
mod up;

use std::process::ExitCode;

use crate::cli::Command;
use crate::error::Error;

/// Runs a command to its end.
pub(crate) fn run(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Env(arguments) => env::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Up(arguments) => up::run(&arguments),
        Command::Deploy(arguments) => deploy::run(&arguments),
        Command::Logs(arguments) => logs::run(&arguments),
        Command::Invoke(arguments) => invoke::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Sdk(arguments) => sdk::run(&arguments),
    }
}
