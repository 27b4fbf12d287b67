//! `pagoda serve`: the platform in the foreground, until SIGTERM or SIGINT.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{RuntimeFallback, Serve};
use crate::config::Config;
use crate::error::{Doing as _, Error};
use crate::platform::{Host, Platform};
use crate::terminal;

pub(crate) fn run(arguments: &Serve) -> Result<ExitCode, Error> {
    let config = Config::of(arguments, RuntimeFallback::Exact)?;
    let host = Host::prepare(&config)?;
    runtime()?.block_on(async {
        let platform = Platform::start(config, host).await?;
        terminal::say(format!("ready {}", platform.endpoint));
        told_to_stop().await?;
        platform.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// The runtime of every command that talks over the network.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().doing("threads")
}

/// Returns when the process is told to end.
pub(crate) async fn told_to_stop() -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate()).doing("signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).doing("signals")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
