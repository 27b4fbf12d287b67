//! PutIntegrationResponse GetIntegrationResponse UpdateIntegrationResponse DeleteIntegrationResponse

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use regex::Regex;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{IntegrationResponse, Resource};
use crate::{ApiGateway, integration, method, patch, serve};

pub(crate) async fn put(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::PutIntegrationResponseRequest,
) -> Result<g::IntegrationResponse, ApiError> {
    let response = IntegrationResponse {
        selection_pattern: input.selection_pattern,
        parameters: input.response_parameters.unwrap_or_default(),
        templates: input.response_templates.unwrap_or_default(),
        content_handling: input.content_handling.map(integration::content_handling),
    };
    check(&response)?;
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        check_declared(resource, &input.http_method, &input.status_code, &response)?;
        let integration = integration::of_mut(resource, &input.http_method)?;
        integration.responses.insert(input.status_code.clone(), response.clone());
        Ok(describe(&input.status_code, &response))
    })
    .await
}

/// An integration's answer has nothing that its method does not declare.
fn check_declared(
    resource: &Resource,
    verb: &str,
    status: &str,
    response: &IntegrationResponse,
) -> Result<(), ApiError> {
    let declared = method::of(resource, verb)?.responses.get(status);
    let declared = declared.ok_or_else(|| bad_request("Invalid Response status code specified"))?;
    match response.parameters.keys().find(|name| !declared.parameters.contains_key(*name)) {
        Some(name) => Err(bad_request(format!("Invalid mapping expression parameter specified: {name}"))),
        None => Ok(()),
    }
}

/// Checks how an answer is made.
pub(crate) fn check(response: &IntegrationResponse) -> Result<(), ApiError> {
    if let Some(pattern) = &response.selection_pattern {
        Regex::new(pattern).map_err(|_| bad_request("Invalid selection pattern"))?;
    }
    match response.parameters.iter().find(|(name, value)| !serve::maps_response(name, value)) {
        Some((_, value)) => Err(bad_request(format!("Invalid mapping expression specified: {value}"))),
        None => Ok(()),
    }
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateIntegrationResponseRequest,
) -> Result<g::IntegrationResponse, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        let present = integration::of(resource, &input.http_method)?.responses.get(&input.status_code);
        let mut response = present.cloned().ok_or_else(missing)?;
        patches.iter().try_for_each(|patch| apply(&mut response, patch))?;
        check(&response)?;
        check_declared(resource, &input.http_method, &input.status_code, &response)?;
        let integration = integration::of_mut(resource, &input.http_method)?;
        integration.responses.insert(input.status_code.clone(), response.clone());
        Ok(describe(&input.status_code, &response))
    })
    .await
}

fn apply(response: &mut IntegrationResponse, patch: &patch::Patch<'_>) -> Result<(), ApiError> {
    let (texts, name) = match (patch.below("/responseParameters/"), patch.below("/responseTemplates/")) {
        (Some(name), _) => (&mut response.parameters, name),
        (_, Some(name)) => (&mut response.templates, name),
        _ => match patch.path {
            "/selectionPattern" => {
                response.selection_pattern = Some(patch.given()?.to_owned()).filter(|text| !text.is_empty());
                return Ok(());
            }
            "/contentHandling" => {
                response.content_handling = integration::content_handling_of(patch)?;
                return Ok(());
            }
            _ => return Err(patch.refused()),
        },
    };
    match patch.op {
        g::Op::Remove => texts.remove(&name),
        _ => texts.insert(name, patch.given()?.to_owned()),
    };
    Ok(())
}

/// The text between single quotes.
pub(crate) fn literal(expression: &str) -> Option<&str> {
    expression.strip_prefix('\'')?.strip_suffix('\'')
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetIntegrationResponseRequest,
) -> Result<g::IntegrationResponse, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let resource = edit::resource(gateway, &input.rest_api_id, &input.resource_id).await?.record;
    let response = integration::of(&resource, &input.http_method)?.responses.get(&input.status_code);
    Ok(describe(&input.status_code, response.ok_or_else(missing)?))
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteIntegrationResponseRequest,
) -> Result<Unit, ApiError> {
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        let integration = integration::of_mut(resource, &input.http_method)?;
        integration.responses.remove(&input.status_code).map(|_| Unit).ok_or_else(missing)
    })
    .await
}

fn missing() -> ApiError {
    g::NotFoundException::new("Invalid Response status code specified").into()
}

pub(crate) fn describe(status: &str, response: &IntegrationResponse) -> g::IntegrationResponse {
    g::IntegrationResponse {
        status_code: Some(status.to_owned()),
        selection_pattern: response.selection_pattern.clone(),
        response_parameters: (!response.parameters.is_empty()).then(|| response.parameters.clone()),
        response_templates: (!response.templates.is_empty()).then(|| response.templates.clone()),
        content_handling: response.content_handling.map(integration::describe_content_handling),
    }
}
