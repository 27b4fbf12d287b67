//! Pagoda: whole serverless three-tier applications on machines that you own. The one binary.
//!
//! Invariant: the sandbox's spawner is forked before the first thread exists.

mod cli;
mod client;
mod commands;
mod config;
mod data;
mod deploy;
mod error;
mod otlp;
mod platform;
mod sdk;
mod terminal;
mod xml;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    terminal::log_to_stderr();
    match commands::run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            terminal::fail(&error);
            ExitCode::FAILURE
        }
    }
}
