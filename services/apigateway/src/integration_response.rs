//! PutIntegrationResponse GetIntegrationResponse DeleteIntegrationResponse

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use regex::Regex;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::IntegrationResponse;
use crate::{ApiGateway, integration, method};

pub(crate) async fn put(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::PutIntegrationResponseRequest,
) -> Result<g::IntegrationResponse, ApiError> {
    let response = IntegrationResponse {
        selection_pattern: input.selection_pattern,
        parameters: input.response_parameters.unwrap_or_default(),
        templates: input.response_templates.unwrap_or_default(),
    };
    check(&response)?;
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        let declared = method::of(resource, &input.http_method)?.responses.get(&input.status_code);
        let declared = declared.ok_or_else(|| bad_request("Invalid Response status code specified"))?;
        if let Some(name) = response.parameters.keys().find(|name| !declared.parameters.contains_key(*name)) {
            return Err(bad_request(format!("Invalid mapping expression parameter specified: {name}")));
        }
        let integration = integration::of_mut(resource, &input.http_method)?;
        integration.responses.insert(input.status_code.clone(), response.clone());
        Ok(describe(&input.status_code, &response))
    })
    .await
}

/// Checks how an answer is made.
pub(crate) fn check(response: &IntegrationResponse) -> Result<(), ApiError> {
    if let Some(pattern) = &response.selection_pattern {
        Regex::new(pattern).map_err(|_| bad_request("Invalid selection pattern"))?;
    }
    response.templates.values().try_for_each(|template| integration::plain(template, "responseTemplates"))?;
    match response.parameters.values().find(|value| literal(value).is_none()) {
        Some(value) if value.starts_with("integration.response.") || value.starts_with("context.") => Err(
            ApiError::not_implemented("PutIntegrationResponse", &format!("responseParameters from {value}")),
        ),
        Some(value) => Err(bad_request(format!("Invalid mapping expression specified: {value}"))),
        None => Ok(()),
    }
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
        content_handling: None,
    }
}
