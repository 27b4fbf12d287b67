//! PutMethod GetMethod UpdateMethod DeleteMethod

use std::collections::BTreeMap;

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::Commit;

use crate::authorizer::no_valid_authorizer;
use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{self, Authorization, Method, RESOURCES, Resource};
use crate::{ApiGateway, authorizer, integration, method_response, model, patch, request_validator};

pub(crate) const VERBS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

pub(crate) async fn put(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::PutMethodRequest,
) -> Result<g::Method, ApiError> {
    let verb = verb(&input.http_method)?;
    let method = Method {
        authorization: authorization(&input.authorization_type, input.authorizer_id.as_deref())?,
        api_key_required: input.api_key_required.unwrap_or(false),
        operation_name: input.operation_name,
        request_parameters: input.request_parameters.unwrap_or_default(),
        request_models: input.request_models.unwrap_or_default(),
        request_validator: input.request_validator_id.filter(|id| !id.is_empty()),
        responses: BTreeMap::new(),
        integration: None,
    };
    check_parameters(&method)?;
    let (api, id) = (&input.rest_api_id, &input.resource_id);
    edit::change(gateway, cx, api, async |record| {
        check_uses(gateway, api, &method).await?;
        let mut resource = edit::resource(gateway, api, id).await?.record;
        if resource.methods.contains_key(&verb) {
            return Err(g::ConflictException::new("Method already exists for this resource").into());
        }
        resource.methods.insert(verb.clone(), method.clone());
        let commit = RESOURCES.put(Commit::new(), &table::in_api(&RESOURCES, api, id), &resource)?;
        Ok((record, commit, describe(&verb, &method)))
    })
    .await
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateMethodRequest,
) -> Result<g::Method, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let (api, id, verb) = (&input.rest_api_id, &input.resource_id, &input.http_method);
    edit::change(gateway, cx, api, async |record| {
        let mut resource = edit::resource(gateway, api, id).await?.record;
        let method = of_mut(&mut resource, verb)?;
        apply(method, &patches)?;
        check_parameters(method)?;
        check_uses(gateway, api, method).await?;
        let described = describe(verb, method);
        let commit = RESOURCES.put(Commit::new(), &table::in_api(&RESOURCES, api, id), &resource)?;
        Ok((record, commit, described))
    })
    .await
}

/// Refuses what a method names and its API hasn't got.
async fn check_uses(gateway: &ApiGateway, api: &str, method: &Method) -> Result<(), ApiError> {
    authorizer::check_use(gateway, api, &method.authorization).await?;
    model::check_names(gateway, api, method.request_models.values()).await?;
    request_validator::check_id(gateway, api, method.request_validator.as_deref()).await
}

/// Parameters are named by where they stand.
fn check_parameters(method: &Method) -> Result<(), ApiError> {
    const PLACES: [&str; 5] =
        ["header.", "querystring.", "path.", "multivalueheader.", "multivaluequerystring."];
    let is_lawful = |name: &str| {
        let place = name.strip_prefix("method.request.").unwrap_or_default();
        PLACES.iter().any(|prefix| place.strip_prefix(prefix).is_some_and(|name| !name.is_empty()))
    };
    match method.request_parameters.keys().find(|name| !is_lawful(name)) {
        Some(name) => Err(bad_request(format!("Invalid mapping expression specified: {name}"))),
        None => Ok(()),
    }
}

/// The type of authorization and the authorizer belong together: they are read when all patches are.
fn apply(method: &mut Method, patches: &[patch::Patch<'_>]) -> Result<(), ApiError> {
    let mut kind = authorization_type(&method.authorization).to_owned();
    let mut authorizer = match &method.authorization {
        Authorization::Custom(id) => Some(id.clone()),
        _ => None,
    };
    for patch in patches {
        if let Some(name) = patch.below("/requestParameters/") {
            match patch.op {
                g::Op::Remove => drop(method.request_parameters.remove(&name)),
                _ => drop(method.request_parameters.insert(name, patch.given_flag()?)),
            }
            continue;
        }
        if let Some(kind) = patch.below("/requestModels/") {
            match patch.op {
                g::Op::Remove => drop(method.request_models.remove(&kind)),
                _ => drop(method.request_models.insert(kind, patch.given()?.to_owned())),
            }
            continue;
        }
        match patch.path {
            "/apiKeyRequired" => method.api_key_required = patch.flag()?,
            "/requestValidatorId" if patch.op == g::Op::Remove => method.request_validator = None,
            "/requestValidatorId" => {
                method.request_validator = Some(patch.given()?.to_owned()).filter(|id| !id.is_empty());
            }
            "/authorizationType" => kind = patch.replaced()?.to_owned(),
            "/authorizerId" => authorizer = Some(patch.replaced()?.to_owned()),
            "/operationName" => method.operation_name = Some(patch.replaced()?.to_owned()),
            _ => return Err(patch.refused()),
        }
    }
    method.authorization = authorization(&kind, authorizer.as_deref())?;
    Ok(())
}

/// The verb as it is kept.
pub(crate) fn verb(text: &str) -> Result<String, ApiError> {
    let verb = text.to_ascii_uppercase();
    if VERBS.contains(&verb.as_str()) {
        return Ok(verb);
    }
    Err(bad_request(format!("Invalid HTTP method {text}. Valid values are: {}", VERBS.join(", "))))
}

/// As methods and definitions say it.
pub(crate) fn authorization_type(authorization: &Authorization) -> &'static str {
    match authorization {
        Authorization::None => "NONE",
        Authorization::AwsIam => "AWS_IAM",
        Authorization::Custom(_) => "CUSTOM",
    }
}

pub(crate) fn authorization(text: &str, authorizer: Option<&str>) -> Result<Authorization, ApiError> {
    match text {
        "NONE" => Ok(Authorization::None),
        "AWS_IAM" => Ok(Authorization::AwsIam),
        "CUSTOM" => {
            let given = authorizer.filter(|id| !id.is_empty()).ok_or_else(no_valid_authorizer)?;
            Ok(Authorization::Custom(given.to_owned()))
        }
        "COGNITO_USER_POOLS" => {
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
    let authorizer_id = match &method.authorization {
        Authorization::Custom(id) => Some(id.clone()),
        _ => None,
    };
    let responses = method
        .responses
        .iter()
        .map(|(status, response)| (status.clone(), method_response::describe(status, response)));
    g::Method {
        http_method: Some(verb.to_owned()),
        authorization_type: Some(authorization_type(&method.authorization).into()),
        authorizer_id,
        api_key_required: Some(method.api_key_required),
        request_models: (!method.request_models.is_empty()).then(|| method.request_models.clone()),
        request_validator_id: method.request_validator.clone(),
        operation_name: method.operation_name.clone(),
        request_parameters: (!method.request_parameters.is_empty())
            .then(|| method.request_parameters.clone()),
        method_responses: (!method.responses.is_empty()).then(|| responses.collect()),
        method_integration: method.integration.as_ref().map(integration::describe),
        ..Default::default()
    }
}
