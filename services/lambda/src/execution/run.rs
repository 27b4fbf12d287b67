//! One invocation: admit, claim, start, hand over, report, give back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pagoda_base::{SignedDuration, Timestamp};
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_service::ports::{FunctionError, Invoked};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::Lambda;
use crate::load::Loaded;
use crate::metric::Watched;
use crate::recursion;

use super::desk::Event;
use super::failure::{self, Failure};
use super::instance::{Instance, Reusable};
use super::plan;
use super::record::{Record, Report};
use super::scheduler::{CREDENTIALS_MARGIN, Claim, Kind, Means, Want};
use super::span;
use super::start::{INIT_TIMEOUT, NotStarted, Purpose, start};
use super::stream::Piece;
use super::trace::Trace;

/// What to run.
pub(crate) struct Job {
    pub(crate) loaded: Arc<Loaded>,
    /// As the caller named it.
    pub(crate) function_arn: String,
    pub(crate) payload: Bytes,
    pub(crate) client_context: Option<String>,
    /// Where the pieces of a streamed answer go, as they come; without, the answer is collected.
    pub(crate) pieces: Option<mpsc::Sender<Piece>>,
}

/// Runs an invocation to its end, whether or not the caller waits for it.
pub(crate) async fn run(lambda: Arc<Lambda>, cx: &Context, job: Job) -> Result<Invoked, ApiError> {
    recursion::check(cx, &job.loaded)?;
    let watched = lambda.metrics.of(&job.loaded, &job.function_arn);
    let admitted = lambda.scheduler.admit(&job.loaded.id).await;
    let permit = admitted.inspect_err(|error| watched.ended(Err(error)))?;
    let cx = cx.clone();
    let task = tokio::spawn(async move {
        let running = watched.begin(&job.loaded);
        let done = invoke(&lambda, &cx, job, &watched).await;
        watched.ended(done.as_ref());
        drop((running, permit));
        done
    });
    task.await.map_err(|_| ApiError::internal())?
}

async fn invoke(
    lambda: &Lambda,
    cx: &Context,
    job: Job,
    watched: &Arc<Watched>,
) -> Result<Invoked, ApiError> {
    let limit = Duration::from_secs(job.loaded.version.settings.timeout_seconds.into());
    let idle = Kind::Any(until(lambda, limit));
    if let Some(invoked) = invoke_one(lambda, cx, &job, watched, limit, idle).await? {
        return Ok(invoked);
    }
    // A new instance never leaves an event untouched without failing.
    let invoked = invoke_one(lambda, cx, &job, watched, limit, Kind::New).await?;
    invoked.ok_or_else(ApiError::internal)
}

/// Has one instance handle the event; nothing if that was an idle one that had ended before it saw the event.
async fn invoke_one(
    lambda: &Lambda,
    cx: &Context,
    job: &Job,
    watched: &Arc<Watched>,
    limit: Duration,
    kind: Kind,
) -> Result<Option<Invoked>, ApiError> {
    let claim = lambda.scheduler.claim(Want { loaded: Arc::clone(&job.loaded), kind }).await?;
    let is_warm = matches!(claim, Claim::Warm(_));
    let Begun { instance, init } = match claim {
        Claim::Warm(instance) => Begun { instance, init: Init::Done(None) },
        Claim::Cold(means) => match begin(lambda, cx, job, means, limit).await {
            Ok(begun) => begun,
            Err(NotStarted::Refused(error)) => return Err(error),
            Err(NotStarted::Failed(failure)) => return Ok(Some(answer(job, Err(*failure), Bytes::new()))),
        },
    };
    let _provisioned = watched.provisioned(lambda.scheduler.keeps(&instance));
    let request_id = cx.request_id.to_string();
    let trace = Trace::of(cx, lambda.ports.clock.now(), &job.loaded);
    let sampled = trace.is_sampled.then_some(&trace);
    instance.scribe.begin(&Record::Start {
        request_id: &request_id,
        version: &job.loaded.number,
        trace: sampled,
    });
    let began = Instant::now();
    let (init_duration, outcome) = match init {
        Init::Failed(failure) => (None, Err((failure, Reusable::No))),
        Init::Done(duration) => {
            let event = event(lambda, cx, job, &trace, limit);
            (duration, instance.handle(event, job.pieces.clone(), limit, || lambda.ports.clock.now()).await)
        }
    };
    if is_warm && matches!(outcome, Err((_, Reusable::Untouched))) {
        return Ok(None);
    }
    let took = began.elapsed();
    watched.took(took, init_duration);
    if init_duration.is_none() && !is_warm || matches!(outcome, Err((_, Reusable::Untouched))) {
        instance.say_done(&request_id, took, &outcome);
    }
    let failure = outcome.as_ref().err().map(|(failure, _)| failure);
    span::tell(lambda, cx, job, &trace, took, failure);
    let log_tail = instance.scribe.end(&Record::Report(Report {
        request_id: &request_id,
        took,
        init: init_duration,
        is_restored: instance.is_restored,
        trace: sampled,
        memory_mb: job.loaded.version.settings.memory_mb,
        peak_mb: instance.settle(),
        failure,
    }));
    if matches!(outcome, Ok(_) | Err((_, Reusable::Yes))) {
        lambda.scheduler.park(instance);
    }
    Ok(Some(answer(job, outcome.map_err(|(failure, _)| failure), log_tail)))
}

fn answer(job: &Job, outcome: Result<Bytes, Failure>, log_tail: Bytes) -> Invoked {
    let (payload, function_error) = match outcome {
        Ok(payload) => (payload, None),
        Err(failure) => (failure.document, Some(FunctionError::Unhandled)),
    };
    Invoked { payload, function_error, executed_version: job.loaded.number.clone(), log_tail }
}

/// So long an instance's credentials have to last for another invocation.
fn until(lambda: &Lambda, limit: Duration) -> Timestamp {
    lambda.ports.clock.now() + SignedDuration::try_from(limit + CREDENTIALS_MARGIN).unwrap_or_default()
}

struct Begun {
    instance: Arc<Instance>,
    init: Init,
}

/// What came of the init code.
enum Init {
    /// It took so long; nothing for a warm instance.
    Done(Option<Duration>),
    Failed(Failure),
}

/// Starts an instance and waits for its init code. AWS gives that ten seconds, and then once more the
/// function's own time; here it has the longer of the two.
async fn begin(
    lambda: &Lambda,
    cx: &Context,
    job: &Job,
    means: Means,
    limit: Duration,
) -> Result<Begun, NotStarted> {
    let Means { ids, memory, mut slot } = means;
    let settings = &job.loaded.version.settings;
    let limit = INIT_TIMEOUT.max(limit);
    let mut instance = start(lambda, cx, &job.loaded, ids, memory, Purpose::Serve).await?;
    let mut began = Instant::now();
    let mut initialized = timeout(limit, instance.initialized()).await;
    if matches!(initialized, Ok(Err(_))) && instance.is_unheard().await {
        // It ended before it knew for whom it was: nothing of the function's has run.
        drop(slot);
        let again = lambda.scheduler.room(&job.loaded).await?;
        slot = again.slot;
        instance = start(lambda, cx, &job.loaded, again.ids, again.memory, Purpose::Replace).await?;
        began = Instant::now();
        initialized = timeout(limit, instance.initialized()).await;
    }
    let took = began.elapsed();
    drop(slot);
    let request_id = cx.request_id.to_string();
    let init = match initialized {
        Ok(Ok(())) => {
            let share = plan::cpu_millis(settings.memory_mb, lambda.config.limits.cpu_millis_min);
            // Where the host cannot limit processors, nothing is lost.
            let _ = instance.sandbox.set_cpu_millis(share);
            instance.settle();
            instance.scribe.say(&Record::InitDone { is_restored: instance.is_restored, took, failure: None });
            return Ok(Begun { instance, init: Init::Done(Some(took)) });
        }
        Ok(Err(failure)) => named(failure, &request_id),
        Err(_) => {
            instance.sandbox.kill();
            failure::timed_out(&request_id, lambda.ports.clock.now(), limit)
        }
    };
    let is_restored = instance.is_restored;
    instance.scribe.say(&Record::InitDone { is_restored, took, failure: Some(&init) });
    Ok(Begun { instance, init: Init::Failed(init) })
}

/// The init code doesn't know for which request it runs.
fn named(failure: Failure, request_id: &str) -> Failure {
    let document = String::from_utf8_lossy(&failure.document);
    let document = document.replace("RequestId:  Error", &format!("RequestId: {request_id} Error"));
    let line =
        failure.line.map(|line| line.replace("RequestId:  Error", &format!("RequestId: {request_id} Error")));
    Failure { document: document.into(), line, ..failure }
}

fn event(lambda: &Lambda, cx: &Context, job: &Job, trace: &Trace, limit: Duration) -> Event {
    let now = lambda.ports.clock.now();
    Event {
        request_id: cx.request_id.to_string(),
        deadline_millis: now
            .as_millisecond()
            .saturating_add(i64::try_from(limit.as_millis()).unwrap_or(i64::MAX)),
        function_arn: job.function_arn.clone(),
        trace_id: trace.header(),
        client_context: job.client_context.clone(),
        payload: job.payload.clone(),
    }
}
