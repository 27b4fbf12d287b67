//! Takes events out of the queue and runs them: one task for each function that has any.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use pagoda_base::ids::RequestId;
use pagoda_base::{SignedDuration, Timestamp};
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_service::ports::Invoked;
use pagoda_store::{Commit, Stored};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::execution::{Job, run};
use crate::metric::Metric;
use crate::name::{self, FunctionId, Named};
use crate::{Lambda, generated as g, recursion};

use super::config::{self, Rules};
use super::destination::{Condition, Ending};
use super::queue::{self, Event, PAYLOAD_BYTES_MAX};

/// Events of one function that run at the same time.
const RUNNING_MAX: usize = 64;
/// After an error of the store, or of the platform.
const PAUSE: Duration = Duration::from_secs(1);
/// How long an event for which there is no room waits at first, and at most.
const DELAY_SECONDS_MIN: i64 = 1;
const DELAY_SECONDS_MAX: i64 = 300;

/// The functions whose events are being handled, each with what wakes its task.
#[derive(Default)]
pub(crate) struct Dispatcher(Mutex<HashMap<FunctionId, Arc<Notify>>>);

impl Dispatcher {
    fn tasks(&self) -> MutexGuard<'_, HashMap<FunctionId, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the function's task, unless it was woken meanwhile.
    fn retire(&self, id: &FunctionId, woken: &Notify) -> bool {
        let mut tasks = self.tasks();
        // Whoever adds an event wakes under the same lock, after the event is in the queue.
        if woken.notified().now_or_never().is_some() {
            return false;
        }
        tasks.remove(id);
        true
    }
}

impl Lambda {
    /// Puts an event into the function's queue.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, `RequestTooLargeException`.
    pub(crate) async fn enqueue(
        &self,
        cx: &Context,
        named: &Named,
        payload: Bytes,
        client_context: Option<String>,
    ) -> Result<(), ApiError> {
        let loaded = self.load(named).await?;
        if payload.len() > PAYLOAD_BYTES_MAX {
            let message = format!(
                "{} byte payload is too large for the Event invocation type (limit {PAYLOAD_BYTES_MAX} bytes)",
                payload.len()
            );
            return Err(g::RequestTooLargeException::new(message).into());
        }
        let event = Event {
            request_id: cx.request_id.to_string(),
            function_arn: named.arn(),
            queued: self.ports.clock.now(),
            failures: 0,
            delays: 0,
            client_context,
            trace: cx.origin.trace.clone(),
        };
        let commit = queue::add(Commit::new(), &named.function, &event, &payload)?;
        self.store().commit(commit).await?.done()?;
        self.metrics.of(&loaded, &event.function_arn).record(Metric::AsyncEventsReceived, 1.0);
        self.dispatch(&named.function)
    }

    /// Has the function's events handled.
    pub(super) fn dispatch(&self, id: &FunctionId) -> Result<(), ApiError> {
        let lambda = self.shared()?;
        let mut tasks = self.dispatcher.tasks();
        if let Some(task) = tasks.get(id) {
            task.notify_one();
            return Ok(());
        }
        let woken = Arc::new(Notify::new());
        tasks.insert(id.clone(), Arc::clone(&woken));
        drop(tasks);
        tokio::spawn(handle_all(lambda, id.clone(), woken));
        Ok(())
    }

    /// Has the events handled that an earlier process left.
    pub(crate) async fn resume_events(&self) -> Result<(), ApiError> {
        for id in queue::functions(self.store()).await? {
            self.dispatch(&id)?;
        }
        Ok(())
    }
}

/// Handles the function's events until there are none.
async fn handle_all(lambda: Arc<Lambda>, id: FunctionId, woken: Arc<Notify>) {
    let mut closing = std::pin::pin!(lambda.scheduler.closing());
    let mut running = JoinSet::new();
    let mut started: HashSet<String> = HashSet::new();
    loop {
        let next = match begin(&lambda, &id, &mut running, &mut started).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(function = %id.arn(), %error, "events could not be read");
                Some(PAUSE)
            }
        };
        if running.is_empty() && next.is_none() {
            match lambda.dispatcher.retire(&id, &woken) {
                true => return,
                // An event came after the queue was read.
                false => continue,
            }
        }
        let pause = tokio::time::sleep(next.unwrap_or(Duration::MAX / 4));
        tokio::select! {
            () = &mut closing => return,
            () = woken.notified() => {}
            () = pause => {}
            Some(ended) = running.join_next() => {
                // A task that panicked has left its event in the queue; it is tried again after a restart.
                if let Ok(request_id) = ended {
                    started.remove(&request_id);
                }
            }
        }
    }
}

/// Begins events that are due, as many as may run; how long until the next will be due, if one waits.
async fn begin(
    lambda: &Arc<Lambda>,
    id: &FunctionId,
    running: &mut JoinSet<String>,
    started: &mut HashSet<String>,
) -> Result<Option<Duration>, ApiError> {
    let now = lambda.ports.clock.now();
    // Those that run are still in the queue, in front.
    let limit = (RUNNING_MAX + started.len() + 1) as u32;
    let (ready, next) = queue::due(lambda.store(), id, now, limit).await?;
    for stored in ready {
        let request_id = &stored.record.request_id;
        if started.len() >= RUNNING_MAX || !started.insert(request_id.clone()) {
            continue;
        }
        let (lambda, id) = (Arc::clone(lambda), id.clone());
        running.spawn(async move {
            let request_id = stored.record.request_id.clone();
            if let Err(error) = handle(&lambda, &id, stored).await {
                tracing::warn!(function = %id.arn(), %request_id, %error, "an event could not be handled");
                tokio::time::sleep(PAUSE).await;
            }
            request_id
        });
    }
    Ok(next.map(|due| Duration::try_from(due.duration_since(now)).unwrap_or_default()))
}

/// Handles one event, once.
async fn handle(lambda: &Arc<Lambda>, id: &FunctionId, stored: Stored<Event>) -> Result<(), ApiError> {
    let event = &stored.record;
    let request_id: RequestId = event.request_id.parse().map_err(|_| ApiError::internal())?;
    let mut cx = lambda.own_context(id, request_id);
    cx.origin.trace.clone_from(&event.trace);
    let named = name::parse(&cx, &event.function_arn)?;
    let Ok(loaded) = lambda.load(&named).await else {
        // The function is gone, and its events with it.
        lambda.store().commit(queue::remove(Commit::new(), id, &stored)).await?.done()?;
        return Ok(());
    };
    let rules = config::rules(lambda, &named).await?;
    let payload = queue::payload(lambda.store(), id, &event.request_id).await?;
    let expires = event.queued + SignedDuration::from_secs(rules.age_seconds.into());
    let ending =
        Ending { lambda, cx: &cx, loaded: &loaded, rules: &rules, stored: &stored, payload: &payload };
    if cx.now >= expires {
        return ending.finish(Condition::EventAgeExceeded, None).await;
    }
    let job = Job {
        loaded: Arc::clone(&loaded),
        function_arn: event.function_arn.clone(),
        payload: payload.clone(),
        client_context: event.client_context.clone(),
        pieces: None,
    };
    let waited = cx.now.duration_since(event.queued).as_millis() as f64;
    lambda.metrics.of(&loaded, &event.function_arn).record(Metric::AsyncEventAge, waited);
    let outcome = run(Arc::clone(lambda), &cx, job).await;
    if lambda.scheduler.is_closed() {
        // What it failed of is the platform's end, which is no failure of the function.
        return Ok(());
    }
    match outcome {
        Ok(invoked) if invoked.function_error.is_none() => {
            ending.finish(Condition::Success, Some(&invoked)).await
        }
        Ok(invoked) => match retry(event, &rules, lambda, expires) {
            Some((event, due)) => delay(lambda, id, &stored, &event, due).await,
            None => ending.finish(Condition::RetriesExhausted, Some(&invoked)).await,
        },
        // Nobody wants it run: it goes where what fails goes, without being tried again.
        Err(error) if loaded.function.record.reserved == Some(0) || recursion::is_stopped(&error) => {
            ending.finish(Condition::RetriesExhausted, None).await
        }
        Err(error) => {
            tracing::debug!(function = %id.arn(), %error, "an event waits for room");
            let (event, due) = postpone(event, lambda.ports.clock.now(), expires);
            delay(lambda, id, &stored, &event, due).await
        }
    }
}

/// The event after a failure of the function, and when it is tried again; nothing when it was the last time.
fn retry(event: &Event, rules: &Rules, lambda: &Lambda, expires: Timestamp) -> Option<(Event, Timestamp)> {
    let failures = event.failures + 1;
    if failures > rules.retries {
        return None;
    }
    let delays = &lambda.config.limits.retry_delays;
    let delay = delays.get(event.failures as usize).or(delays.last()).copied().unwrap_or_default();
    let due = lambda.ports.clock.now() + SignedDuration::try_from(delay).unwrap_or_default();
    Some((Event { failures, delays: 0, ..event.clone() }, due.min(expires)))
}

/// The event after there was no room for it, and when it is tried again: later each time.
fn postpone(event: &Event, now: Timestamp, expires: Timestamp) -> (Event, Timestamp) {
    let seconds = DELAY_SECONDS_MIN.checked_shl(event.delays).unwrap_or(DELAY_SECONDS_MAX);
    let due = now + SignedDuration::from_secs(seconds.clamp(DELAY_SECONDS_MIN, DELAY_SECONDS_MAX));
    (Event { delays: (event.delays + 1).min(16), ..event.clone() }, due.min(expires))
}

async fn delay(
    lambda: &Lambda,
    id: &FunctionId,
    stored: &Stored<Event>,
    event: &Event,
    due: Timestamp,
) -> Result<(), ApiError> {
    let commit = queue::delay(Commit::new(), id, stored, event, due)?;
    lambda.store().commit(commit).await?.done()?;
    Ok(())
}

/// How often an event was tried, this time included.
pub(super) fn tries(event: &Event, invoked: Option<&Invoked>) -> u32 {
    event.failures + u32::from(invoked.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_waits_longer_each_time() {
        let event = |delays| Event {
            request_id: String::new(),
            function_arn: String::new(),
            queued: Timestamp::UNIX_EPOCH,
            failures: 0,
            delays,
            client_context: None,
            trace: None,
        };
        let expires = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(200);
        for (delays, expected) in [(0, 1), (1, 2), (5, 32), (7, 128), (8, 200), (16, 200)] {
            let (_, due) = postpone(&event(delays), Timestamp::UNIX_EPOCH, expires);
            assert_eq!(due.as_second(), expected, "{delays}");
        }
    }
}
