//! PutGatewayResponse GetGatewayResponse GetGatewayResponses UpdateGatewayResponse DeleteGatewayResponse
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::Commit;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{self, GATEWAY_RESPONSES, GatewayResponse, Texts};
use crate::{ApiGateway, patch, position, serve};

/// What says what went wrong, if nothing else is wanted.
const TEMPLATE: (&str, &str) = ("application/json", "{\"message\":$context.error.messageString}");

pub(crate) async fn put(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::PutGatewayResponseRequest,
) -> Result<g::GatewayResponse, ApiError> {
    let response = GatewayResponse {
        kind: input.response_type.as_str().to_owned(),
        status: input.status_code,
        parameters: input.response_parameters.unwrap_or_default(),
        templates: input.response_templates.unwrap_or_default(),
    };
    check(&response)?;
    let api = &input.rest_api_id;
    edit::change(gateway, cx, api, async |record| {
        let key = table::in_api(&GATEWAY_RESPONSES, api, &response.kind);
        Ok((record, GATEWAY_RESPONSES.put(Commit::new(), &key, &response)?, describe(&response)))
    })
    .await
}

/// Refuses what could not be answered with.
pub(crate) fn check(response: &GatewayResponse) -> Result<(), ApiError> {
    let status = response.status.as_deref().map(str::parse::<u16>);
    if status.is_some_and(|status| !status.is_ok_and(|status| (100..=599).contains(&status))) {
        return Err(bad_request("Invalid response status code specified"));
    }
    serve::check_gateway_response(response).map_err(bad_request)
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetGatewayResponseRequest,
) -> Result<g::GatewayResponse, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let found = load(gateway, &input.rest_api_id, input.response_type).await?;
    Ok(found.map_or_else(|| default(input.response_type), |response| describe(&response)))
}

/// All types, those that nobody has changed among them.
pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetGatewayResponsesRequest,
) -> Result<g::GatewayResponses, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let own = all(gateway, &input.rest_api_id).await?;
    let of = |kind: &g::GatewayResponseType| {
        let own = own.iter().find(|response| response.kind == kind.as_str());
        own.map_or_else(|| default(*kind), describe)
    };
    let all = g::GatewayResponseType::ALL.to_vec();
    let (page, position) = position::cut(all, |kind| kind.as_str(), input.position.as_deref(), input.limit)?;
    Ok(g::GatewayResponses { position, items: Some(page.iter().map(of).collect()) })
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateGatewayResponseRequest,
) -> Result<g::GatewayResponse, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let (api, kind) = (&input.rest_api_id, input.response_type);
    edit::change(gateway, cx, api, async |record| {
        let mut response = load(gateway, api, kind).await?.unwrap_or_else(|| GatewayResponse {
            kind: kind.as_str().to_owned(),
            status: None,
            parameters: Texts::new(),
            templates: Texts::new(),
        });
        patches.iter().try_for_each(|patch| apply(&mut response, patch))?;
        check(&response)?;
        let key = table::in_api(&GATEWAY_RESPONSES, api, &response.kind);
        Ok((record, GATEWAY_RESPONSES.put(Commit::new(), &key, &response)?, describe(&response)))
    })
    .await
}

fn apply(response: &mut GatewayResponse, patch: &patch::Patch<'_>) -> Result<(), ApiError> {
    if patch.path == "/statusCode" {
        response.status = Some(patch.replaced()?.to_owned());
        return Ok(());
    }
    let (texts, name) = match (patch.below("/responseParameters/"), patch.below("/responseTemplates/")) {
        (Some(name), _) => (&mut response.parameters, name),
        (_, Some(name)) => (&mut response.templates, name),
        _ => return Err(patch.refused()),
    };
    match patch.op {
        g::Op::Remove => texts.remove(&name),
        _ => texts.insert(name, patch.given()?.to_owned()),
    };
    Ok(())
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteGatewayResponseRequest,
) -> Result<Unit, ApiError> {
    let (api, kind) = (&input.rest_api_id, input.response_type);
    edit::change(gateway, cx, api, async |record| {
        let missing = || g::NotFoundException::new("Invalid Gateway response type specified").into();
        let present = load(gateway, api, kind).await?.ok_or_else::<ApiError, _>(missing)?;
        let key = table::in_api(&GATEWAY_RESPONSES, api, &present.kind);
        Ok((record, Commit::new().delete(key), Unit))
    })
    .await
}

pub(crate) async fn all(gateway: &ApiGateway, api: &str) -> Result<Vec<GatewayResponse>, ApiError> {
    Ok(GATEWAY_RESPONSES.all(gateway.store(), &table::of_api(&GATEWAY_RESPONSES, api)).await?)
}

async fn load(
    gateway: &ApiGateway,
    api: &str,
    kind: g::GatewayResponseType,
) -> Result<Option<GatewayResponse>, ApiError> {
    let key = table::in_api(&GATEWAY_RESPONSES, api, kind.as_str());
    Ok(GATEWAY_RESPONSES.get(gateway.store(), &key).await?.map(|stored| stored.record))
}

fn describe(response: &GatewayResponse) -> g::GatewayResponse {
    let kind = response.kind.parse().ok();
    g::GatewayResponse {
        response_type: kind,
        status_code: response.status.clone().or(kind.and_then(status).map(str::to_owned)),
        response_parameters: Some(response.parameters.clone()),
        response_templates: Some(response.templates.clone()),
        default_response: Some(false),
    }
}

fn default(kind: g::GatewayResponseType) -> g::GatewayResponse {
    g::GatewayResponse {
        response_type: Some(kind),
        status_code: status(kind).map(str::to_owned),
        response_parameters: Some(Texts::new()),
        response_templates: Some(Texts::from([(TEMPLATE.0.to_owned(), TEMPLATE.1.to_owned())])),
        default_response: Some(true),
    }
}

/// The status of a type, where it has one of its own.
fn status(kind: g::GatewayResponseType) -> Option<&'static str> {
    Some(match kind.as_str() {
        "DEFAULT_4XX" | "DEFAULT_5XX" => return None,
        "BAD_REQUEST_BODY" | "BAD_REQUEST_PARAMETERS" => "400",
        "UNAUTHORIZED" => "401",
        "RESOURCE_NOT_FOUND" => "404",
        "REQUEST_TOO_LARGE" => "413",
        "UNSUPPORTED_MEDIA_TYPE" => "415",
        "QUOTA_EXCEEDED" | "THROTTLED" => "429",
        "API_CONFIGURATION_ERROR" | "AUTHORIZER_CONFIGURATION_ERROR" | "AUTHORIZER_FAILURE" => "500",
        "INTEGRATION_FAILURE" | "INTEGRATION_TIMEOUT" => "504",
        _ => "403",
    })
}
