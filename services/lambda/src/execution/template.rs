//! Templates: an interpreter that has started and waits, kept as an image from which instances are restored.
//!
//! An image is one of an interpreter with Pagoda's own client, before any code of a function: all functions of
//! a language may come from it. What is taken once is restored in a fraction of the interpreter's start. Where
//! that does not work (another architecture, a hardened kernel) instances are executed, and the reason is told.
//!
//! Invariants: an image belongs to one interpreter, one version of the client and one boot of the machine; a
//! Java heap's limit is fixed when its machine starts, so that there an image is of one memory size too; a
//! function whose variables its interpreter reads when it starts is executed.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io};

use aws_lc_rs::digest::{SHA256, digest};
use pagoda_sandbox::{Error, Ids, Image, Limits, Ready, Spawner, Spec, Start};
use serde_json::json;
use tokio::sync::watch;

use crate::interpreters::{Interpreter, Language};
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
const EARLY: [&str; 11] = [
    "PYTHON",
    "NODE_",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "UV_",
    "LD_",
    "MALLOC_",
    "GLIBC_",
    "LC_",
    "LANG",
    "AWS_LAMBDA_EXEC_WRAPPER",
];
/// Images of one Java, each for functions of another memory size; functions of further sizes are executed.
const SIZES_MAX: usize = 8;

/// What instances are restored from: an interpreter, and for Java the memory that its heap is made for.
#[derive(Debug, Clone)]
pub(crate) struct Mold {
    interpreter: Interpreter,
    memory_mb: Option<u32>,
}

/// The program in the sandbox, and the memory size.
type Key = (PathBuf, Option<u32>);

impl Mold {
    /// The one for functions that run on `interpreter` with so much memory.
    pub(crate) fn of(interpreter: &Interpreter, memory_mb: u32) -> Self {
        let memory_mb = (interpreter.language == Language::Java).then_some(memory_mb);
        Self { interpreter: interpreter.clone(), memory_mb }
    }

    /// Whether its interpreter can be kept at all: Ruby has timers of `timer_create`, which no image can have.
    fn can_be_kept(&self) -> bool {
        self.interpreter.language != Language::Ruby
    }

    fn key(&self) -> Key {
        (self.interpreter.guest.clone(), self.memory_mb)
    }

    /// Another interpreter, another client: another image.
    fn file_name(&self) -> String {
        let program = self.interpreter.path.display().to_string();
        let version = [program.as_bytes(), b" ", runtime::client(self.interpreter.language)].concat();
        format!(
            "{}-{}",
            self.to_string().replace(' ', "-"),
            hex::encode(&digest(&SHA256, &version).as_ref()[..8])
        )
    }
}

impl fmt::Display for Mold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.memory_mb {
            Some(memory_mb) => write!(f, "{} {memory_mb} MB", self.interpreter),
            None => self.interpreter.fmt(f),
        }
    }
}

/// The images, by what they are of.
pub(crate) struct Templates {
    directory: PathBuf,
    states: Mutex<HashMap<Key, State>>,
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

    /// The user that what is the platform's own runs as, when no code of a function does.
    pub(crate) fn ids(limits: &config::Limits) -> u32 {
        limits.first_uid + super::scheduler::IDS
    }

    /// The image, if it is ready.
    pub(crate) fn image(&self, mold: &Mold) -> Option<Arc<Image>> {
        match self.states().get(&mold.key()) {
            Some(State::Ready(image)) => Some(Arc::clone(image)),
            _ => None,
        }
    }

    /// What instances of an interpreter start from, in words for the operator: by what the images are of.
    fn describe(&self, interpreter: &Interpreter) -> Vec<(String, String)> {
        let states = self.states();
        let mut own: Vec<_> = states.iter().filter(|((guest, _), _)| *guest == interpreter.guest).collect();
        own.sort_by_key(|((_, memory_mb), _)| *memory_mb);
        if own.is_empty() {
            return vec![(interpreter.to_string(), "not used yet".to_owned())];
        }
        let describe = |((_, memory_mb), state): (&Key, &State)| {
            let mold = Mold { interpreter: interpreter.clone(), memory_mb: *memory_mb };
            let start = match state {
                State::Ready(_) => "restored from an image".to_owned(),
                State::Making => "executed, until its image is ready".to_owned(),
                State::Failed(reason) => format!("executed: {reason}"),
            };
            (mold.to_string(), start)
        };
        own.into_iter().map(describe).collect()
    }

    /// Gives an image up: instances are executed from now on.
    pub(super) fn give_up(&self, mold: &Mold, reason: String) {
        tracing::warn!(%mold, reason, "instances are executed, not restored");
        self.states().insert(mold.key(), State::Failed(reason));
    }

    fn begin(&self, mold: &Mold) -> bool {
        let mut states = self.states();
        let sizes = states.keys().filter(|(guest, _)| *guest == mold.interpreter.guest).count();
        let is_new = sizes < SIZES_MAX && !states.contains_key(&mold.key());
        if is_new {
            states.insert(mold.key(), State::Making);
            self.making.send_modify(|making| *making += 1);
        }
        is_new
    }

    fn end(&self, mold: &Mold, made: Result<Image, Error>) {
        match made {
            Ok(image) => {
                self.states().insert(mold.key(), State::Ready(Arc::new(image)));
            }
            Err(error) => self.give_up(mold, error.to_string()),
        }
        self.making.send_modify(|making| *making -= 1);
    }

    /// How many instances wait for their functions, under ids that nobody else gets.
    fn ready(&self, config: &Config, mold: &Mold) -> Ready {
        let limits = &config.limits;
        let number = self.ranges.fetch_add(1, Ordering::Relaxed);
        let first = limits.first_uid + super::scheduler::IDS + 1 + number * READY_IDS;
        let binds = plan::client_binds(config, &mold.interpreter);
        Ready { count: limits.ready, ids: first..first + READY_IDS, binds }
    }

    /// Resolves when no image is being made.
    async fn settled(&self) {
        // The sender lives as long as this.
        let _ = self.making.subscribe().wait_for(|making| *making == 0).await;
    }

    fn states(&self) -> MutexGuard<'_, HashMap<Key, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lambda {
    /// Has the image made, if it isn't there and nobody has yet asked for it.
    pub(crate) fn want_template(&self, mold: &Mold) {
        let (Ok(lambda), Some(spawner)) = (self.shared(), self.ports.spawner.clone()) else { return };
        if !self.config.templates || !mold.can_be_kept() || !self.templates.begin(mold) {
            return;
        }
        let mold = mold.clone();
        tokio::spawn(async move {
            let path = lambda.templates.directory.join(mold.file_name());
            let made = image(&lambda.config, &spawner, &mold, &path).await;
            if let Ok(image) = &made {
                let ready = lambda.templates.ready(&lambda.config, &mold);
                if let Err(error) = spawner.keep_ready(image, &ready).await {
                    // Instances are restored when they are needed, then.
                    tracing::warn!(%mold, %error, "no instances are kept ready");
                }
            }
            lambda.templates.end(&mold, made);
        });
    }

    /// What instances of each interpreter that can have an image start from, once the images that are being made are ready.
    pub async fn starts(&self) -> Vec<(String, String)> {
        self.templates.settled().await;
        let all = self.config.interpreters.all().filter(|one| Mold::of(one, 0).can_be_kept());
        all.flat_map(|one| self.templates.describe(one)).collect()
    }
}

/// The image on disk if it is still good, or else a new one.
async fn image(config: &Config, spawner: &Spawner, mold: &Mold, path: &Path) -> Result<Image, Error> {
    if let Some(image) = stored(path).await {
        return Ok(image);
    }
    let instance = spawner.spawn(template(config, mold)).await?;
    let late = |_| Err(Error::Image("the template did not get ready".to_owned()));
    let taken = tokio::time::timeout(READY_MAX, instance.snapshot(path)).await.unwrap_or_else(late)?;
    let rehearsed = rehearsed(config, spawner, mold, taken, path).await;
    if rehearsed.is_err() {
        // The platform's next process shall not take it for good.
        let _ = fs::remove_file(path);
    }
    rehearsed
}

/// The image, once a clone of it has shown that it works, and which memory it needs.
async fn rehearsed(
    config: &Config,
    spawner: &Spawner,
    mold: &Mold,
    image: Image,
    path: &Path,
) -> Result<Image, Error> {
    let clone = spawner.spawn(rehearsal(config, mold, Arc::new(image))).await?;
    let rehearsed = tokio::time::timeout(READY_MAX, clone.rehearsed(path)).await;
    rehearsed.unwrap_or_else(|_| Err(Error::Image("the rehearsal did not end".to_owned())))
}

async fn stored(path: &Path) -> Option<Image> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || Image::open(&path).ok()).await.ok().flatten()
}

fn template(config: &Config, mold: &Mold) -> Spec {
    let ids = Templates::ids(&config.limits);
    let (program, mut arguments) =
        plan::command(&mold.interpreter, mold.memory_mb.unwrap_or_default(), false);
    arguments.push("--template".to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut spec = Spec::exec(program, &arguments, Ids { uid: ids, gid: ids });
    spec.environment = [("LANG", "en_US.UTF-8"), ("TZ", ":UTC"), ("PATH", "/usr/local/bin:/usr/bin:/bin")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    spec.binds = plan::client_binds(config, &mold.interpreter);
    spec.resume = Some(Vec::new());
    spec.limits = Limits { memory_bytes: MEMORY_BYTES, cpu_millis: CPU_MILLIS, ..Limits::default() };
    spec
}

/// A clone that does what an instance does before and with its first event, and then waits again.
fn rehearsal(config: &Config, mold: &Mold, image: Arc<Image>) -> Spec {
    let plain = template(config, mold);
    let mut environment = plain.environment;
    environment.push(("_PAGODA_REHEARSAL".to_owned(), "1".to_owned()));
    Spec {
        start: Start::Restore { image },
        environment: Vec::new(),
        resume: Some(message(&environment)),
        ..plain
    }
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
        for (name, fits) in [
            ("TABLE", true),
            ("NODE_OPTIONS", false),
            ("PYTHONHASHSEED", false),
            ("LD_PRELOAD", false),
            ("JAVA_HOME", true),
            ("JAVA_TOOL_OPTIONS", false),
        ] {
            assert_eq!(takes([name].into_iter()), fits, "{name}");
        }
    }

    #[test]
    fn a_message_is_one_line() {
        let text = message(&[("A".into(), "1\n2".into())]);
        assert_eq!(text, b"{\"environment\":{\"A\":\"1\\n2\"}}\n");
    }
}
