//! PutMethodResponse GetMethodResponse UpdateMethodResponse DeleteMethodResponse

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::MethodResponse;
use crate::{ApiGateway, method, model, patch};

pub(crate) async fn put(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::PutMethodResponseRequest,
) -> Result<g::MethodResponse, ApiError> {
    let response = MethodResponse {
        parameters: input.response_parameters.unwrap_or_default(),
        models: input.response_models.unwrap_or_default(),
    };
    check(&input.status_code, &response)?;
    model::check_names(gateway, &input.rest_api_id, response.models.values()).await?;
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        let method = method::of_mut(resource, &input.http_method)?;
        if method.responses.contains_key(&input.status_code) {
            return Err(g::ConflictException::new("Response already exists for this resource").into());
        }
        method.responses.insert(input.status_code.clone(), response.clone());
        Ok(describe(&input.status_code, &response))
    })
    .await
}

/// Checks what a method declares to answer.
pub(crate) fn check(status: &str, response: &MethodResponse) -> Result<(), ApiError> {
    if !matches!(status.parse::<u16>(), Ok(100..=599)) {
        return Err(bad_request(format!("Invalid status code {status}")));
    }
    if let Some(name) = response.parameters.keys().find(|name| !name.starts_with("method.response.header.")) {
        return Err(bad_request(format!("Invalid mapping expression specified: {name}")));
    }
    Ok(())
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateMethodResponseRequest,
) -> Result<g::MethodResponse, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let models = patches.iter().filter(|patch| patch.op != g::Op::Remove);
    let models = models.filter(|patch| patch.below("/responseModels/").is_some());
    let models = models.map(|patch| patch.given().map(str::to_owned)).collect::<Result<Vec<_>, _>>()?;
    model::check_names(gateway, &input.rest_api_id, models.iter()).await?;
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        let responses = &mut method::of_mut(resource, &input.http_method)?.responses;
        let response = responses.get_mut(&input.status_code).ok_or_else(missing)?;
        patches.iter().try_for_each(|patch| apply(response, patch))?;
        check(&input.status_code, response)?;
        Ok(describe(&input.status_code, response))
    })
    .await
}

fn apply(response: &mut MethodResponse, patch: &patch::Patch<'_>) -> Result<(), ApiError> {
    match (patch.below("/responseParameters/"), patch.below("/responseModels/")) {
        (Some(name), _) if patch.op == g::Op::Remove => drop(response.parameters.remove(&name)),
        (Some(name), _) => drop(response.parameters.insert(name, patch.given_flag()?)),
        (_, Some(kind)) if patch.op == g::Op::Remove => drop(response.models.remove(&kind)),
        (_, Some(kind)) => drop(response.models.insert(kind, patch.given()?.to_owned())),
        _ => return Err(patch.refused()),
    }
    Ok(())
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetMethodResponseRequest,
) -> Result<g::MethodResponse, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let resource = edit::resource(gateway, &input.rest_api_id, &input.resource_id).await?.record;
    let response = method::of(&resource, &input.http_method)?.responses.get(&input.status_code);
    Ok(describe(&input.status_code, response.ok_or_else(missing)?))
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteMethodResponseRequest,
) -> Result<Unit, ApiError> {
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        let method = method::of_mut(resource, &input.http_method)?;
        method.responses.remove(&input.status_code).map(|_| Unit).ok_or_else(missing)
    })
    .await
}

fn missing() -> ApiError {
    g::NotFoundException::new("Invalid Response status code specified").into()
}

pub(crate) fn describe(status: &str, response: &MethodResponse) -> g::MethodResponse {
    g::MethodResponse {
        status_code: Some(status.to_owned()),
        response_parameters: (!response.parameters.is_empty()).then(|| response.parameters.clone()),
        response_models: (!response.models.is_empty()).then(|| response.models.clone()),
    }
}
