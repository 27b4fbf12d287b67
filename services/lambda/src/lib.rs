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
mod alias;
mod code;
mod concurrency;
mod config;
mod configuration;
mod context;
mod download;
mod event;
mod execution;
mod function;
pub mod generated;
mod image;
mod instances;
mod interpreters;
mod invoke;
mod layer;
mod layer_permission;
mod lineage;
mod load;
mod logging;
mod metric;
mod name;
mod package;
mod page;
mod permission;
mod provisioned;
mod recursion;
mod role;
mod runtime;
mod runtime_management;
mod settings;
mod source;
mod streaming;
mod table;
mod tag;
mod update;
mod url;
mod variables;
mod version;

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use pagoda_base::{Clock, Random};
use pagoda_protocol::ApiError;
use pagoda_sandbox::Spawner;
use pagoda_service::ports::{
    AssumeRole, Authenticate, CallOperation, PutLogEvents, ReadObject, ReadRole, ReadStream, RecordMetric,
    ServeEndpoint,
};
use pagoda_service::{
    Access, Authorizer, Background, Context, Nudge, Ownership, Sealer, Service, operations,
};
use pagoda_store::Store;

pub use config::{Config, Limits, RuntimeFallback, Sdk};
pub use interpreters::{Interpreter, Interpreters, Language};
pub use package::unpack;

use crate::event::Dispatcher;
use crate::execution::{Scheduler, Snapshots, Templates};
use crate::load::Cache;
use crate::metric::Metrics;
use crate::package::Packages;

/// How often idle instances and unused packages are looked for.
const SWEEP_PERIOD: Duration = Duration::from_secs(30);

/// How often provisioned instances are counted, beside whenever one was asked for.
const PROVISION_PERIOD: Duration = Duration::from_secs(5);

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
    /// Where what is measured goes.
    pub metrics: Arc<dyn RecordMetric>,
    /// Callers of function URLs.
    pub authenticate: Arc<dyn Authenticate>,
    /// The streams that event source mappings follow.
    pub streams: Arc<dyn ReadStream>,
    /// Where events end that a destination in another service wants.
    pub call_operation: Arc<dyn CallOperation>,
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
    metrics: Metrics,
    cache: Cache,
    dispatcher: Dispatcher,
    pollers: source::Pollers,
    templates: Templates,
    snapshots: Snapshots,
    sweep: Nudge,
    provision: Nudge,
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
        let images = config.data.join("images");
        let (templates, snapshots) = (Templates::open(images.clone())?, Snapshots::open(images)?);
        let (cache, sweep) = (Cache::new(), Nudge::default());
        let metrics = Metrics::new(Arc::clone(&ports.metrics));
        Ok(Arc::new_cyclic(|this| {
            let this = Weak::clone(this);
            Self {
                ports,
                config,
                packages,
                scheduler,
                metrics,
                cache,
                dispatcher: Dispatcher::default(),
                pollers: source::Pollers::default(),
                templates,
                snapshots,
                sweep,
                provision: Nudge::default(),
                this,
            }
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
        let lambda = Arc::clone(self);
        background.every(PROVISION_PERIOD, self.provision.clone(), move || {
            let lambda = Arc::clone(&lambda);
            async move { execution::provision(&lambda).await }
        });
    }

    /// Sets aside what functions reserve, and goes on with the events that an earlier process left. Call it
    /// before the first invocation.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recover(&self) -> Result<(), ApiError> {
        for (id, reserved) in concurrency::all_reserved(self).await? {
            self.scheduler.reserve(&id, Some(reserved));
        }
        let kept = version::with_snapshot(self).await?;
        self.snapshots
            .keep_only(&kept)
            .map_err(|error| ApiError { cause: Some(error.to_string()), ..ApiError::internal() })?;
        self.resume_events().await?;
        self.resume_mappings().await
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
    AddLayerVersionPermission => layer_permission::add, on access::layer_permission_added;
    AddPermission => permission::add, on access::permission_added;
    CreateAlias => alias::create, on access::new_alias;
    CreateEventSourceMapping => source::mapping::create, on source::access::created;
    CreateFunction => function::create, on access::new_function;
    CreateFunctionUrlConfig => url::config::create, on access::new_url;
    DeleteAlias => alias::delete, on access::alias_deleted;
    DeleteEventSourceMapping => source::mapping::delete, on source::access::deleted;
    DeleteFunction => function::delete, on access::deleted;
    DeleteFunctionConcurrency => concurrency::delete, on access::concurrency_deleted;
    DeleteFunctionEventInvokeConfig => event::config::delete, on access::event_config_deleted;
    DeleteFunctionUrlConfig => url::config::delete, on access::url_deleted;
    DeleteLayerVersion => layer::delete, on access::layer_deleted;
    DeleteProvisionedConcurrencyConfig => provisioned::delete, on access::provisioned_deleted;
    GetAccountSettings => account::settings, on access::account;
    GetAlias => alias::get, on access::alias_read;
    GetEventSourceMapping => source::mapping::get, on source::access::read;
    GetFunction => function::get, on access::read;
    GetFunctionConcurrency => concurrency::get, on access::concurrency_read;
    GetFunctionConfiguration => function::get_configuration, on access::configuration_read;
    GetFunctionEventInvokeConfig => event::config::get, on access::event_config_read;
    GetFunctionRecursionConfig => recursion::get, on access::recursion_read;
    GetFunctionUrlConfig => url::config::get, on access::url_read;
    GetLayerVersion => layer::get, on access::layer_read;
    GetLayerVersionByArn => layer::get_by_arn, on access::layer_read_by_arn;
    GetLayerVersionPolicy => layer_permission::get, on access::layer_policy_read;
    GetPolicy => permission::get, on access::policy_read;
    GetProvisionedConcurrencyConfig => provisioned::get, on access::provisioned_read;
    GetRuntimeManagementConfig => runtime_management::get, on access::runtime_management_read;
    Invoke => invoke::invoke, on access::invoked;
    InvokeAsync => invoke::invoke_async, on access::invoked_asynchronously;
    InvokeWithResponseStream => streaming::invoke, on access::invoked_with_stream;
    ListAliases => alias::list, on access::aliases_listed;
    ListEventSourceMappings => source::mapping::list, on source::access::listed;
    ListFunctionEventInvokeConfigs => event::config::list, on access::event_configs_listed;
    ListFunctionUrlConfigs => url::config::list, on access::urls_listed;
    ListFunctions => function::list, on access::all_functions;
    ListLayerVersions => layer::list_versions, on access::layer_versions_listed;
    ListLayers => layer::list, on access::all_layers;
    ListProvisionedConcurrencyConfigs => provisioned::list, on access::provisioned_listed;
    ListTags => tag::list, on access::tags_listed;
    ListVersionsByFunction => version::list, on access::versions_listed;
    PublishLayerVersion => layer::publish, on access::new_layer_version;
    PublishVersion => version::publish, on access::version_published;
    PutFunctionConcurrency => concurrency::put, on access::concurrency_put;
    PutFunctionEventInvokeConfig => event::config::put, on access::event_config_put;
    PutFunctionRecursionConfig => recursion::put, on access::recursion_put;
    PutProvisionedConcurrencyConfig => provisioned::put, on access::provisioned_put;
    PutRuntimeManagementConfig => runtime_management::put, on access::runtime_management_put;
    RemoveLayerVersionPermission => layer_permission::remove, on access::layer_permission_removed;
    RemovePermission => permission::remove, on access::permission_removed;
    TagResource => tag::tag, on access::tagged;
    UntagResource => tag::untag, on access::untagged;
    UpdateAlias => alias::update, on access::alias_updated;
    UpdateEventSourceMapping => source::mapping::update, on source::access::updated;
    UpdateFunctionCode => update::code, on access::code_updated;
    UpdateFunctionConfiguration => update::configuration, on access::configuration_updated;
    UpdateFunctionEventInvokeConfig => event::config::update_config, on access::event_config_updated;
    UpdateFunctionUrlConfig => url::config::update, on access::url_updated;
});

#[async_trait]
impl Service for Lambda {
    /// A package of 50 MB in base64, as AWS counts it.
    const BODY_BYTES_MAX: usize = 70_167_211;

    /// Functions and layers belong to the accounts their ARNs name. The policy is that of the function, the
    /// version or the alias as it is named.
    async fn ownership(&self, cx: &Context, access: &Access) -> Result<Ownership, ApiError> {
        if let Some((id, number)) = layer::parse_arn(&access.resource) {
            let policy = layer_permission::policy(self, &id, number).await?;
            return Ok(Ownership { policy, ..Ownership::of(id.account) });
        }
        let Ok(named) = name::parse(cx, &access.resource) else { return Ok(Ownership::of(cx.account)) };
        let found = self.find(&named.function).await?;
        let policy = found.and_then(|found| found.function.policy(named.qualifier.as_deref()).cloned());
        Ok(Ownership { policy, ..Ownership::of(named.function.account) })
    }
}
