//! Templates: an interpreter that has started and waits, kept as an image from which instances are restored.
//!
//! An image is one of an interpreter with Pagoda's own client, before any code of a function: all functions of
//! a language may come from it. What is taken once is restored in a fraction of the interpreter's start. Where
//! that does not work (another architecture, a hardened kernel) instances are executed, and the reason is told.
//!
//! Invariants: an image belongs to one interpreter, one version of the client and one boot of the machine; a
//! function whose variables its interpreter reads when it starts is executed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io};

use aws_lc_rs::digest::{SHA256, digest};
use pagoda_sandbox::{Error, Ids, Image, Limits, Ready, Spawner, Spec};
use serde_json::json;
use tokio::sync::watch;

use crate::interpreters::Interpreter;
use crate::runtime;
use crate::{Config, Lambda, config};

use super::plan;

/// A template that isn't ready by then never will be.
const READY_MAX: Duration = Duration::from_secs(30);
const MEMORY_BYTES: u64 = 256 << 20;
const CPU_MILLIS: u32 = 2_000;
/// The ids of an interpreter's ready instances.
const READY_IDS: u32 = 20_000;
/// Beginnings of the names of variables that interpreters and their libraries read when they start.
const EARLY: [&str; 9] =
    ["PYTHON", "NODE_", "UV_", "LD_", "MALLOC_", "GLIBC_", "LC_", "LANG", "AWS_LAMBDA_EXEC_WRAPPER"];

/// The images, by interpreter.
pub(crate) struct Templates {
    directory: PathBuf,
    states: Mutex<HashMap<PathBuf, State>>,
    making: watch::Sender<usize>,
    /// Ranges of ids given out.
    ranges: AtomicU32,
}

#[derive(Debug, Clone)]
enum State {
    /// Is being made; instances are executed meanwhile.
    Making,
    Ready(Arc<Image>),
    /// Does not work here, for this reason.
    Failed(String),
}

impl Templates {
    /// The templates whose images are kept in `directory`.
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self {
            directory,
            states: Mutex::default(),
            making: watch::Sender::new(0),
            ranges: AtomicU32::new(0),
        })
    }

    /// The image of an interpreter, if it is ready.
    pub(crate) fn image(&self, interpreter: &Interpreter) -> Option<Arc<Image>> {
        match self.states().get(&interpreter.guest) {
            Some(State::Ready(image)) => Some(Arc::clone(image)),
            _ => None,
        }
    }

    /// What instances of an interpreter start from, in words for the operator.
    pub(crate) fn describe(&self, interpreter: &Interpreter) -> String {
        match self.states().get(&interpreter.guest) {
            Some(State::Ready(_)) => "restored from an image".to_owned(),
            Some(State::Making) => "executed, until its image is ready".to_owned(),
            Some(State::Failed(reason)) => format!("executed: {reason}"),
            None => "not used yet".to_owned(),
        }
    }

    /// Gives an image up: instances are executed from now on.
    pub(super) fn give_up(&self, interpreter: &Interpreter, reason: String) {
        tracing::warn!(%interpreter, reason, "instances are executed, not restored");
        self.states().insert(interpreter.guest.clone(), State::Failed(reason));
    }

    fn begin(&self, interpreter: &Interpreter) -> bool {
        let mut states = self.states();
        let is_new = !states.contains_key(&interpreter.guest);
        if is_new {
            states.insert(interpreter.guest.clone(), State::Making);
            self.making.send_modify(|making| *making += 1);
        }
        is_new
    }

    fn end(&self, interpreter: &Interpreter, made: Result<Image, Error>) {
        match made {
            Ok(image) => {
                self.states().insert(interpreter.guest.clone(), State::Ready(Arc::new(image)));
            }
            Err(error) => self.give_up(interpreter, error.to_string()),
        }
        self.making.send_modify(|making| *making -= 1);
    }

    /// How many instances wait for their functions, under ids that nobody else gets.
    fn ready(&self, limits: &config::Limits) -> Ready {
        let number = self.ranges.fetch_add(1, Ordering::Relaxed);
        let first = limits.first_uid + super::scheduler::IDS + 1 + number * READY_IDS;
        Ready { count: limits.ready, ids: first..first + READY_IDS }
    }

    /// Resolves when no image is being made.
    async fn settled(&self) {
        // The sender lives as long as this.
        let _ = self.making.subscribe().wait_for(|making| *making == 0).await;
    }

    fn states(&self) -> MutexGuard<'_, HashMap<PathBuf, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lambda {
    /// Has the interpreter's image made, if it isn't there and nobody has yet asked for it.
    pub(crate) fn want_template(&self, interpreter: &Interpreter) {
        let (Ok(lambda), Some(spawner)) = (self.shared(), self.ports.spawner.clone()) else { return };
        if !self.config.templates || !self.templates.begin(interpreter) {
            return;
        }
        let interpreter = interpreter.clone();
        tokio::spawn(async move {
            let path = lambda.templates.directory.join(name(&interpreter));
            let made = image(&lambda.config, &spawner, &interpreter, &path).await;
            if let Ok(image) = &made {
                let ready = lambda.templates.ready(&lambda.config.limits);
                if let Err(error) = spawner.keep_ready(image, &ready).await {
                    // Instances are restored when they are needed, then.
                    tracing::warn!(%interpreter, %error, "no instances are kept ready");
                }
            }
            lambda.templates.end(&interpreter, made);
        });
    }

    /// What instances of each interpreter start from, once the images that are being made are ready.
    pub async fn starts(&self) -> Vec<(String, String)> {
        self.templates.settled().await;
        let all = self.config.interpreters.all();
        all.map(|one| (one.to_string(), self.templates.describe(one))).collect()
    }
}

/// The image on disk if it is still good, or else a new one.
async fn image(
    config: &Config,
    spawner: &Spawner,
    interpreter: &Interpreter,
    path: &Path,
) -> Result<Image, Error> {
    if let Some(image) = stored(path).await {
        return Ok(image);
    }
    let instance = spawner.spawn(template(config, interpreter)).await?;
    let taken = tokio::time::timeout(READY_MAX, instance.snapshot(path)).await;
    taken.unwrap_or_else(|_| Err(Error::Image("the template did not get ready".to_owned())))
}

async fn stored(path: &Path) -> Option<Image> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || Image::open(&path).ok()).await.ok().flatten()
}

/// Another interpreter, another client: another image.
fn name(interpreter: &Interpreter) -> String {
    let version = format!("{} {}", interpreter.path.display(), runtime::client(interpreter.language));
    format!("{interpreter}-{}", hex::encode(&digest(&SHA256, version.as_bytes()).as_ref()[..8]))
}

fn template(config: &Config, interpreter: &Interpreter) -> Spec {
    let ids = config.limits.first_uid + super::scheduler::IDS;
    let (program, mut arguments) = plan::command(interpreter);
    arguments.push("--template".to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut spec = Spec::exec(program, &arguments, Ids { uid: ids, gid: ids });
    spec.environment = [("LANG", "en_US.UTF-8"), ("TZ", ":UTC"), ("PATH", "/usr/local/bin:/usr/bin:/bin")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    spec.binds = plan::client_binds(config, interpreter);
    spec.resume = Some(Vec::new());
    spec.limits = Limits { memory_bytes: MEMORY_BYTES, cpu_millis: CPU_MILLIS, ..Limits::default() };
    spec
}

/// Whether a process that has started already can take these variables on.
pub(super) fn takes(mut own: impl Iterator<Item = impl AsRef<str>>) -> bool {
    !own.any(|name| EARLY.iter().any(|early| name.as_ref().starts_with(early)))
}

/// What a restored process is told: who it is.
pub(super) fn message(environment: &[(String, String)]) -> Vec<u8> {
    let environment: serde_json::Map<_, _> =
        environment.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let mut text = json!({ "environment": environment }).to_string().into_bytes();
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_are_read_early_need_an_execution() {
        for (name, fits) in
            [("TABLE", true), ("NODE_OPTIONS", false), ("PYTHONHASHSEED", false), ("LD_PRELOAD", false)]
        {
            assert_eq!(takes([name].into_iter()), fits, "{name}");
        }
    }

    #[test]
    fn a_message_is_one_line() {
        let text = message(&[("A".into(), "1\n2".into())]);
        assert_eq!(text, b"{\"environment\":{\"A\":\"1\\n2\"}}\n");
    }
}
