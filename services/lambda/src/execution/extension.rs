//! The extensions of an instance: who has registered, what each is told, and whether all are done.
//!
//! Programs in `/opt/extensions` are external extensions: processes of their own beside the runtime, which
//! must register and ask for an event before the init phase is over. Whoever registers under another name is
//! an internal extension, inside of the runtime's process.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use pagoda_sandbox::{Beside, Instance, Spec};
use tokio::sync::watch;

use crate::image::Tree;

/// More of them are refused.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const EXTENSIONS_MAX: usize = 10;
const DIRECTORY: &str = "extensions";
/// Where the guest sees the programs.
pub(super) const GUEST: &str = "/opt/extensions";

/// An event that extensions can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Invoke,
    Shutdown,
}

/// Why an instance ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// It isn't needed any more.
    Spindown,
    Timeout,
    Failure,
}

/// Why a registration is refused: type and message.
pub(super) type Refusal = (&'static str, String);

/// All extensions of an instance.
pub(crate) struct Extensions {
    /// The programs' names.
    external: Vec<String>,
    state: Mutex<Vec<Extension>>,
    /// What the first one that failed said of it.
    failed: OnceLock<(&'static str, String)>,
    /// Counts what happens, for those who wait.
    changes: watch::Sender<u64>,
}

struct Extension {
    name: String,
    id: String,
    events: Vec<Phase>,
    waiting: VecDeque<String>,
    /// It has asked for an event since it got its last one.
    is_done: bool,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::Spindown => "spindown",
            Self::Timeout => "timeout",
            Self::Failure => "failure",
        }
    }
}

impl Extensions {
    /// Those of the layers that `opt` holds on the host.
    pub(super) fn of(opt: Option<&Path>) -> Self {
        Self {
            external: opt.map(programs).unwrap_or_default(),
            state: Mutex::default(),
            failed: OnceLock::new(),
            changes: watch::Sender::new(0),
        }
    }

    /// Those of the image whose file system `root` is on the host.
    pub(super) fn in_image(root: &Path) -> Self {
        let mut external = Tree::open(root).map(|tree| tree.programs(GUEST)).unwrap_or_default();
        external.sort();
        external.truncate(EXTENSIONS_MAX);
        Self { external, ..Self::of(None) }
    }

    /// Has the programs started beside the runtime.
    pub(super) fn start(&self, spec: &mut Spec) {
        if self.has_external() {
            let programs = self.external.iter().map(|name| Path::new(GUEST).join(name)).collect();
            spec.beside = Beside { programs, environment: spec.environment.clone() };
        }
    }

    /// Whether there are programs, which the runtime's start has to begin.
    pub(super) fn has_external(&self) -> bool {
        !self.external.is_empty()
    }

    /// Whether the init phase still waits for this program.
    pub(super) fn awaits(&self, name: &str) -> bool {
        let is_external = self.external.iter().any(|known| known == name);
        is_external && !self.state().iter().any(|known| known.name == name)
    }

    /// Whether nobody has registered.
    pub(super) fn is_empty(&self) -> bool {
        self.state().is_empty()
    }

    /// Takes a registration; the extension's identifier.
    pub(super) fn register(&self, name: &str, events: Vec<Phase>, id: String) -> Result<(), Refusal> {
        let is_external = self.external.iter().any(|known| known == name);
        if !is_external && events.contains(&Phase::Shutdown) {
            let message = format!("{name} is an internal extension: it cannot register for SHUTDOWN");
            return Err(("ShutdownEventNotSupportedForInternalExtension", message));
        }
        let mut state = self.state();
        if state.iter().any(|known| known.name == name) {
            return Err(("Extension.AlreadyRegistered", format!("{name} has registered already")));
        }
        if state.len() >= EXTENSIONS_MAX {
            return Err((
                "Extension.TooManyExtensions",
                format!("At most {EXTENSIONS_MAX} extensions can register"),
            ));
        }
        let waiting = VecDeque::new();
        state.push(Extension { name: name.to_owned(), id, events, waiting, is_done: false });
        drop(state);
        self.changed();
        Ok(())
    }

    /// Whether somebody has registered with this identifier.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.state().iter().any(|extension| extension.id == id)
    }

    /// The next event for an extension that has registered; waits for it.
    pub(super) async fn next(&self, id: &str) -> Option<String> {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(event) = self.ask(id)? {
                return Some(event);
            }
            changes.changed().await.ok()?;
        }
    }

    /// The event that waits for the extension, or its word that it is done; nothing for one that is unknown.
    fn ask(&self, id: &str) -> Option<Option<String>> {
        let mut state = self.state();
        let extension = state.iter_mut().find(|extension| extension.id == id)?;
        let event = extension.waiting.pop_front();
        let was_done = std::mem::replace(&mut extension.is_done, event.is_none());
        drop(state);
        if event.is_none() && !was_done {
            self.changed();
        }
        Some(event)
    }

    /// Resolves when every program has registered and every extension waits for an event.
    pub(super) async fn ready(&self) {
        let all_done = |_: &u64| {
            let state = self.state();
            let registered = |name: &String| state.iter().any(|extension| extension.name == *name);
            self.external.iter().all(registered)
                && state.iter().all(|extension| extension.is_done && extension.waiting.is_empty())
        };
        // The sender lives as long as this.
        let _ = self.changes.subscribe().wait_for(all_done).await;
    }

    /// An extension has failed, in its init phase or later, with an error of this type.
    pub(super) fn fail(&self, what: &'static str, kind: &str) {
        // The first failure is the one that counts.
        let _ = self.failed.set((what, kind.to_owned()));
        self.changed();
    }

    /// Resolves when an extension has said that it failed, and never otherwise: what failed, and how.
    pub(super) async fn failure(&self) -> (&'static str, String) {
        // The sender lives as long as this.
        let _ = self.changes.subscribe().wait_for(|_| self.failed.get().is_some()).await;
        match self.failed.get() {
            Some(failed) => failed.clone(),
            None => std::future::pending().await,
        }
    }

    /// Tells those who asked for it of an invocation.
    pub(super) fn invoke(&self, event: &super::desk::Event) {
        let document = serde_json::json!({
            "eventType": "INVOKE",
            "deadlineMs": event.deadline_millis,
            "requestId": event.request_id,
            "invokedFunctionArn": event.function_arn,
            "tracing": { "type": "X-Amzn-Trace-Id", "value": event.trace_id },
        });
        self.tell(Phase::Invoke, &document.to_string());
    }

    /// Ends the instance, once those who want it were told and had their time.
    pub(super) async fn end(&self, sandbox: &Instance, reason: Reason, now: pagoda_base::Timestamp) {
        if !self.is_empty() {
            // Where the host has no freezer, it runs already.
            let _ = sandbox.thaw();
            let limit = self.shut_down(reason, now);
            // Whoever is not through by then never will be.
            let _ = tokio::time::timeout(limit, sandbox.exited()).await;
        }
        sandbox.kill();
    }

    /// Tells those who asked for it of the end; how long they have until then.
    fn shut_down(&self, reason: Reason, now: pagoda_base::Timestamp) -> Duration {
        let state = self.state();
        if state.is_empty() {
            return Duration::ZERO;
        }
        let has_external = state.iter().any(|one| self.external.contains(&one.name));
        drop(state);
        let limit = Duration::from_millis(if has_external { 2_000 } else { 500 });
        let deadline = now.as_millisecond().saturating_add(i64::try_from(limit.as_millis()).unwrap_or(0));
        let document = serde_json::json!({
            "eventType": "SHUTDOWN", "shutdownReason": reason.name(), "deadlineMs": deadline,
        });
        self.tell(Phase::Shutdown, &document.to_string());
        limit
    }

    fn tell(&self, phase: Phase, event: &str) {
        for extension in self.state().iter_mut().filter(|extension| extension.events.contains(&phase)) {
            extension.waiting.push_back(event.to_owned());
        }
        self.changed();
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn state(&self) -> MutexGuard<'_, Vec<Extension>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names of the programs in a layer's folder of extensions.
fn programs(opt: &Path) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt;
    let Ok(entries) = std::fs::read_dir(opt.join(DIRECTORY)) else { return Vec::new() };
    let is_program = |entry: &std::fs::DirEntry| {
        let found = std::fs::metadata(entry.path());
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let mut names: Vec<String> =
        entries.flatten().filter(is_program).filter_map(|one| one.file_name().into_string().ok()).collect();
    names.sort();
    // More could not register.
    names.truncate(EXTENSIONS_MAX);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_extension_is_done_when_it_asks_again() {
        let extensions = Extensions::of(None);
        extensions.ready().await;
        assert_eq!(
            extensions.register("a", vec![Phase::Shutdown], "0".into()).unwrap_err().0,
            "ShutdownEventNotSupportedForInternalExtension"
        );
        extensions.register("a", vec![Phase::Invoke], "1".into()).unwrap();
        assert_eq!(
            extensions.register("a", vec![], "2".into()).unwrap_err().0,
            "Extension.AlreadyRegistered"
        );
        assert!(extensions.knows("1") && !extensions.knows("2"));
        extensions.tell(Phase::Invoke, "first");
        assert_eq!(extensions.next("1").await.as_deref(), Some("first"));
        let asked = async { extensions.next("1").await };
        let told = async {
            extensions.ready().await;
            extensions.tell(Phase::Invoke, "second");
        };
        assert_eq!(tokio::join!(asked, told).0.as_deref(), Some("second"));
        assert_eq!(extensions.next("unknown").await, None);
    }
}
