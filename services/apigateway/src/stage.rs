//! CreateStage GetStage GetStages UpdateStage DeleteStage FlushStageCache

use pagoda_base::{AccountId, Region};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Key};

use crate::access_log::AccessLog;
use crate::canary::Canary;
use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::method_setting::{self, MethodSettings};
use crate::table::{self, STAGES, Stage, Texts};
use crate::{
    ApiGateway, access_log, account, canary, cluster, deployment, documentation_version, patch, tag,
};

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateStageRequest,
) -> Result<g::Stage, ApiError> {
    check_name(&input.stage_name)?;
    let variables = checked_variables(input.variables.unwrap_or_default())?;
    let size = input.cache_cluster_size.map(|size| size.as_str());
    let cache = cluster::changed(None, input.cache_cluster_enabled, size)?;
    let canary = input.canary_settings.map(|settings| {
        let own = Canary::of(settings.deployment_id.as_deref().unwrap_or(&input.deployment_id));
        let variables = settings.stage_variable_overrides.map(checked_variables).transpose()?;
        own.with(settings.percent_traffic, variables, settings.use_stage_cache)
    });
    let canary = canary.transpose()?;
    let tags = input.tags.unwrap_or_default();
    tag::check(cx, &tags)?;
    let (api, key) = (&input.rest_api_id, table::in_api(&STAGES, &input.rest_api_id, &input.stage_name));
    edit::change(gateway, cx, api, async |record| {
        deployment::load(gateway, api, &input.deployment_id).await?;
        if let Some(version) = &input.documentation_version {
            documentation_version::load(gateway, api, version).await?;
        }
        if let Some(canary) = &canary {
            deployment::load(gateway, api, &canary.deployment_id).await?;
        }
        if STAGES.get(gateway.store(), &key).await?.is_some() {
            return Err(g::ConflictException::new("Stage already exists").into());
        }
        let stage = Stage {
            name: input.stage_name.clone(),
            deployment_id: input.deployment_id.clone(),
            description: input.description.clone(),
            variables: variables.clone(),
            method_settings: MethodSettings::new(),
            cache,
            access_log: None,
            canary: canary.clone(),
            documentation_version: input.documentation_version.clone(),
            tags: tags.clone(),
            created: cx.now,
            updated: cx.now,
        };
        Ok((record, STAGES.put(Commit::new(), &key, &stage)?, describe(&stage)))
    })
    .await
}

/// The stage as `CreateDeployment` leaves it: made, or moved to the new deployment.
pub(crate) async fn deployed_to(
    gateway: &ApiGateway,
    cx: &Context,
    input: &g::CreateDeploymentRequest,
    name: &str,
    deployment_id: &str,
) -> Result<Commit, ApiError> {
    check_name(name)?;
    let key = table::in_api(&STAGES, &input.rest_api_id, name);
    let present = STAGES.get(gateway.store(), &key).await?.map(|stored| stored.record);
    if let Some(settings) = &input.canary_settings {
        let missing = || bad_request("Canary deployments can be made on existing stages only");
        let is_for_stage = input.stage_description.is_some()
            || input.variables.is_some()
            || input.cache_cluster_enabled.is_some()
            || input.cache_cluster_size.is_some();
        if is_for_stage {
            return Err(bad_request(
                "A canary deployment changes neither description, variables nor cache cluster of its stage",
            ));
        }
        return with_canary(cx, &key, present.ok_or_else(missing)?, settings, deployment_id);
    }
    let mut stage = present.unwrap_or_else(|| Stage {
        name: name.to_owned(),
        deployment_id: String::new(),
        description: None,
        variables: Texts::new(),
        method_settings: MethodSettings::new(),
        cache: None,
        access_log: None,
        canary: None,
        documentation_version: None,
        tags: Texts::new(),
        created: cx.now,
        updated: cx.now,
    });
    stage.deployment_id = deployment_id.to_owned();
    stage.description = input.stage_description.clone().or(stage.description);
    stage.variables.extend(checked_variables(input.variables.clone().unwrap_or_default())?);
    let size = input.cache_cluster_size.map(|size| size.as_str());
    stage.cache = cluster::changed(stage.cache, input.cache_cluster_enabled, size)?;
    stage.updated = cx.now;
    Ok(STAGES.put(Commit::new(), &key, &stage)?)
}

/// The stage with the new deployment as its canary.
fn with_canary(
    cx: &Context,
    key: &Key,
    mut stage: Stage,
    settings: &g::DeploymentCanarySettings,
    deployment_id: &str,
) -> Result<Commit, ApiError> {
    let variables = settings.stage_variable_overrides.clone().map(checked_variables).transpose()?;
    let canary = Canary::of(deployment_id);
    stage.canary = Some(canary.with(settings.percent_traffic, variables, settings.use_stage_cache)?);
    stage.updated = cx.now;
    Ok(STAGES.put(Commit::new(), key, &stage)?)
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetStageRequest,
) -> Result<g::Stage, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    Ok(describe(&load(gateway, &input.rest_api_id, &input.stage_name).await?))
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetStagesRequest,
) -> Result<g::Stages, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let mut stages = STAGES.all(gateway.store(), &table::of_api(&STAGES, &input.rest_api_id)).await?;
    if let Some(deployment) = &input.deployment_id {
        stages.retain(|stage| stage.deployment_id == *deployment);
    }
    Ok(g::Stages { item: Some(stages.iter().map(describe).collect()) })
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateStageRequest,
) -> Result<g::Stage, ApiError> {
    let patches = patch::read_with_copies(&input.patch_operations)?;
    let (api, name) = (&input.rest_api_id, &input.stage_name);
    edit::change(gateway, cx, api, async |record| {
        let mut stage = load(gateway, api, name).await?;
        for patch in &patches {
            apply(&mut stage, patch, (record.account, &record.region))?;
        }
        deployment::load(gateway, api, &stage.deployment_id).await?;
        stage.variables = checked_variables(stage.variables)?;
        if let Some(version) = &stage.documentation_version {
            documentation_version::load(gateway, api, version).await?;
        }
        if let Some(canary) = &stage.canary {
            deployment::load(gateway, api, &canary.deployment_id).await?;
            checked_variables(canary.variables.clone())?;
        }
        let is_logged = stage.access_log.is_some() || method_setting::logs_any(&stage.method_settings);
        if is_logged && account::log_role(gateway, record.account, &record.region).await?.is_none() {
            return Err(bad_request(
                "CloudWatch Logs role ARN must be set in account settings to enable logging",
            ));
        }
        stage.updated = cx.now;
        Ok((record, STAGES.put(Commit::new(), &table::in_api(&STAGES, api, name), &stage)?, describe(&stage)))
    })
    .await
}

fn apply(stage: &mut Stage, patch: &patch::Patch<'_>, owner: (AccountId, &Region)) -> Result<(), ApiError> {
    if let Some(variable) = patch.below("/variables/") {
        match patch.op {
            g::Op::Remove => {
                stage.variables.remove(&variable);
            }
            _ => {
                stage.variables.insert(variable, patch.replaced()?.to_owned());
            }
        }
        return Ok(());
    }
    if method_setting::apply(&mut stage.method_settings, patch)?
        || access_log::apply(&mut stage.access_log, patch, owner)?
        || canary::apply(stage, patch)?
    {
        return Ok(());
    }
    match patch.path {
        "/deploymentId" => stage.deployment_id = patch.replaced()?.to_owned(),
        "/description" => stage.description = Some(patch.replaced()?.to_owned()),
        "/documentationVersion" if patch.op == g::Op::Remove => stage.documentation_version = None,
        "/documentationVersion" => stage.documentation_version = Some(patch.given()?.to_owned()),
        "/cacheClusterEnabled" => stage.cache = cluster::changed(stage.cache, Some(patch.flag()?), None)?,
        "/cacheClusterSize" => stage.cache = cluster::changed(stage.cache, None, Some(patch.replaced()?))?,
        _ => return Err(patch.refused()),
    }
    Ok(())
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteStageRequest,
) -> Result<Unit, ApiError> {
    let (api, name) = (&input.rest_api_id, &input.stage_name);
    edit::change(gateway, cx, api, async |record| {
        load(gateway, api, name).await?;
        Ok((record, Commit::new().delete(table::in_api(&STAGES, api, name)), Unit))
    })
    .await?;
    gateway.caches.drop(api, name);
    Ok(Unit)
}

/// Has the answers of a stage asked for anew.
pub(crate) async fn flush_cache(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::FlushStageCacheRequest,
) -> Result<Unit, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    load(gateway, &input.rest_api_id, &input.stage_name).await?;
    gateway.caches.flush(&input.rest_api_id, &input.stage_name);
    Ok(Unit)
}

pub(crate) async fn load(gateway: &ApiGateway, api: &str, name: &str) -> Result<Stage, ApiError> {
    let found = STAGES.get(gateway.store(), &table::in_api(&STAGES, api, name)).await?;
    let missing = || g::NotFoundException::new("Invalid stage identifier specified").into();
    found.map(|stored| stored.record).ok_or_else(missing)
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let lawful = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if (1..=128).contains(&name.len()) && name.bytes().all(lawful) {
        return Ok(());
    }
    Err(bad_request("Stage name only allows a-zA-Z0-9_-"))
}

/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/stage-variables.html>
fn checked_variables(variables: Texts) -> Result<Texts, ApiError> {
    let name_ok = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let value_ok = |value: &str| {
        value.len() <= 512 && value.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/?#&=,".contains(c))
    };
    match variables.iter().find(|(name, value)| !name_ok(name) || !value_ok(value)) {
        Some((name, _)) => Err(bad_request(format!(
            "Invalid stage variable {name}. Please use values with alphanumeric characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','."
        ))),
        None => Ok(variables),
    }
}

fn describe(stage: &Stage) -> g::Stage {
    let mut described = g::Stage {
        deployment_id: Some(stage.deployment_id.clone()),
        stage_name: Some(stage.name.clone()),
        description: stage.description.clone(),
        variables: (!stage.variables.is_empty()).then(|| stage.variables.clone()),
        method_settings: method_setting::describe(&stage.method_settings),
        documentation_version: stage.documentation_version.clone(),
        canary_settings: stage.canary.as_ref().map(Canary::describe),
        access_log_settings: stage.access_log.as_ref().map(AccessLog::describe),
        tracing_enabled: Some(false),
        tags: (!stage.tags.is_empty()).then(|| stage.tags.clone()),
        created_date: Some(stage.created),
        last_updated_date: Some(stage.updated),
        ..Default::default()
    };
    cluster::describe(stage.cache, &mut described);
    described
}
