//! `pagoda deploy`: an application from its template to a running platform.

use std::process::ExitCode;

use super::serve::runtime;
use crate::cli::Deploy;
use crate::client::Client;
use crate::deploy::{Application, deploy};
use crate::error::Error;
use crate::terminal::{self, Progress};

pub(crate) fn run(arguments: &Deploy) -> Result<ExitCode, Error> {
    let client = Client::of(&arguments.target)?;
    let application = Application::find(&arguments.application, &arguments.stack, &arguments.parameters)?;
    let progress = Progress::new(format!("deploying {}", arguments.stack));
    let outputs = runtime()?.block_on(deploy(&client, &application, &progress))?;
    drop(progress);
    show(&outputs);
    Ok(ExitCode::SUCCESS)
}

/// The stack's outputs.
pub(crate) fn show(outputs: &[(String, String)]) {
    let rows: Vec<Vec<String>> =
        outputs.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
    terminal::rows(&["output", ""], &rows);
}
