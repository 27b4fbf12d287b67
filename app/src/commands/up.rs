//! `pagoda up`: serve, deploy, and deploy again when something changes.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use notify::{EventKind, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use super::deploy::show;
use super::serve::{runtime, told_to_stop};
use crate::cli::{RuntimeFallback, Target, Up};
use crate::client::Client;
use crate::config::Config;
use crate::data::Data;
use crate::deploy::{Application, deploy};
use crate::error::{Doing as _, Error};
use crate::platform::{Host, Platform};
use crate::terminal::{self, Progress};
use crate::{sdk, terminal::remark};

/// Editors write a file in several steps: this long nothing more must happen.
const SETTLED: Duration = Duration::from_millis(80);

pub(crate) fn run(arguments: &Up) -> Result<ExitCode, Error> {
    let stack = arguments.stack.clone().map_or_else(|| stack_name(&arguments.application), Ok)?;
    let application = Application::find(&arguments.application, &stack, &arguments.parameters)?;
    let config = Config::of(&arguments.serve, RuntimeFallback::Nearest)?;
    let host = Host::prepare(&config)?;
    let data = Data::open(&config.data)?;
    let progress = Progress::new("starting");
    // Functions that bring their SDK work without; those that do not say what they miss.
    if let Err(error) = sdk::fetch(&data, &host.interpreters, |what| progress.now(what)) {
        progress.done(format!("functions have no AWS SDK but their own: {error}"));
    }
    runtime()?.block_on(async {
        let target =
            Target { endpoint: None, data: Some(config.data.clone()), region: Some(config.region.clone()) };
        let platform = Platform::start(config, host).await?;
        let client = Client::of(&target)?;
        progress.now(format!("deploying {stack}"));
        let outputs = deploy(&client, &application, &progress).await;
        drop(progress);
        match outputs {
            Ok(outputs) => show(&outputs),
            Err(error) if arguments.no_watch => {
                platform.stop().await;
                return Err(error);
            }
            Err(error) => terminal::fail(&error),
        }
        remark("The certificate of this platform's authority: see `pagoda env`. Stop with Ctrl+C.");
        terminal::say(format!("ready {}", platform.endpoint));
        tokio::select! {
            stopped = told_to_stop() => stopped?,
            watched = watch(&client, &application), if !arguments.no_watch => watched?,
        }
        platform.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// Deploys again after every change below the application's folder.
async fn watch(client: &Client, application: &Application) -> Result<(), Error> {
    let (changed, mut changes) = mpsc::channel::<()>(1);
    let on_event = move |event: notify::Result<notify::Event>| {
        let reads = event.as_ref().is_ok_and(|event| matches!(event.kind, EventKind::Access(_)));
        if !reads {
            // A change that is waiting already covers this one.
            let _ = changed.try_send(());
        }
    };
    let mut watcher = notify::recommended_watcher(on_event).doing("watching")?;
    watcher.watch(application.folder(), RecursiveMode::Recursive).doing(application.folder().display())?;
    while changes.recv().await.is_some() {
        while tokio::time::timeout(SETTLED, changes.recv()).await.is_ok_and(|change| change.is_some()) {}
        let progress = Progress::new("deploying the change");
        match deploy(client, application, &progress).await {
            Ok(_) => progress.done("the change is live"),
            Err(error) => terminal::fail(&error),
        }
    }
    Ok(())
}

/// The folder's name, as far as stacks' names may have it.
fn stack_name(application: &Path) -> Result<String, Error> {
    let path = std::fs::canonicalize(application).doing(application.display())?;
    let folder = if path.is_file() { path.parent().unwrap_or(&path) } else { &path };
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let lawful: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = lawful.trim_matches('-');
    match name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => Ok(name.to_owned()),
        false => {
            Err(Error::new(format!("{name} cannot be a stack's name")).with_hint("give one with --stack"))
        }
    }
}
