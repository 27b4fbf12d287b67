//! PutMethod GetMethod DeleteMethod

use std::collections::BTreeMap;

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{Authorization, Method, Resource};
use crate::{ApiGateway, integration, method_response};

const VERBS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

pub(crate) async fn put(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::PutMethodRequest,
) -> Result<g::Method, ApiError> {
    if input.api_key_required.unwrap_or(false) {
        return Err(ApiError::not_implemented("PutMethod", "apiKeyRequired"));
    }
    let verb = verb(&input.http_method)?;
    let method = Method {
        authorization: authorization(&input.authorization_type)?,
        operation_name: input.operation_name,
        request_parameters: input.request_parameters.unwrap_or_default(),
        responses: BTreeMap::new(),
        integration: None,
    };
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        if resource.methods.contains_key(&verb) {
            return Err(g::ConflictException::new("Method already exists for this resource").into());
        }
        resource.methods.insert(verb.clone(), method.clone());
        Ok(describe(&verb, &method))
    })
    .await
}

/// The verb as it is kept.
pub(crate) fn verb(text: &str) -> Result<String, ApiError> {
    let verb = text.to_ascii_uppercase();
    if VERBS.contains(&verb.as_str()) {
        return Ok(verb);
    }
    Err(bad_request(format!("Invalid HTTP method {text}. Valid values are: {}", VERBS.join(", "))))
}

pub(crate) fn authorization(text: &str) -> Result<Authorization, ApiError> {
    match text {
        "NONE" => Ok(Authorization::None),
        "AWS_IAM" => Ok(Authorization::AwsIam),
        "CUSTOM" | "COGNITO_USER_POOLS" => {
            Err(ApiError::not_implemented("PutMethod", &format!("authorizationType={text}")))
        }
        other => Err(bad_request(format!("Invalid authorization type specified: {other}"))),
    }
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetMethodRequest,
) -> Result<g::Method, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let resource = edit::resource(gateway, &input.rest_api_id, &input.resource_id).await?.record;
    Ok(describe(&input.http_method, of(&resource, &input.http_method)?))
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteMethodRequest,
) -> Result<Unit, ApiError> {
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        resource.methods.remove(&input.http_method).map(|_| Unit).ok_or_else(missing)
    })
    .await
}

pub(crate) fn of<'r>(resource: &'r Resource, verb: &str) -> Result<&'r Method, ApiError> {
    resource.methods.get(verb).ok_or_else(missing)
}

pub(crate) fn of_mut<'r>(resource: &'r mut Resource, verb: &str) -> Result<&'r mut Method, ApiError> {
    resource.methods.get_mut(verb).ok_or_else(missing)
}

fn missing() -> ApiError {
    g::NotFoundException::new("Invalid Method identifier specified").into()
}

pub(crate) fn describe(verb: &str, method: &Method) -> g::Method {
    let authorization = match method.authorization {
        Authorization::None => "NONE",
        Authorization::AwsIam => "AWS_IAM",
    };
    let responses = method
        .responses
        .iter()
        .map(|(status, response)| (status.clone(), method_response::describe(status, response)));
    g::Method {
        http_method: Some(verb.to_owned()),
        authorization_type: Some(authorization.into()),
        api_key_required: Some(false),
        operation_name: method.operation_name.clone(),
        request_parameters: (!method.request_parameters.is_empty())
            .then(|| method.request_parameters.clone()),
        method_responses: (!method.responses.is_empty()).then(|| responses.collect()),
        method_integration: method.integration.as_ref().map(integration::describe),
        ..Default::default()
    }
}
