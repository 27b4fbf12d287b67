//! AWS Lambda: functions, their code and permissions, and the sandboxed instances that run them.
//!
//! ```text
//! Invoke, InvokeFunction ──► invoke ──► execution::scheduler ──► execution::instance ◄── Runtime API ── guest
//! Create/Update ──► package (DATA/functions/SHA-256, immutable) ─────── bound read-only ──────────────────┘
//! ```
//!
//! Invariants:
//! - A package is complete and durable under its hash before a record names it, never changes, and stays
//!   while a record or a running instance uses it.
//! - An instance serves one generation (code and configuration) of one function, one event at a time.
//! - Environment variables are stored sealed only.
//! - What a function writes is logged in its order; the logs never hold up an answer.

mod access;
mod account;
mod code;
mod config;
mod configuration;
mod execution;
mod function;
pub mod generated;
mod interpreters;
mod invoke;
mod load;
mod name;
mod package;
mod permission;
mod role;
mod runtime;
mod settings;
mod table;
mod tag;
mod update;
mod variables;

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use pagoda_base::{Clock, Random};
use pagoda_protocol::ApiError;
use pagoda_sandbox::Spawner;
use pagoda_service::ports::{AssumeRole, PutLogEvents, ReadObject, ReadRole, ServeEndpoint};
use pagoda_service::{
    Access, Authorizer, Background, Context, Nudge, Ownership, Sealer, Service, operations,
};
use pagoda_store::Store;

pub use config::{Config, Limits, RuntimeFallback, Sdk};
pub use interpreters::{Interpreter, Interpreters, Language};
pub use package::unpack;

use crate::execution::Scheduler;
use crate::load::Cache;
use crate::package::Packages;

/// How often idle instances and unused packages are looked for.
const SWEEP_PERIOD: Duration = Duration::from_secs(30);

/// What Lambda needs of the rest of the platform.
pub struct Ports {
    /// Where the records are.
    pub store: Arc<dyn Store>,
    /// Seals environment variables.
    pub sealer: Sealer,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Decides for invocations through [`pagoda_service::ports::InvokeFunction`], and for logging.
    pub authorizer: Authorizer,
    /// Sessions of the functions' roles.
    pub assume_role: Arc<dyn AssumeRole>,
    /// The functions' roles.
    pub read_role: Arc<dyn ReadRole>,
    /// Code packages in S3.
    pub read_object: Arc<dyn ReadObject>,
    /// Where the functions' output goes.
    pub logs: Arc<dyn PutLogEvents>,
    /// Serves the platform inside the instances.
    pub endpoint: Arc<dyn ServeEndpoint>,
    /// Makes sandboxes; without one, functions are refused.
    pub spawner: Option<Spawner>,
}

/// The Lambda service.
pub struct Lambda {
    ports: Ports,
    config: Config,
    packages: Packages,
    scheduler: Scheduler,
    cache: Cache,
    sweep: Nudge,
    /// Invocations outlive the requests that began them.
    this: Weak<Self>,
}

impl Lambda {
    /// Lambda under `config.data`, where it writes the runtimes' own files.
    ///
    /// # Errors
    /// When the directories cannot be made or written.
    pub fn new(config: Config, ports: Ports) -> io::Result<Arc<Self>> {
        let packages = Packages::open(&config.data.join("functions"))?;
        runtime::install(&config.runtimes())?;
        let scheduler = Scheduler::new(config.limits);
        let (cache, sweep) = (Cache::new(), Nudge::default());
        Ok(Arc::new_cyclic(|this| {
            let this = Weak::clone(this);
            Self { ports, config, packages, scheduler, cache, sweep, this }
        }))
    }

    /// Registers the ending of idle instances and the removal of packages that nothing uses.
    pub fn run(self: &Arc<Self>, background: &mut Background) {
        let lambda = Arc::clone(self);
        background.every(SWEEP_PERIOD, self.sweep.clone(), move || {
            let lambda = Arc::clone(&lambda);
            async move {
                lambda.scheduler.reap();
                package::sweep(&lambda).await;
            }
        });
    }

    /// Ends all instances and waits until everything they wrote is in the logs. Call it before the store is
    /// closed; invocations that are under way fail.
    pub async fn close(&self) {
        self.scheduler.close().await;
    }

    /// The interpreters that functions run on, for the operator.
    pub fn interpreters(&self) -> &Interpreters {
        &self.config.interpreters
    }

    fn shared(&self) -> Result<Arc<Self>, ApiError> {
        self.this.upgrade().ok_or_else(ApiError::internal)
    }

    fn store(&self) -> &dyn Store {
        &*self.ports.store
    }
}

operations!(Lambda {
    AddPermission => permission::add, on access::permission_added;
    CreateFunction => function::create, on access::new_function;
    DeleteFunction => function::delete, on access::deleted;
    GetAccountSettings => account::settings, on access::account;
    GetFunction => function::get, on access::read;
    GetFunctionConfiguration => function::get_configuration, on access::configuration_read;
    GetPolicy => permission::get, on access::policy_read;
    Invoke => invoke::invoke, on access::invoked;
    ListFunctions => function::list, on access::all_functions;
    ListTags => tag::list, on access::tags_listed;
    ListVersionsByFunction => function::list_versions, on access::versions_listed;
    RemovePermission => permission::remove, on access::permission_removed;
    TagResource => tag::tag, on access::tagged;
    UntagResource => tag::untag, on access::untagged;
    UpdateFunctionCode => update::code, on access::code_updated;
    UpdateFunctionConfiguration => update::configuration, on access::configuration_updated;
});

#[async_trait]
impl Service for Lambda {
    /// A package of 50 MB in base64, as AWS counts it.
    const BODY_BYTES_MAX: usize = 70_167_211;

    /// A function belongs to the account its ARN names; its resource policy speaks for all of it.
    async fn ownership(&self, cx: &Context, access: &Access) -> Result<Ownership, ApiError> {
        let Ok(named) = name::parse(cx, &access.resource) else { return Ok(Ownership::of(cx.account)) };
        let policy = self.find(&named.function).await?.and_then(|found| found.policy.clone());
        Ok(Ownership { policy, ..Ownership::of(named.function.account) })
    }
}
