//! CreateAuthorizer GetAuthorizer GetAuthorizers UpdateAuthorizer DeleteAuthorizer FlushStageAuthorizersCache
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html>

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::Commit;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::integration::function_arn;
use crate::table::{self, AUTHORIZERS, Authorization, Authorizer, AuthorizerKind, RESOURCES};
use crate::{ApiGateway, patch, position, serve, stage};

pub(crate) const ID_CHARS: usize = 6;
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const AUTHORIZERS_MAX: usize = 10;
const TTL_SECONDS: std::ops::RangeInclusive<i32> = 0..=3_600;
pub(crate) const TTL_SECONDS_DEFAULT: i32 = 300;

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateAuthorizerRequest,
) -> Result<g::Authorizer, ApiError> {
    let authorizer = Authorizer {
        id: ids::short_id(ID_CHARS, &*gateway.ports.random),
        name: input.name,
        kind: kind(input.r#type.as_str())?,
        auth_type: input.auth_type,
        uri: input.authorizer_uri.unwrap_or_default(),
        credentials: input.authorizer_credentials,
        identity_source: input.identity_source,
        identity_validation: input.identity_validation_expression,
        result_ttl_seconds: input.authorizer_result_ttl_in_seconds.unwrap_or(TTL_SECONDS_DEFAULT),
    };
    check(&authorizer)?;
    let api = &input.rest_api_id;
    edit::change(gateway, cx, api, async |record| {
        let present = all(gateway, api).await?;
        check_place(&authorizer, &present)?;
        if present.len() >= AUTHORIZERS_MAX {
            let message = "Maximum number of Authorizers for this API has been reached. Please contact AWS if you need additional Authorizers.";
            return Err(g::LimitExceededException::new(message).into());
        }
        let key = table::in_api(&AUTHORIZERS, api, &authorizer.id);
        Ok((record, AUTHORIZERS.put(Commit::new(), &key, &authorizer)?, describe(&authorizer)))
    })
    .await
}

/// `TOKEN` or `REQUEST`, in any case, as definitions have it.
pub(crate) fn kind(text: &str) -> Result<AuthorizerKind, ApiError> {
    match text.to_ascii_uppercase().as_str() {
        "TOKEN" => Ok(AuthorizerKind::Token),
        "REQUEST" => Ok(AuthorizerKind::Request),
        "COGNITO_USER_POOLS" => Err(ApiError::not_implemented("CreateAuthorizer", "type=COGNITO_USER_POOLS")),
        _ => Err(bad_request(format!("Invalid authorizer type specified: {text}"))),
    }
}

/// Refuses what could not be asked.
pub(crate) fn check(authorizer: &Authorizer) -> Result<(), ApiError> {
    if authorizer.name.is_empty() {
        return Err(bad_request("Authorizer name cannot be empty"));
    }
    if function_arn(&authorizer.uri).is_none() {
        return Err(bad_request(format!(
            "Invalid Authorizer URI: {}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation.",
            authorizer.uri
        )));
    }
    if !TTL_SECONDS.contains(&authorizer.result_ttl_seconds) {
        return Err(bad_request("Authorizer result TTL must be between 0 and 3600 seconds"));
    }
    if authorizer.credentials.as_deref().is_some_and(|role| !role.starts_with("arn:aws:iam::")) {
        return Err(bad_request("Invalid ARN specified in the request"));
    }
    serve::check_authorizer(authorizer).map_err(bad_request)
}

/// Refuses a second one of a name.
pub(crate) fn check_place(authorizer: &Authorizer, present: &[Authorizer]) -> Result<(), ApiError> {
    let same = |other: &&Authorizer| other.name == authorizer.name && other.id != authorizer.id;
    match present.iter().find(same) {
        Some(_) => Err(bad_request(format!(
            "Authorizer name must be unique. Authorizer {} already exists in this RestApi.",
            authorizer.name
        ))),
        None => Ok(()),
    }
}

/// Refuses to let a method be guarded by an authorizer that its API does not have.
pub(crate) async fn check_use(
    gateway: &ApiGateway,
    api: &str,
    authorization: &Authorization,
) -> Result<(), ApiError> {
    let Authorization::Custom(id) = authorization else { return Ok(()) };
    let found = AUTHORIZERS.get(gateway.store(), &table::in_api(&AUTHORIZERS, api, id)).await?;
    found.map(drop).ok_or_else(no_valid_authorizer)
}

pub(crate) fn no_valid_authorizer() -> ApiError {
    bad_request(
        "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.",
    )
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetAuthorizerRequest,
) -> Result<g::Authorizer, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    Ok(describe(&load(gateway, &input.rest_api_id, &input.authorizer_id).await?))
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetAuthorizersRequest,
) -> Result<g::Authorizers, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let all = all(gateway, &input.rest_api_id).await?;
    let (page, position) = position::cut(all, |one| &one.id, input.position.as_deref(), input.limit)?;
    Ok(g::Authorizers { position, items: Some(page.iter().map(describe).collect()) })
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateAuthorizerRequest,
) -> Result<g::Authorizer, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let (api, id) = (&input.rest_api_id, &input.authorizer_id);
    edit::change(gateway, cx, api, async |record| {
        let mut authorizer = load(gateway, api, id).await?;
        patches.iter().try_for_each(|patch| apply(&mut authorizer, patch))?;
        check(&authorizer)?;
        check_place(&authorizer, &all(gateway, api).await?)?;
        let key = table::in_api(&AUTHORIZERS, api, id);
        Ok((record, AUTHORIZERS.put(Commit::new(), &key, &authorizer)?, describe(&authorizer)))
    })
    .await
}

fn apply(authorizer: &mut Authorizer, patch: &patch::Patch<'_>) -> Result<(), ApiError> {
    let text = || patch.replaced().map(str::to_owned);
    let given = || text().map(|text| Some(text).filter(|text| !text.is_empty()));
    match patch.path {
        "/name" => authorizer.name = text()?,
        "/type" => authorizer.kind = kind(patch.replaced()?)?,
        "/authType" => authorizer.auth_type = given()?,
        "/authorizerUri" => authorizer.uri = text()?,
        "/authorizerCredentials" => authorizer.credentials = given()?,
        "/identitySource" => authorizer.identity_source = given()?,
        "/identityValidationExpression" => authorizer.identity_validation = given()?,
        "/authorizerResultTtlInSeconds" => {
            let invalid = |_| bad_request(format!("Invalid patch value for {}", patch.path));
            authorizer.result_ttl_seconds = patch.replaced()?.parse().map_err(invalid)?;
        }
        _ => return Err(patch.refused()),
    }
    Ok(())
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteAuthorizerRequest,
) -> Result<Unit, ApiError> {
    let (api, id) = (&input.rest_api_id, &input.authorizer_id);
    edit::change(gateway, cx, api, async |record| {
        load(gateway, api, id).await?;
        let resources = RESOURCES.all(gateway.store(), &table::of_api(&RESOURCES, api)).await?;
        let guarded = Authorization::Custom(id.clone());
        let mut methods = resources.iter().flat_map(|resource| resource.methods.values());
        if methods.any(|method| method.authorization == guarded) {
            let message = format!("Cannot delete authorizer '{id}', is referenced in a method");
            return Err(g::ConflictException::new(message).into());
        }
        Ok((record, Commit::new().delete(table::in_api(&AUTHORIZERS, api, id)), Unit))
    })
    .await
}

/// Has the authorizers of a stage asked anew.
pub(crate) async fn flush(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::FlushStageAuthorizersCacheRequest,
) -> Result<Unit, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    stage::load(gateway, &input.rest_api_id, &input.stage_name).await?;
    gateway.verdicts.flush(&input.rest_api_id, &input.stage_name);
    Ok(Unit)
}

pub(crate) async fn all(gateway: &ApiGateway, api: &str) -> Result<Vec<Authorizer>, ApiError> {
    Ok(AUTHORIZERS.all(gateway.store(), &table::of_api(&AUTHORIZERS, api)).await?)
}

pub(crate) async fn load(gateway: &ApiGateway, api: &str, id: &str) -> Result<Authorizer, ApiError> {
    let found = AUTHORIZERS.get(gateway.store(), &table::in_api(&AUTHORIZERS, api, id)).await?;
    let missing = || g::NotFoundException::new("Invalid Authorizer identifier specified").into();
    found.map(|stored| stored.record).ok_or_else(missing)
}

fn describe(authorizer: &Authorizer) -> g::Authorizer {
    let kind = match authorizer.kind {
        AuthorizerKind::Token => g::AuthorizerType::Token,
        AuthorizerKind::Request => g::AuthorizerType::Request,
    };
    g::Authorizer {
        id: Some(authorizer.id.clone()),
        name: Some(authorizer.name.clone()),
        r#type: Some(kind),
        auth_type: authorizer.auth_type.clone(),
        authorizer_uri: Some(authorizer.uri.clone()),
        authorizer_credentials: authorizer.credentials.clone(),
        identity_source: authorizer.identity_source.clone(),
        identity_validation_expression: authorizer.identity_validation.clone(),
        authorizer_result_ttl_in_seconds: Some(authorizer.result_ttl_seconds),
        ..Default::default()
    }
}
