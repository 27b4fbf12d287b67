//! CreateRequestValidator GetRequestValidator GetRequestValidators UpdateRequestValidator DeleteRequestValidator
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html>

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::Commit;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{self, REQUEST_VALIDATORS, RESOURCES, RequestValidator};
use crate::{ApiGateway, patch, position};

pub(crate) const ID_CHARS: usize = 6;

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateRequestValidatorRequest,
) -> Result<g::RequestValidator, ApiError> {
    let validator = RequestValidator {
        id: ids::short_id(ID_CHARS, &*gateway.ports.random),
        name: input.name.unwrap_or_default(),
        checks_body: input.validate_request_body.unwrap_or(false),
        checks_parameters: input.validate_request_parameters.unwrap_or(false),
    };
    let api = &input.rest_api_id;
    edit::change(gateway, cx, api, async |record| {
        let key = table::in_api(&REQUEST_VALIDATORS, api, &validator.id);
        Ok((record, REQUEST_VALIDATORS.put(Commit::new(), &key, &validator)?, describe(&validator)))
    })
    .await
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetRequestValidatorRequest,
) -> Result<g::RequestValidator, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    Ok(describe(&load(gateway, &input.rest_api_id, &input.request_validator_id).await?))
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetRequestValidatorsRequest,
) -> Result<g::RequestValidators, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let all = all(gateway, &input.rest_api_id).await?;
    let (page, position) =
        position::cut(all, |validator| &validator.id, input.position.as_deref(), input.limit)?;
    Ok(g::RequestValidators { position, items: Some(page.iter().map(describe).collect()) })
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateRequestValidatorRequest,
) -> Result<g::RequestValidator, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let (api, id) = (&input.rest_api_id, &input.request_validator_id);
    edit::change(gateway, cx, api, async |record| {
        let mut validator = load(gateway, api, id).await?;
        for patch in &patches {
            match patch.path {
                "/name" => validator.name = patch.replaced()?.to_owned(),
                "/validateRequestBody" => validator.checks_body = patch.flag()?,
                "/validateRequestParameters" => validator.checks_parameters = patch.flag()?,
                _ => return Err(patch.refused()),
            }
        }
        let key = table::in_api(&REQUEST_VALIDATORS, api, id);
        Ok((record, REQUEST_VALIDATORS.put(Commit::new(), &key, &validator)?, describe(&validator)))
    })
    .await
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteRequestValidatorRequest,
) -> Result<Unit, ApiError> {
    let (api, id) = (&input.rest_api_id, &input.request_validator_id);
    edit::change(gateway, cx, api, async |record| {
        load(gateway, api, id).await?;
        let resources = RESOURCES.all(gateway.store(), &table::of_api(&RESOURCES, api)).await?;
        let mut methods = resources.iter().flat_map(|resource| resource.methods.values());
        if methods.any(|method| method.request_validator.as_ref() == Some(id)) {
            let message = "Cannot delete the request validator because it is used by a method";
            return Err(g::ConflictException::new(message).into());
        }
        Ok((record, Commit::new().delete(table::in_api(&REQUEST_VALIDATORS, api, id)), Unit))
    })
    .await
}

/// Refuses an id that is none of the API's.
pub(crate) async fn check_id(gateway: &ApiGateway, api: &str, id: Option<&str>) -> Result<(), ApiError> {
    let Some(id) = id else { return Ok(()) };
    let found = REQUEST_VALIDATORS.get(gateway.store(), &table::in_api(&REQUEST_VALIDATORS, api, id)).await?;
    found.map(drop).ok_or_else(|| bad_request("Invalid Request Validator identifier specified"))
}

pub(crate) async fn all(gateway: &ApiGateway, api: &str) -> Result<Vec<RequestValidator>, ApiError> {
    Ok(REQUEST_VALIDATORS.all(gateway.store(), &table::of_api(&REQUEST_VALIDATORS, api)).await?)
}

async fn load(gateway: &ApiGateway, api: &str, id: &str) -> Result<RequestValidator, ApiError> {
    let found = REQUEST_VALIDATORS.get(gateway.store(), &table::in_api(&REQUEST_VALIDATORS, api, id)).await?;
    let missing = || g::NotFoundException::new("Invalid Request Validator identifier specified").into();
    found.map(|stored| stored.record).ok_or_else(missing)
}

fn describe(validator: &RequestValidator) -> g::RequestValidator {
    g::RequestValidator {
        id: Some(validator.id.clone()),
        name: Some(validator.name.clone()),
        validate_request_body: Some(validator.checks_body),
        validate_request_parameters: Some(validator.checks_parameters),
    }
}
