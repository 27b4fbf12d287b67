//! CreateDeployment GetDeployment GetDeployments UpdateDeployment DeleteDeployment

use std::collections::BTreeMap;

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, KeyBuilder};

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{
    self, DEPLOYED, DEPLOYED_APIS, DEPLOYMENTS, Deployed, DeployedApi, Deployment, Method, RESOURCES,
    Resource, STAGES, Stage,
};
use crate::{
    ApiGateway, authorizer, gateway_response, method, model, patch, position, request_validator, stage,
};

const ID_CHARS: usize = 6;

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateDeploymentRequest,
) -> Result<g::Deployment, ApiError> {
    let api = input.rest_api_id.clone();
    if input.stage_name.is_none() && input.canary_settings.is_some() {
        return Err(bad_request("Canary settings can be set only when a stage name is specified"));
    }
    if input.stage_name.is_none() && (input.stage_description.is_some() || input.variables.is_some()) {
        return Err(bad_request(
            "Stage description and variables can be set only when a stage name is specified",
        ));
    }
    edit::change(gateway, cx, &api, async |record| {
        let resources = RESOURCES.all(gateway.store(), &table::of_api(&RESOURCES, &api)).await?;
        check(&resources)?;
        let deployment = Deployment {
            id: ids::short_id(ID_CHARS, &*gateway.ports.random),
            description: input.description.clone(),
            created: cx.now,
        };
        let mut commit = DEPLOYMENTS.put(
            Commit::new(),
            &table::in_api(&DEPLOYMENTS, &api, &deployment.id),
            &deployment,
        )?;
        for resource in &resources {
            let key = KeyBuilder::under(&table::deployed(&api, &deployment.id)).text(&resource.id).done();
            commit = DEPLOYED.put(commit, &key, &Deployed(resource.clone()))?;
        }
        let beside = beside(gateway, &api).await?;
        let key = table::in_api(&DEPLOYED_APIS, &api, &deployment.id);
        commit = DEPLOYED_APIS.put(commit, &key, &beside)?;
        if let Some(name) = &input.stage_name {
            commit = commit.and(stage::deployed_to(gateway, cx, &input, name, &deployment.id).await?);
        }
        let described = describe(&deployment, Some(summary(&resources)));
        Ok((record, commit, described))
    })
    .await
}

/// What an API has beside its resources.
pub(crate) async fn beside(gateway: &ApiGateway, api: &str) -> Result<DeployedApi, ApiError> {
    Ok(DeployedApi {
        authorizers: authorizer::all(gateway, api).await?,
        gateway_responses: gateway_response::all(gateway, api).await?,
        models: model::all(gateway, api).await?,
        request_validators: request_validator::all(gateway, api).await?,
    })
}

/// What AWS refuses to deploy.
fn check(resources: &[Resource]) -> Result<(), ApiError> {
    let methods = || resources.iter().flat_map(|resource| resource.methods.values());
    if methods().next().is_none() {
        return Err(bad_request("The REST API doesn't contain any methods"));
    }
    if methods().any(|method| method.integration.is_none()) {
        return Err(bad_request("No integration defined for method"));
    }
    Ok(())
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetDeploymentRequest,
) -> Result<g::Deployment, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let deployment = load(gateway, &input.rest_api_id, &input.deployment_id).await?;
    let embed = match input.embed.as_deref() {
        None | Some([]) => None,
        Some([one]) if one == "apisummary" => {
            Some(summary(&resources(gateway, &input.rest_api_id, &deployment.id).await?))
        }
        Some(_) => return Err(bad_request("Invalid embed: only apisummary can be embedded")),
    };
    Ok(describe(&deployment, embed))
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetDeploymentsRequest,
) -> Result<g::Deployments, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let all = DEPLOYMENTS.all(gateway.store(), &table::of_api(&DEPLOYMENTS, &input.rest_api_id)).await?;
    let (page, position) =
        position::cut(all, |deployment| &deployment.id, input.position.as_deref(), input.limit)?;
    let items = page.iter().map(|deployment| describe(deployment, None)).collect();
    Ok(g::Deployments { position, items: Some(items) })
}

/// A deployment never changes; what is said of it may.
pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateDeploymentRequest,
) -> Result<g::Deployment, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let (api, id) = (&input.rest_api_id, &input.deployment_id);
    edit::change(gateway, cx, api, async |record| {
        let mut deployment = load(gateway, api, id).await?;
        for patch in &patches {
            match patch.path {
                "/description" => deployment.description = Some(patch.replaced()?.to_owned()),
                _ => return Err(patch.refused()),
            }
        }
        let commit = DEPLOYMENTS.put(Commit::new(), &table::in_api(&DEPLOYMENTS, api, id), &deployment)?;
        Ok((record, commit, describe(&deployment, None)))
    })
    .await
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteDeploymentRequest,
) -> Result<Unit, ApiError> {
    let (api, id) = (&input.rest_api_id, &input.deployment_id);
    edit::change(gateway, cx, api, async |record| {
        load(gateway, api, id).await?;
        let stages = STAGES.all(gateway.store(), &table::of_api(&STAGES, api)).await?;
        let serves = |stage: &Stage| {
            stage.deployment_id == *id
                || stage.canary.as_ref().is_some_and(|canary| canary.deployment_id == *id)
        };
        if stages.iter().any(serves) {
            let message = "Active stages pointing to this deployment must be moved or deleted";
            return Err(bad_request(message));
        }
        let (lo, hi) = table::deployed(api, id).prefix_range();
        let commit = Commit::new().delete(table::in_api(&DEPLOYMENTS, api, id)).clear_range(lo, hi);
        let commit = commit.delete(table::in_api(&DEPLOYED_APIS, api, id));
        Ok((record, commit, Unit))
    })
    .await
}

pub(crate) async fn load(gateway: &ApiGateway, api: &str, id: &str) -> Result<Deployment, ApiError> {
    let found = DEPLOYMENTS.get(gateway.store(), &table::in_api(&DEPLOYMENTS, api, id)).await?;
    let missing = || g::NotFoundException::new("Invalid Deployment identifier specified").into();
    found.map(|stored| stored.record).ok_or_else(missing)
}

/// The resources as they were deployed.
pub(crate) async fn resources(gateway: &ApiGateway, api: &str, id: &str) -> Result<Vec<Resource>, ApiError> {
    let deployed = DEPLOYED.all(gateway.store(), &table::deployed(api, id)).await?;
    Ok(deployed.into_iter().map(|Deployed(resource)| resource).collect())
}

/// What was deployed beside the resources. Before there was anything such, nothing was.
pub(crate) async fn deployed(gateway: &ApiGateway, api: &str, id: &str) -> Result<DeployedApi, ApiError> {
    let found = DEPLOYED_APIS.get(gateway.store(), &table::in_api(&DEPLOYED_APIS, api, id)).await?;
    Ok(found.map(|stored| stored.record).unwrap_or_default())
}

type Summary = BTreeMap<String, BTreeMap<String, g::MethodSnapshot>>;

fn summary(resources: &[Resource]) -> Summary {
    let with_methods = resources.iter().filter(|resource| !resource.methods.is_empty());
    let snapshot = |method: &Method| g::MethodSnapshot {
        authorization_type: Some(method::authorization_type(&method.authorization).into()),
        api_key_required: Some(method.api_key_required),
    };
    with_methods
        .map(|resource| {
            let methods = resource.methods.iter();
            let methods = methods.map(|(verb, method)| (verb.clone(), snapshot(method)));
            (resource.path.clone(), methods.collect())
        })
        .collect()
}

fn describe(deployment: &Deployment, api_summary: Option<Summary>) -> g::Deployment {
    g::Deployment {
        id: Some(deployment.id.clone()),
        description: deployment.description.clone(),
        created_date: Some(deployment.created),
        api_summary,
    }
}
