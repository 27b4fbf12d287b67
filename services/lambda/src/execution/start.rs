//! Begins an instance.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_sandbox::{Error, Exit, Ids};
use pagoda_service::ports::{Endpoint, SessionCredentials};
use pagoda_service::{Access, Context, Ownership};
use tokio::net::TcpListener;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{oneshot, watch};
use tokio::task::AbortHandle;

use crate::load::Loaded;
use crate::runtime::{self, Engine};
use crate::{Lambda, configuration, variables};

use super::desk::Desk;
use super::extension::{self, Extensions, Reason};
use super::failure::{self, Failure};
use super::instance::{Held, Instance, Pause};
use super::memory::Share;
use super::record::Record;
use super::scribe::{Destination, Scribe};
use super::template::Mold;
use super::tier::{self, Tiers};
use super::{api, plan, template, variables as surroundings};

/// Why there is no instance.
pub(super) enum NotStarted {
    /// The platform's fault, or the role's.
    Refused(ApiError),
    /// The function's fault.
    Failed(Box<Failure>),
}

impl<E: Into<ApiError>> From<E> for NotStarted {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// What an instance is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It gets events.
    Serve,
    /// The same, in place of one that came from an image and did not live.
    Replace,
    /// It waits for events that are yet to come.
    Provision,
    /// It runs its init code, and becomes an image.
    Snapshot,
}

impl Purpose {
    /// Puts what the guest has to know of it into its environment.
    fn tell(self, environment: &mut Vec<(String, String)>) {
        match self {
            Self::Serve | Self::Replace => {}
            Self::Provision => {
                let kind = environment.iter_mut().find(|(name, _)| name == "AWS_LAMBDA_INITIALIZATION_TYPE");
                if let Some((_, kind)) = kind {
                    "provisioned-concurrency".clone_into(kind);
                }
            }
            // Our clients stop behind the init code.
            Self::Snapshot => environment.push(("_PAGODA_SNAPSHOT".to_owned(), "1".to_owned())),
        }
    }
}

/// Starts an instance of a version; its init code still runs when this returns.
pub(super) async fn start(
    lambda: &Lambda,
    cx: &Context,
    loaded: &Arc<Loaded>,
    ids: Ids,
    memory: Share,
    purpose: Purpose,
) -> Result<Arc<Instance>, NotStarted> {
    let spawner = lambda.check_isolation()?;
    let engine = runtime::engine(&lambda.config, &loaded.version.settings.runtime)?;
    let code = loaded.version.packages().map(|code| lambda.packages.hold(code)).collect();
    let credentials = lambda.assume(cx, loaded).await?;
    let destination = destination(lambda, cx, loaded).await?;
    let sealed = loaded.version.settings.sealed_variables.as_deref();
    let own = variables::open(&lambda.ports.sealer, &loaded.id, sealed)?;
    let restorable = template::takes(own.keys());
    let mut environment = surroundings::of(loaded, &engine, &destination.stream, &credentials, own);
    purpose.tell(&mut environment);
    let opt = loaded.version.opt.as_ref().map(|opt| lambda.packages.task(opt));
    let extensions = match loaded.version.image {
        Some(_) => Extensions::in_image(&lambda.packages.task(&loaded.version.code)),
        None => Extensions::of(opt.as_deref()),
    };
    let extensions = Arc::new(extensions);
    let restorable = restorable && purpose != Purpose::Replace;
    let snapshot = match purpose {
        // What programs beside the runtime had begun would be missing in an image.
        Purpose::Serve | Purpose::Provision if loaded.has_snapshot() && !extensions.has_external() => {
            lambda.snapshot(cx, loaded).await?
        }
        _ => None,
    };
    let mut spec = plan::spec(lambda, loaded, &engine, ids, environment);
    extensions.start(&mut spec);
    spec.resume = (purpose == Purpose::Snapshot).then(Vec::new);
    let tiers = Tiers { snapshot, mold: mold(loaded, &engine).filter(|_| restorable) };
    let spawned = tier::spawn(lambda, spawner, spec, tiers).await;
    let tier::Spawned { mut sandbox, has_snapshot: is_restored } =
        spawned.map_err(|error| not_spawned(cx, &engine, error))?;
    let (pipes, [runtime, platform]) = ends(&mut sandbox).ok_or_else(ApiError::internal)?;
    let scribe = scribe(lambda, loaded, &engine, pipes, destination, is_restored);
    let desk = Arc::new(Desk::new());
    let guest = guest(lambda, loaded, &desk, &extensions, &credentials);
    let api = tokio::spawn(api::serve(runtime, Arc::new(guest))).abort_handle();
    let (open, closed) = oneshot::channel();
    lambda.ports.endpoint.serve(Endpoint { listener: platform, closed });
    let sandbox = Arc::new(sandbox);
    let ended = watch_over(lambda, &sandbox, &scribe, &extensions, api);
    Ok(Arc::new(Instance {
        version: loaded.version_id(),
        generation: loaded.version.generation.clone(),
        sandbox,
        desk,
        scribe,
        ended,
        expires: credentials.expiration,
        is_restored,
        pause: Mutex::new(Pause::default()),
        extensions,
        clock: Arc::clone(&lambda.ports.clock),
        reason: OnceLock::new(),
        held: Some(Held { _endpoint: open, _code: code, memory }),
    }))
}

/// Our ends of what the sandbox writes and of where it is served.
fn ends(sandbox: &mut pagoda_sandbox::Instance) -> Option<([Receiver; 2], [TcpListener; 2])> {
    let pipes = [sandbox.stdout.take()?, sandbox.stderr.take()?];
    let mut listeners = sandbox.listeners.drain(..);
    Some((pipes, [listeners.next()?, listeners.next()?]))
}

/// Who takes down what comes out of `pipes`, and has begun to.
fn scribe(
    lambda: &Lambda,
    loaded: &Loaded,
    engine: &Engine,
    pipes: [Receiver; 2],
    destination: Destination,
    is_restored: bool,
) -> Arc<Scribe> {
    let settings = &loaded.version.settings;
    let clock = Arc::clone(&lambda.ports.clock);
    let scribe = Scribe::new(pipes, clock, settings.logging, destination.is_allowed());
    scribe.open(&Record::InitStart {
        is_restored,
        runtime: runtime_version(is_restored, &settings.runtime, engine),
        function: &loaded.id.name,
        version: &loaded.number,
    });
    let writing = super::scribe::keep(Arc::clone(&scribe), destination, Arc::clone(&lambda.ports.logs));
    lambda.scheduler.track(writing);
    scribe
}

/// Whom the Runtime API serves.
fn guest(
    lambda: &Lambda,
    loaded: &Loaded,
    desk: &Arc<Desk>,
    extensions: &Arc<Extensions>,
    credentials: &SessionCredentials,
) -> api::Guest {
    api::Guest {
        desk: Arc::clone(desk),
        extensions: Arc::clone(extensions),
        credentials: document(credentials),
        random: Arc::clone(&lambda.ports.random),
        account: loaded.id.account.to_string(),
        function: loaded.id.name.clone(),
        version: loaded.number.clone(),
        handler: loaded.version.settings.handler.clone(),
    }
}

/// What the function's interpreter is restored from.
fn mold(loaded: &Loaded, engine: &Engine) -> Option<Mold> {
    match engine {
        Engine::Interpreter { interpreter, .. } => {
            Some(Mold::of(interpreter, loaded.version.settings.memory_mb))
        }
        Engine::Provided | Engine::Image => None,
    }
}

/// The credentials as the credentials endpoint of containers answers them.
///
/// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
fn document(credentials: &SessionCredentials) -> Bytes {
    let document = serde_json::json!({
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key.as_str(),
        "Token": credentials.session_token,
        "Expiration": credentials.expiration.to_string(),
    });
    Bytes::from(document.to_string())
}

/// Waits for the end of the guest, and tells everybody. The Runtime API is there until then: a guest that is
/// being ended shall not see it go.
fn watch_over(
    lambda: &Lambda,
    sandbox: &Arc<pagoda_sandbox::Instance>,
    scribe: &Arc<Scribe>,
    extensions: &Arc<Extensions>,
    api: AbortHandle,
) -> watch::Receiver<Option<Exit>> {
    let (end, ended) = watch::channel(None);
    let (sandbox, scribe) = (Arc::clone(sandbox), Arc::clone(scribe));
    let (extensions, clock) = (Arc::clone(extensions), Arc::clone(&lambda.ports.clock));
    let closing = lambda.scheduler.closing();
    tokio::spawn(async move {
        tokio::select! {
            _ = sandbox.exited() => {}
            () = closing => extensions.end(&sandbox, Reason::Spindown, clock.now()).await,
        }
        let exit = sandbox.exited().await;
        end.send_replace(Some(exit));
        scribe.close();
        api.abort();
    });
    ended
}

/// Where the function's lines go. They go nowhere unless its role may write them, as with AWS.
async fn destination(lambda: &Lambda, cx: &Context, loaded: &Loaded) -> Result<Destination, ApiError> {
    let random = ids::uuid(&*lambda.ports.random).replace('-', "");
    let today = lambda.ports.clock.now().strftime("%Y/%m/%d");
    let stream = format!("{today}/[{}]{random}", loaded.number);
    let group = configuration::log_group(&loaded.id, &loaded.version);
    let mut destination = Destination {
        account: loaded.id.account,
        region: loaded.id.region.clone(),
        group,
        stream,
        allowed: false,
    };
    let Some(caller) = lambda.session_caller(loaded).await? else { return Ok(destination) };
    let as_function = cx.on_behalf(caller, crate::access::PRINCIPAL);
    let ownership = Ownership::of(loaded.id.account);
    let arn =
        format!("arn:aws:logs:{}:{}:log-group:{}", loaded.id.region, loaded.id.account, destination.group);
    for access in [
        Access::new("logs:CreateLogStream", format!("{arn}:*")),
        Access::new("logs:PutLogEvents", format!("{arn}:log-stream:{}", destination.stream)),
    ] {
        let decision = lambda.ports.authorizer.decide(&as_function, &access, &ownership).await?;
        if !decision.allowed {
            return Ok(destination);
        }
    }
    destination.allowed = true;
    Ok(destination)
}

/// What the log says that the function runs on.
fn runtime_version(is_restored: bool, runtime: &str, engine: &Engine) -> String {
    match engine {
        Engine::Interpreter { interpreter, instead: true } if !is_restored => {
            format!("{interpreter} (instead of {runtime}, which is not installed)")
        }
        _ => runtime.to_owned(),
    }
}

fn not_spawned(cx: &Context, engine: &Engine, error: Error) -> NotStarted {
    match &error {
        Error::Spawn { step, source } if *engine == Engine::Provided && step.starts_with("executing") => {
            let failure = failure::no_entrypoint(&cx.request_id.to_string(), &source.to_string());
            NotStarted::Failed(Box::new(failure))
        }
        Error::Spawn { step, source } if step.starts_with(&format!("executing {}", extension::GUEST)) => {
            let (id, detail) = (cx.request_id.to_string(), format!("{step}: {source}"));
            let failure = failure::extension_failed(&id, "Extension.LaunchError", &detail);
            NotStarted::Failed(Box::new(failure))
        }
        Error::Spawn { step, source } if *engine == Engine::Image => {
            let failure = failure::not_executed(&cx.request_id.to_string(), step, &source.to_string());
            NotStarted::Failed(Box::new(failure))
        }
        Error::Busy => crate::generated::TooManyRequestsException::new("Rate Exceeded.").into(),
        _ => {
            let message = "Lambda could not start the function.";
            let cause = Some(error.to_string());
            NotStarted::Refused(ApiError { cause, ..ApiError::new("ServiceException", 500, message) })
        }
    }
}

/// How long init code may take at least.
pub(super) const INIT_TIMEOUT: Duration = Duration::from_secs(10);
