//! Where events are handed over to the guest and its answers come back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::stream::Piece;

/// An event for the guest.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) request_id: String,
    pub(crate) deadline_millis: i64,
    pub(crate) function_arn: String,
    pub(crate) trace_id: String,
    pub(crate) client_context: Option<String>,
    pub(crate) payload: Bytes,
}

/// What the guest made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Response(Bytes),
    /// The error document, and the type that the guest gave in a header.
    Error(Bytes, Option<String>),
    /// It had more bytes than an answer may have: how many, and how many it may have.
    TooLarge(u64, usize),
}

/// How far the guest has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its init code runs.
    Starting,
    /// It has asked for an event.
    Ready,
    /// Its init code failed with this document.
    Failed(Bytes, Option<String>),
}

/// The guest named an invocation that is not under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnknownInvocation;

/// Between one guest and the invocations.
pub(crate) struct Desk {
    state: Mutex<State>,
    posted: Notify,
    stage: watch::Sender<Stage>,
}

#[derive(Default)]
struct State {
    waiting: Option<Event>,
    current: Option<Current>,
}

/// The event that the guest is at.
struct Current {
    request_id: String,
    answer: oneshot::Sender<Answer>,
    /// Where the pieces of its answer go, if somebody wants them as they come.
    pieces: Option<mpsc::Sender<Piece>>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), posted: Notify::new(), stage: watch::Sender::new(Stage::Starting) }
    }

    /// Lays an event out for the guest. The answer never comes if the guest ends, or if another event is laid
    /// out before.
    pub(crate) fn post(
        &self,
        event: Event,
        pieces: Option<mpsc::Sender<Piece>>,
    ) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let mut state = self.state();
        state.current = Some(Current { request_id: event.request_id.clone(), answer, pieces });
        state.waiting = Some(event);
        drop(state);
        self.posted.notify_one();
        answered
    }

    /// Takes the event back, if no part of it has been handed over.
    pub(crate) fn withdraw(&self) -> bool {
        let mut state = self.state();
        let is_untouched = state.waiting.take().is_some();
        if is_untouched {
            state.current = None;
        }
        is_untouched
    }

    /// The next event; waits for it.
    pub(crate) async fn next(&self) -> Event {
        self.stage.send_if_modified(|stage| {
            let first = *stage == Stage::Starting;
            if first {
                *stage = Stage::Ready;
            }
            first
        });
        loop {
            if let Some(event) = self.state().waiting.take() {
                return event;
            }
            self.posted.notified().await;
        }
    }

    /// Where the pieces of the guest's answer go; nothing if they are wanted together.
    pub(crate) fn pieces(&self, request_id: &str) -> Result<Option<mpsc::Sender<Piece>>, UnknownInvocation> {
        let state = self.state();
        let current = state.current.as_ref().filter(|current| current.request_id == request_id);
        current.map(|current| current.pieces.clone()).ok_or(UnknownInvocation)
    }

    /// Takes the guest's answer to the event that it is at.
    pub(crate) fn answer(&self, request_id: &str, answer: Answer) -> Result<(), UnknownInvocation> {
        let mut state = self.state();
        match state.current.take_if(|current| current.request_id == request_id) {
            Some(current) => {
                // The invocation may have given up in this moment.
                let _ = current.answer.send(answer);
                Ok(())
            }
            None => Err(UnknownInvocation),
        }
    }

    /// Takes the guest's word that its init code failed; false when it is past that.
    pub(crate) fn fail_init(&self, document: Bytes, kind: Option<String>) -> bool {
        self.stage.send_if_modified(|stage| {
            let starting = *stage == Stage::Starting;
            if starting {
                *stage = Stage::Failed(document, kind);
            }
            starting
        })
    }

    /// How far the guest has come, and what it comes to.
    pub(crate) fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str) -> Event {
        Event {
            request_id: id.into(),
            deadline_millis: 0,
            function_arn: String::new(),
            trace_id: String::new(),
            client_context: None,
            payload: Bytes::new(),
        }
    }

    #[tokio::test]
    async fn an_event_is_handed_over_once_and_answered_once() {
        let desk = Desk::new();
        let answered = desk.post(event("a"), None);
        assert_eq!(*desk.stage().borrow(), Stage::Starting);
        assert_eq!(desk.next().await.request_id, "a");
        assert_eq!(*desk.stage().borrow(), Stage::Ready);
        assert!(!desk.fail_init(Bytes::new(), None));
        let answer = Answer::Response(Bytes::from_static(b"1"));
        assert_eq!(desk.answer("b", answer.clone()), Err(UnknownInvocation));
        assert_eq!(desk.answer("a", answer.clone()), Ok(()));
        assert_eq!(desk.answer("a", answer.clone()), Err(UnknownInvocation));
        assert_eq!(answered.await, Ok(answer));
        assert!(!desk.withdraw());
        drop(desk.post(event("c"), None));
        assert!(desk.withdraw() && !desk.withdraw());
    }
}
