//! The Telemetry API: what happens in an instance, told to its extensions as they have subscribed to it.
//!
//! Invariants: whoever takes nothing holds nobody up: what waits for a subscriber is bounded, and what is lost is
//! told; who subscribes in the init phase gets all of it, from its start.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use pagoda_base::Timestamp;
use pagoda_sandbox::Instance;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use super::subscription::{Kind, Subscription};

/// What is kept for those who have yet to subscribe.
const EARLY_MAX: usize = 1_000;
/// How often a batch is sent before it is given up, and the pause between.
const ATTEMPTS: usize = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// What is told of one instance, and to whom.
#[derive(Default)]
pub(crate) struct Telemetry(Mutex<State>);

#[derive(Default)]
struct State {
    /// What happened so far in the init phase; nothing when it is over.
    early: Vec<(Kind, Value)>,
    is_settled: bool,
    subscribers: Vec<Subscriber>,
}

struct Subscriber {
    name: String,
    kinds: Vec<Kind>,
    queue: mpsc::Sender<Value>,
    lost: u64,
}

impl Telemetry {
    /// Whether it is too late to subscribe.
    pub(super) fn is_settled(&self) -> bool {
        self.state().is_settled
    }

    /// Whether anybody is told, or may yet be.
    pub(super) fn is_wanted(&self) -> bool {
        let state = self.state();
        !state.is_settled || !state.subscribers.is_empty()
    }

    /// Something has happened.
    pub(super) fn tell(&self, kind: Kind, event: Value) {
        let mut state = self.state();
        state.subscribers.iter_mut().for_each(|one| one.tell(kind, &event));
        if !state.is_settled && state.early.len() < EARLY_MAX {
            state.early.push((kind, event));
        }
    }

    /// The init phase is over: nobody can subscribe any more.
    pub(super) fn settle(&self) {
        let mut state = self.state();
        state.is_settled = true;
        state.early = Vec::new();
    }

    /// Tells an extension from now on, and what it has missed. A second subscription replaces its first.
    pub(super) fn subscribe(
        &self,
        name: &str,
        subscription: Subscription,
        sandbox: &Arc<Instance>,
        now: Timestamp,
    ) {
        let (queue, waiting) = mpsc::channel(subscription.items_max);
        let kinds = subscription.kinds.clone();
        let mut state = self.state();
        state.subscribers.retain(|one| one.name != name);
        let mut one = Subscriber { name: name.to_owned(), kinds: kinds.clone(), queue, lost: 0 };
        state.early.iter().for_each(|(kind, event)| one.tell(*kind, event));
        state.subscribers.push(one);
        drop(state);
        tokio::spawn(deliver(Arc::downgrade(sandbox), subscription, waiting));
        let record = json!({ "name": name, "state": "Subscribed", "types": kinds });
        self.tell(Kind::Platform, event("platform.telemetrySubscription", record, now));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber {
    fn tell(&mut self, kind: Kind, event: &Value) {
        if !self.kinds.contains(&kind) {
            return;
        }
        if self.lost > 0 {
            let reason = "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.";
            let record = json!({ "reason": reason, "droppedRecords": self.lost });
            let told = json!({ "time": event["time"], "type": "platform.logsDropped", "record": record });
            if self.queue.try_send(told).is_ok() {
                self.lost = 0;
            }
        }
        if self.queue.try_send(event.clone()).is_err() {
            self.lost += 1;
        }
    }
}

/// An event in its documented form.
pub(super) fn event(kind: &str, record: Value, now: Timestamp) -> Value {
    let time = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    json!({ "time": time, "type": kind, "record": record })
}

/// Sends batches until there is nobody left who could tell something.
async fn deliver(sandbox: Weak<Instance>, to: Subscription, mut waiting: mpsc::Receiver<Value>) {
    let mut connection = None;
    while let Some(batch) = gather(&to, &mut waiting).await {
        for attempt in 0..ATTEMPTS {
            if send(&sandbox, &to, &mut connection, &batch).await.is_some() {
                break;
            }
            connection = None;
            if attempt + 1 < ATTEMPTS {
                sleep(PAUSE).await;
            }
        }
    }
}

/// The next batch: as many events as the subscription takes at once, or as came in its time.
async fn gather(to: &Subscription, waiting: &mut mpsc::Receiver<Value>) -> Option<Bytes> {
    let mut batch = waiting.recv().await?.to_string();
    let (deadline, mut items) = (Instant::now() + to.timeout, 1);
    while items < to.items_max && batch.len() < to.bytes_max {
        let Ok(Some(event)) = timeout_at(deadline, waiting.recv()).await else { break };
        batch = batch + "," + &event.to_string();
        items += 1;
    }
    Some(format!("[{batch}]").into())
}

/// Hands a batch over; nothing if it wasn't taken. A frozen subscriber takes it when it is thawed.
async fn send(
    sandbox: &Weak<Instance>,
    to: &Subscription,
    connection: &mut Option<SendRequest<Full<Bytes>>>,
    batch: &Bytes,
) -> Option<()> {
    let sender = match connection.take().filter(|sender| !sender.is_closed()) {
        Some(sender) => connection.insert(sender),
        None => connection.insert(connect(sandbox, to.port).await?),
    };
    let request = Request::post(&to.path)
        .header(header::HOST, &to.host)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(batch.clone()))
        .ok()?;
    let response = sender.send_request(request).await.ok()?;
    super::stream::discard(response.into_body()).await;
    Some(())
}

async fn connect(sandbox: &Weak<Instance>, port: u16) -> Option<SendRequest<Full<Bytes>>> {
    let stream = sandbox.upgrade()?.connect(port).await.ok()?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    // Ends with the sender; what goes wrong, that one hears.
    tokio::spawn(async move { drop(connection.await) });
    Some(sender)
}
