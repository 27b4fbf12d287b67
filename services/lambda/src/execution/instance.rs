//! One execution environment: a sandbox, its desk and its scribe.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use pagoda_base::{Clock, Timestamp};
use pagoda_sandbox::Exit;
use tokio::sync::{mpsc, oneshot, watch};

use crate::name::VersionId;
use crate::package::Hold;

use super::desk::{Answer, Desk, Event, Stage};
use super::extension::{Extensions, Reason};
use super::failure::{self, Failure};
use super::memory::Share;
use super::scribe::Scribe;
use super::stream::Piece;

/// An execution environment. Dropping it ends it.
pub(crate) struct Instance {
    pub(super) version: VersionId,
    pub(super) generation: String,
    pub(super) sandbox: Arc<pagoda_sandbox::Instance>,
    pub(super) desk: Arc<Desk>,
    pub(super) scribe: Arc<Scribe>,
    pub(super) ended: watch::Receiver<Option<Exit>>,
    /// When its credentials end.
    pub(super) expires: Timestamp,
    /// Whether its init code ran before, in another process.
    pub(super) is_restored: bool,
    pub(super) pause: Mutex<Pause>,
    pub(super) extensions: Arc<Extensions>,
    pub(super) clock: Arc<dyn Clock>,
    /// Why it ends, if it is to end now.
    pub(super) reason: OnceLock<Reason>,
    pub(super) held: Option<Held>,
}

/// What an instance needs until its last process has ended.
pub(super) struct Held {
    pub(super) _endpoint: oneshot::Sender<()>,
    pub(super) _code: Vec<Hold>,
    pub(super) memory: Share,
}

/// Whether the instance has something to do.
#[derive(Debug, Default)]
pub(super) struct Pause {
    idle: bool,
    frozen: bool,
    /// Counts the times that it became idle.
    times: u64,
}

impl Instance {
    /// Hands the event over and waits for what becomes of it.
    pub(super) async fn handle(
        &self,
        event: Event,
        pieces: Option<mpsc::Sender<Piece>>,
        timeout: Duration,
        now: impl Fn() -> Timestamp,
    ) -> Result<Bytes, (Failure, Reusable)> {
        let request_id = event.request_id.clone();
        self.extensions.invoke(&event);
        let answer = self.desk.post(event, pieces);
        // The invocation is over when the extensions are done with it too.
        let done = async {
            let answer = answer.await;
            self.extensions.ready().await;
            answer
        };
        tokio::select! {
            biased;
            Ok(answer) = done => match answer {
                Answer::Response(payload) => Ok(payload),
                Answer::Error(document, kind) => {
                    // A heap that was full once may stay so.
                    let is_spent = kind.as_deref() == Some("java.lang.OutOfMemoryError");
                    let reusable = if is_spent { Reusable::No } else { Reusable::Yes };
                    Err((failure::reported(document, kind.as_deref()), reusable))
                }
                // AWS's runtimes end when their answer is refused.
                Answer::TooLarge(bytes, max) => Err((failure::too_large(bytes, max), Reusable::No)),
            },
            exit = self.exit() => {
                let reusable = if self.desk.withdraw() { Reusable::Untouched } else { Reusable::No };
                Err((failure::exited(&request_id, &exit), reusable))
            }
            (what, kind) = self.extensions.failure() => {
                self.end(Reason::Failure);
                Err((failure::extension_failed(&request_id, what, &kind), Reusable::No))
            }
            () = tokio::time::sleep(timeout) => {
                self.end(Reason::Timeout);
                Err((failure::timed_out(&request_id, now(), timeout), Reusable::No))
            }
        }
    }

    /// It is of no more use: without extensions, which want to be told, it ends now.
    fn end(&self, reason: Reason) {
        // The first reason is the one that counts.
        let _ = self.reason.set(reason);
        if self.extensions.is_empty() {
            self.sandbox.kill();
        }
    }

    /// Waits until the init code is through.
    pub(super) async fn initialized(&self) -> Result<(), Failure> {
        let mut stage = self.desk.stage();
        let done = async {
            let stage =
                stage.wait_for(|stage| *stage != Stage::Starting).await.ok().map(|stage| stage.clone());
            if stage == Some(Stage::Ready) {
                self.extensions.ready().await;
            }
            stage
        };
        tokio::select! {
            biased;
            Some(stage) = done => match stage {
                Stage::Failed(document, kind) => Err(failure::reported(document, kind.as_deref())),
                Stage::Ready | Stage::Starting => Ok(()),
            },
            exit = self.exit() => Err(failure::exited("", &exit)),
            (what, kind) = self.extensions.failure() => Err(failure::extension_failed("", what, &kind)),
        }
    }

    /// Resolves when the init code has failed, and never otherwise.
    pub(super) async fn init_failed(&self) -> Failure {
        match self.initialized().await {
            Err(failure) => failure,
            Ok(()) => std::future::pending().await,
        }
    }

    /// How it ended, once it has.
    async fn exit(&self) -> Exit {
        let mut ended = self.ended.clone();
        let exit = ended.wait_for(Option::is_some).await.ok().and_then(|exit| *exit);
        match exit {
            Some(exit) => exit,
            // Whoever watched is gone without a word: the process stops.
            None => self.sandbox.exited().await,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// Most memory so far, in MB, rounded up.
    fn memory_peak_mb(&self) -> u64 {
        self.sandbox.memory_peak_bytes().unwrap_or(0).div_ceil(1 << 20)
    }

    /// Whether it has ended without reading the message that told it for whom it was restored.
    pub(super) async fn is_unheard(&self) -> bool {
        self.sandbox.is_unheard() && {
            self.exit().await;
            true
        }
    }

    /// Most memory so far, in MB, which is what it has of the host's from now on.
    pub(super) fn settle(&self) -> u64 {
        let peak = self.memory_peak_mb();
        // Nothing is known where the host doesn't count.
        if let (Some(held), 1..) = (&self.held, peak) {
            held.memory.settle(u32::try_from(peak).unwrap_or(u32::MAX));
        }
        peak
    }

    /// What it has of the host's memory, in MB.
    pub(super) fn memory_mb(&self) -> u32 {
        self.held.as_ref().map_or(0, |held| held.memory.mb())
    }

    /// Nothing is to be done now: the instance is frozen if that is so for a while.
    pub(super) fn rest(self: &Arc<Self>, freeze_after: Duration) {
        let mut pause = self.pause();
        pause.idle = true;
        pause.times += 1;
        let times = pause.times;
        drop(pause);
        let instance = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(freeze_after).await;
            if let Some(instance) = instance.upgrade() {
                instance.freeze(times);
            }
        });
    }

    fn freeze(&self, times: u64) {
        let mut pause = self.pause();
        if pause.idle && !pause.frozen && pause.times == times {
            // Where the host has no freezer, instances idle on.
            pause.frozen = self.sandbox.freeze().is_ok();
        }
    }

    /// Wakes the instance for an event; false if it cannot be.
    pub(super) fn wake(&self) -> bool {
        let mut pause = self.pause();
        pause.idle = false;
        if pause.frozen && self.sandbox.thaw().is_err() {
            return false;
        }
        pause.frozen = false;
        true
    }

    fn pause(&self) -> MutexGuard<'_, Pause> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Instance {
    /// Extensions are told, and have some time for their last work.
    fn drop(&mut self) {
        self.scribe.leave();
        if self.extensions.is_empty() || self.has_ended() {
            self.sandbox.kill();
            return;
        }
        let reason = self.reason.get().copied().unwrap_or(Reason::Spindown);
        let (sandbox, extensions) = (Arc::clone(&self.sandbox), Arc::clone(&self.extensions));
        let (now, held) = (self.clock.now(), self.held.take());
        tokio::spawn(async move {
            extensions.end(&sandbox, reason, now).await;
            drop(held);
        });
    }
}

/// What an instance that failed to answer is still good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reusable {
    Yes,
    No,
    /// It has ended, and never saw the event: another one may have that.
    Untouched,
}
