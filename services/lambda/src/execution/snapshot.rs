//! SnapStart: a published version runs its init code once; its instances are restored from what that left.
//!
//! Invariants: an image holds the memory of one version of one function and is never used for another; its
//! file can be read by the platform alone; instances get credentials and variables of their own.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html>

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io};

use aws_lc_rs::digest::{SHA256, digest};
use pagoda_protocol::ApiError;
use pagoda_sandbox::Image;
use pagoda_service::Context;
use tokio::sync::watch;

use crate::Lambda;
use crate::load::Loaded;
use crate::name::{LATEST, VersionId};

use super::scheduler::Means;
use super::start::{self, NotStarted, Purpose};

/// Init code may take so long here: longer than anywhere else, because nobody waits.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html#snapstart-best-practices>
const INIT_MAX: Duration = Duration::from_secs(130);
const SUFFIX: &str = ".snapshot";

/// The images of versions.
pub(crate) struct Snapshots {
    directory: PathBuf,
    states: Mutex<HashMap<VersionId, State>>,
    making: watch::Sender<usize>,
}

/// How far a version's image is.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// Its init code runs.
    Making,
    Ready(Arc<Image>),
    /// Its init code failed, or its process cannot be kept; why.
    Failed(String),
}

impl Snapshots {
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self { directory, states: Mutex::default(), making: watch::Sender::new(0) })
    }

    /// How far the version's image is; nothing if this process hasn't looked yet.
    pub(crate) fn state(&self, version: &VersionId) -> Option<State> {
        self.states().get(version).cloned()
    }

    /// Forgets images whose version is `gone`.
    pub(crate) fn forget(&self, gone: impl Fn(&VersionId) -> bool) {
        let names: Vec<_> =
            self.states().extract_if(|version, _| gone(version)).map(|(one, _)| one).collect();
        for version in names {
            // What remains is found at the next start.
            let _ = fs::remove_file(self.path(&version));
        }
    }

    /// Removes the files of all but these versions.
    pub(crate) fn keep_only(&self, versions: &[VersionId]) -> io::Result<()> {
        let kept: HashSet<PathBuf> = versions.iter().map(|version| self.path(version)).collect();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path.to_string_lossy().contains(SUFFIX) && !kept.contains(&path) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn begin(&self, version: &VersionId) -> bool {
        let mut states = self.states();
        if matches!(states.get(version), Some(State::Making)) {
            return false;
        }
        states.insert(version.clone(), State::Making);
        self.making.send_modify(|making| *making += 1);
        true
    }

    fn end(&self, version: &VersionId, state: State) {
        if let State::Failed(reason) = &state {
            tracing::warn!(function = %version.function.arn(), version = version.number, reason, "no snapshot");
        }
        // Unless the version is gone meanwhile.
        if let Some(present) = self.states().get_mut(version) {
            *present = state;
        }
        self.making.send_modify(|making| *making -= 1);
    }

    fn path(&self, version: &VersionId) -> PathBuf {
        let name = version.function.qualified_arn(&version.number);
        self.directory.join(hex::encode(digest(&SHA256, name.as_bytes())) + SUFFIX)
    }

    fn states(&self) -> MutexGuard<'_, HashMap<VersionId, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loaded {
    /// Whether its instances are restored from an image of its own.
    pub(crate) fn has_snapshot(&self) -> bool {
        self.version.settings.snap_start && self.number != LATEST
    }
}

impl Lambda {
    /// Runs a version's init code in the background, and keeps what it leaves.
    pub(crate) fn begin_snapshot(&self, cx: &Context, loaded: Arc<Loaded>) {
        let Ok(lambda) = self.shared() else { return };
        let version = loaded.version_id();
        if !self.snapshots.begin(&version) {
            return;
        }
        let cx = cx.clone();
        tokio::spawn(async move {
            let state = match take(&lambda, &cx, &loaded).await {
                Ok(image) => State::Ready(Arc::new(image)),
                Err(reason) => State::Failed(reason),
            };
            lambda.snapshots.end(&version, state);
        });
    }

    /// The version's image. Without one, as after a restart of the machine, the instance starts as others do,
    /// and the next one will not.
    ///
    /// # Errors
    /// `ResourceConflictException` while the init code runs, or when it has failed.
    pub(super) async fn snapshot(
        &self,
        cx: &Context,
        loaded: &Arc<Loaded>,
    ) -> Result<Option<Arc<Image>>, ApiError> {
        let version = loaded.version_id();
        match self.snapshots.state(&version) {
            Some(State::Ready(image)) => return Ok(Some(image)),
            Some(State::Making) => return Err(not_now("Pending")),
            Some(State::Failed(_)) => return Err(not_now("Failed")),
            None => {}
        }
        let path = self.snapshots.path(&version);
        let stored = tokio::task::spawn_blocking(move || Image::open(&path).ok()).await;
        match stored.ok().flatten().map(Arc::new) {
            Some(image) => {
                self.snapshots.states().insert(version, State::Ready(Arc::clone(&image)));
                Ok(Some(image))
            }
            None => {
                self.begin_snapshot(cx, Arc::clone(loaded));
                Ok(None)
            }
        }
    }

    /// Resolves when no version's init code runs in the background.
    pub async fn snapshots_settled(&self) {
        // The sender lives as long as this.
        let _ = self.snapshots.making.subscribe().wait_for(|making| *making == 0).await;
    }
}

async fn take(lambda: &Lambda, cx: &Context, loaded: &Arc<Loaded>) -> Result<Image, String> {
    let path = lambda.snapshots.path(&loaded.version_id());
    let Means { ids, memory, slot: _slot } =
        lambda.scheduler.room(loaded).await.map_err(|error| error.message)?;
    let started = start::start(lambda, cx, loaded, ids, memory, Purpose::Snapshot).await;
    let instance = started.map_err(|failed| match failed {
        NotStarted::Refused(error) => error.message,
        NotStarted::Failed(failure) => failure.status.to_string(),
    })?;
    let taken = tokio::select! {
        taken = instance.sandbox.snapshot(&path) => taken.map_err(|error| error.to_string()),
        failed = instance.init_failed() => Err(String::from_utf8_lossy(&failed.document).into_owned()),
        () = tokio::time::sleep(INIT_MAX) => Err(format!("Init took longer than {INIT_MAX:?}")),
        () = lambda.scheduler.closing() => Err("The platform stopped.".to_owned()),
    };
    instance.sandbox.kill();
    taken
}

fn not_now(state: &str) -> ApiError {
    let message = format!(
        "The operation cannot be performed at this time. The function is currently in the following state: {state}"
    );
    crate::generated::ResourceConflictException::new(message).into()
}
