//! Deployments in memory: read from the store once, kept until anything in API Gateway changes.

use std::collections::HashMap;
use std::sync::Arc;

use pagoda_policy::{Document, Kind, Named};
use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context, Ownership, Remembered};
use quick_cache::Equivalent;
use serde_json::{Value, json};

use super::access_log::Format;
use super::authorize::complete;
use super::authorizer::Authorizer;
use super::bucket::Limit;
use super::cache::StageCache;
use super::caching::Caching;
use super::gateway_response::Responses;
use super::journal::Stream;
use super::metric::{Gauges, Gauging};
use super::observed::Logs;
use super::ready::{Plan, Ready};
use super::route::Routes;
use super::validate::Validation;
use crate::cluster::Cluster;
use crate::integration::SERVICE;
use crate::table::{self, DeployedApi, REST_APIS, Resource, RestApi, STAGES, Stage, Texts};
use crate::{ApiGateway, account, deployment, method_setting};

/// Stages that are kept; the least used make room.
const STAGES_MAX: usize = 1_000;
/// The shortest session of a role.
const SESSION_SECONDS: i32 = 900;

/// A stage, ready to serve.
pub(crate) struct Deployment {
    pub(crate) api: RestApi,
    pub(crate) id: String,
    pub(crate) stage: String,
    pub(crate) variant: Variant,
    /// The share of requests that the stage's canary takes, if it has one.
    pub(crate) canary_percent: Option<f64>,
    pub(crate) variables: Texts,
    pub(crate) routes: Routes,
    pub(crate) policy: Option<Named>,
    /// The API's own words for refusals, if it has any.
    pub(crate) responses: Option<Responses>,
    /// By id.
    pub(crate) authorizers: HashMap<String, Authorizer>,
    /// Of requests that no method answers.
    pub(crate) gauges: Arc<Gauges>,
    /// Where its requests are told of, if anywhere.
    pub(crate) logs: Option<Logs>,
}

impl Deployment {
    /// Says in a request's context whether the canary has it, where the stage has one.
    pub(crate) fn tell_of_canary(&self, context: &mut Value) {
        if self.canary_percent.is_some() {
            context["isCanaryRequest"] = json!(self.variant == Variant::Canary);
        }
    }
}

/// The stages in memory.
pub(crate) struct Served(Remembered<Address, Deployment>);

/// What of a stage serves a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Variant {
    Stage,
    Canary,
}

/// Where a stage is served: its API's id and its name.
#[derive(PartialEq, Eq, Hash)]
struct Address(String, String, Variant);

/// The same of a request; it must have the hash of what it equals.
#[derive(Hash)]
struct Asked<'a>(&'a str, &'a str, Variant);

impl Equivalent<Address> for Asked<'_> {
    fn equivalent(&self, address: &Address) -> bool {
        self.0 == address.0 && self.1 == address.1 && self.2 == address.2
    }
}

impl From<&Asked<'_>> for Address {
    fn from(asked: &Asked<'_>) -> Self {
        Self(asked.0.to_owned(), asked.1.to_owned(), asked.2)
    }
}

impl Default for Served {
    fn default() -> Self {
        Self(Remembered::new(STAGES_MAX))
    }
}

impl Served {
    /// Makes all that is in memory stale.
    pub(crate) fn forget(&self) {
        self.0.forget();
    }

    /// The stage of an API, if both exist and the API answers at its own address.
    pub(crate) async fn find(
        &self,
        gateway: &ApiGateway,
        cx: &Context,
        api: &str,
        stage: &str,
        variant: Variant,
    ) -> Result<Option<Arc<Deployment>>, ApiError> {
        self.0.get_or_read(&Asked(api, stage, variant), || read(gateway, cx, api, stage, variant)).await
    }
}

async fn read(
    gateway: &ApiGateway,
    cx: &Context,
    api: &str,
    stage: &str,
    variant: Variant,
) -> Result<Option<Deployment>, ApiError> {
    let store = gateway.store();
    let Some(found) = REST_APIS.get(store, &table::rest_api(api)).await? else { return Ok(None) };
    let Some(stage) = STAGES.get(store, &table::in_api(&STAGES, api, stage)).await? else { return Ok(None) };
    let (api, mut stage) = (found.record, stage.record);
    if api.disable_execute_api_endpoint {
        return Ok(None);
    }
    let canary = stage.canary.take();
    let percent = canary.as_ref().map(|canary| canary.percent);
    if variant == Variant::Canary {
        let Some(canary) = canary else { return Ok(None) };
        stage.deployment_id = canary.deployment_id;
        stage.variables.extend(canary.variables);
        stage.cache = stage.cache.filter(|_| canary.uses_cache);
    }
    let resources = deployment::resources(gateway, &api.id, &stage.deployment_id).await?;
    let deployed = deployment::deployed(gateway, &api.id, &stage.deployment_id).await?;
    assemble(gateway, cx, api, stage, (variant, percent), resources, deployed).await.map(Some)
}

/// All that serves a stage, or what is to be tried as if it were one: in which form, and what share its canary has.
pub(crate) async fn assemble(
    gateway: &ApiGateway,
    cx: &Context,
    api: RestApi,
    stage: Stage,
    (variant, canary_percent): (Variant, Option<f64>),
    resources: Vec<Resource>,
    deployed: DeployedApi,
) -> Result<Deployment, ApiError> {
    let policy = api.policy.as_deref().map(|policy| compile(&api, policy)).transpose()?;
    let gauging = Gauging {
        record: &*gateway.ports.metrics,
        account: api.account,
        region: &api.region,
        api: &api.name,
        stage: &stage.name,
    };
    let gauges = gauging.of_stage();
    let bucket = |path: &str, verb: &str| {
        let (rate, burst) = method_setting::limit(&stage.method_settings, path, verb)?;
        let name = format!("{}/{}{path}/{verb}", api.id, stage.name);
        Some(gateway.buckets.of(&name, Limit { rate, burst }))
    };
    let cache = cache(gateway, &api.id, &stage, variant);
    let caching = |resource: &Resource, verb: &str, integration: &table::Integration| {
        let setting = method_setting::caching(&stage.method_settings, &resource.path, verb)?;
        Some(Caching::new(Arc::clone(cache.as_ref()?), setting, &resource.id, integration))
    };
    let routes = Routes::new(resources, |resource, verb, method| Ready {
        gauges: match method_setting::has_metrics(&stage.method_settings, &resource.path, verb) {
            true => gauging.of_method(&resource.path, verb),
            false => Arc::clone(&gauges),
        },
        log_level: method_setting::log_level(&stage.method_settings, &resource.path, verb),
        bucket: bucket(&resource.path, verb),
        validation: Validation::new(method, &deployed.request_validators, &deployed.models),
        caching: method.integration.as_ref().and_then(|integration| caching(resource, verb, integration)),
        plan: method.integration.as_ref().map(Plan::new),
    });
    let logs = logs(gateway, cx, &api, &stage, variant).await?;
    Ok(Deployment {
        gauges,
        logs,
        api,
        id: stage.deployment_id,
        stage: stage.name,
        variant,
        canary_percent,
        variables: stage.variables,
        routes,
        policy,
        responses: Responses::new(&deployed.gateway_responses),
        authorizers: authorizers(deployed.authorizers),
    })
}

/// The stage's logs, if it has any that the account's role may write.
async fn logs(
    gateway: &ApiGateway,
    cx: &Context,
    api: &RestApi,
    stage: &Stage,
    variant: Variant,
) -> Result<Option<Logs>, ApiError> {
    if stage.access_log.is_none() && !method_setting::logs_any(&stage.method_settings) {
        return Ok(None);
    }
    let Some(role) = account::log_role(gateway, api.account, &api.region).await? else { return Ok(None) };
    let cx = Context { account: api.account, region: api.region.clone(), ..cx.clone() };
    let writer = match gateway.session(&cx, &role, "logs", SESSION_SECONDS).await {
        Ok(caller) => cx.on_behalf(caller, SERVICE),
        Err(error) => {
            tracing::warn!(%error, api = api.id, "the role for logs cannot be assumed");
            return Ok(None);
        }
    };
    let own = async |group: String| {
        let name = format!("{}/{}", api.id, stage.name);
        let stream = Stream { account: api.account, region: api.region.clone(), group, name };
        may_write(gateway, &writer, &stream).await.then_some(stream)
    };
    let end = if variant == Variant::Canary { "/Canary" } else { "" };
    let execution = own(format!("API-Gateway-Execution-Logs_{}/{}{end}", api.id, stage.name)).await;
    let access = match stage.access_log.as_ref().and_then(|log| log.group().zip(log.format.as_deref())) {
        Some((group, format)) => own(group.to_owned()).await.map(|stream| (stream, Format::read(format))),
        None => None,
    };
    Ok((execution.is_some() || access.is_some()).then_some(Logs { access, execution }))
}

/// Whatever is wrong with the role is no reason not to serve.
async fn may_write(gateway: &ApiGateway, cx: &Context, stream: &Stream) -> bool {
    let Stream { account, region, group, name } = stream;
    let arn = format!("arn:aws:logs:{region}:{account}:log-group:{group}");
    for access in [
        Access::new("logs:CreateLogStream", format!("{arn}:*")),
        Access::new("logs:PutLogEvents", format!("{arn}:log-stream:{name}")),
    ] {
        let decision = gateway.ports.authorizer.decide(cx, &access, &Ownership::of(*account)).await;
        if !decision.is_ok_and(|decision| decision.allowed) {
            tracing::warn!(group, "the role for logs may not write there");
            return false;
        }
    }
    true
}

/// The stage's cache, if it has one.
fn cache(gateway: &ApiGateway, api: &str, stage: &Stage, variant: Variant) -> Option<Arc<StageCache>> {
    match stage.cache {
        Some(Cluster { enabled: true, size }) => Some(gateway.caches.of(api, &stage.name, size.bytes())),
        _ => {
            if variant == Variant::Stage {
                gateway.caches.drop(api, &stage.name);
            }
            None
        }
    }
}

/// What was kept was checked; what cannot be asked now lets nobody in, for it is not found.
fn authorizers(deployed: Vec<table::Authorizer>) -> HashMap<String, Authorizer> {
    let ready = |record: table::Authorizer| Some((record.id.clone(), Authorizer::new(record).ok()?));
    deployed.into_iter().filter_map(ready).collect()
}

fn compile(api: &RestApi, policy: &str) -> Result<Named, ApiError> {
    let arn = format!("arn:aws:execute-api:{}:{}:{}", api.region, api.account, api.id);
    // It was checked when it was kept; what does not parse now lets nobody in.
    let document =
        Document::parse(&complete(policy, &arn), Kind::Resource).map_err(|_| ApiError::internal())?;
    Ok(Named { name: format!("policy of API {}", api.id), document: Arc::new(document) })
}
