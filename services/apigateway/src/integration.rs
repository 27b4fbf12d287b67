//! PutIntegration GetIntegration DeleteIntegration

use std::collections::BTreeMap;

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{Integration, IntegrationKind, Passthrough, Resource, Texts};
use crate::{ApiGateway, integration_response, method};

/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const TIMEOUT_MILLIS: std::ops::RangeInclusive<i32> = 50..=29_000;
const TIMEOUT_MILLIS_DEFAULT: i32 = 29_000;
/// The credentials that mean the caller's own.
const CALLER: &str = "arn:aws:iam::*:user/*";

pub(crate) async fn put(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::PutIntegrationRequest,
) -> Result<g::Integration, ApiError> {
    let integration = read(Wanted {
        kind: input.r#type,
        http_method: input.integration_http_method,
        uri: input.uri,
        credentials: input.credentials,
        request_templates: input.request_templates.unwrap_or_default(),
        passthrough: input.passthrough_behavior,
        timeout_millis: input.timeout_in_millis,
    })?;
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        let method = method::of_mut(resource, &input.http_method)?;
        let responses = method.integration.take().map(|present| present.responses).unwrap_or_default();
        let integration = Integration { responses, ..integration.clone() };
        let described = describe(&integration);
        method.integration = Some(integration);
        Ok(described)
    })
    .await
}

/// An integration as it is asked for, by an operation or by an imported definition.
pub(crate) struct Wanted {
    pub(crate) kind: g::IntegrationType,
    pub(crate) http_method: Option<String>,
    pub(crate) uri: Option<String>,
    pub(crate) credentials: Option<String>,
    pub(crate) request_templates: Texts,
    pub(crate) passthrough: Option<String>,
    pub(crate) timeout_millis: Option<i32>,
}

/// Checks an integration; its responses come later.
pub(crate) fn read(wanted: Wanted) -> Result<Integration, ApiError> {
    let kind = match wanted.kind {
        g::IntegrationType::Mock => IntegrationKind::Mock,
        g::IntegrationType::AwsProxy => IntegrationKind::AwsProxy,
        other => {
            return Err(ApiError::not_implemented("PutIntegration", &format!("type={}", other.as_str())));
        }
    };
    if kind == IntegrationKind::AwsProxy {
        let uri = wanted.uri.as_deref().unwrap_or_default();
        if function_arn(uri).is_none() {
            return Err(bad_request("Invalid ARN specified in the request"));
        }
        if wanted.http_method.is_none() {
            return Err(bad_request("Enumeration value for HttpMethod must be non-empty"));
        }
        if wanted.http_method.as_deref() != Some("POST") {
            return Err(ApiError::not_implemented("PutIntegration", "integrationHttpMethod other than POST"));
        }
        if !wanted.request_templates.is_empty() {
            return Err(ApiError::not_implemented("PutIntegration", "requestTemplates of AWS_PROXY"));
        }
    }
    wanted.request_templates.values().try_for_each(|template| plain(template, "requestTemplates"))?;
    let as_caller = match wanted.credentials.as_deref() {
        None => false,
        Some(CALLER) => true,
        Some(_) => return Err(ApiError::not_implemented("PutIntegration", "credentials of a role")),
    };
    let timeout_millis = wanted.timeout_millis.unwrap_or(TIMEOUT_MILLIS_DEFAULT);
    if !TIMEOUT_MILLIS.contains(&timeout_millis) {
        return Err(bad_request("Timeout should be between 50 ms and 29000 ms"));
    }
    Ok(Integration {
        kind,
        http_method: wanted.http_method,
        uri: wanted.uri,
        request_templates: wanted.request_templates,
        as_caller,
        passthrough: passthrough(wanted.passthrough.as_deref())?,
        timeout_millis: timeout_millis as u64,
        responses: BTreeMap::new(),
    })
}

/// Only text without Velocity's directives and references is a template so far.
pub(crate) fn plain(template: &str, parameter: &str) -> Result<(), ApiError> {
    if template.contains(['#', '$']) {
        return Err(ApiError::not_implemented(
            "PutIntegration",
            &format!("{parameter} with Velocity directives"),
        ));
    }
    Ok(())
}

fn passthrough(text: Option<&str>) -> Result<Passthrough, ApiError> {
    match text.map(str::to_ascii_uppercase).as_deref() {
        None | Some("WHEN_NO_MATCH") => Ok(Passthrough::WhenNoMatch),
        Some("WHEN_NO_TEMPLATES") => Ok(Passthrough::WhenNoTemplates),
        Some("NEVER") => Ok(Passthrough::Never),
        Some(_) => Err(bad_request(
            "Enumeration value for passthroughBehavior must be one of: WHEN_NO_MATCH, WHEN_NO_TEMPLATES, NEVER",
        )),
    }
}

/// The function in `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations`.
pub(crate) fn function_arn(uri: &str) -> Option<&str> {
    let (head, rest) = uri.split_once(":lambda:path/2015-03-31/functions/")?;
    let function = rest.strip_suffix("/invocations")?;
    (head.starts_with("arn:aws:apigateway:") && !function.is_empty()).then_some(function)
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetIntegrationRequest,
) -> Result<g::Integration, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let resource = edit::resource(gateway, &input.rest_api_id, &input.resource_id).await?.record;
    Ok(describe(of(&resource, &input.http_method)?))
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteIntegrationRequest,
) -> Result<Unit, ApiError> {
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        let method = method::of_mut(resource, &input.http_method)?;
        method.integration.take().map(|_| Unit).ok_or_else(missing)
    })
    .await
}

pub(crate) fn of<'r>(resource: &'r Resource, verb: &str) -> Result<&'r Integration, ApiError> {
    method::of(resource, verb)?.integration.as_ref().ok_or_else(missing)
}

pub(crate) fn of_mut<'r>(resource: &'r mut Resource, verb: &str) -> Result<&'r mut Integration, ApiError> {
    method::of_mut(resource, verb)?.integration.as_mut().ok_or_else(missing)
}

fn missing() -> ApiError {
    g::NotFoundException::new("Invalid Integration identifier specified").into()
}

pub(crate) fn describe(integration: &Integration) -> g::Integration {
    let kind = match integration.kind {
        IntegrationKind::AwsProxy => g::IntegrationType::AwsProxy,
        IntegrationKind::Mock => g::IntegrationType::Mock,
    };
    let passthrough = match integration.passthrough {
        Passthrough::WhenNoMatch => "WHEN_NO_MATCH",
        Passthrough::WhenNoTemplates => "WHEN_NO_TEMPLATES",
        Passthrough::Never => "NEVER",
    };
    let responses = integration
        .responses
        .iter()
        .map(|(status, response)| (status.clone(), integration_response::describe(status, response)));
    g::Integration {
        r#type: Some(kind),
        http_method: integration.http_method.clone(),
        uri: integration.uri.clone(),
        credentials: integration.as_caller.then(|| CALLER.to_owned()),
        request_templates: (!integration.request_templates.is_empty())
            .then(|| integration.request_templates.clone()),
        passthrough_behavior: Some(passthrough.into()),
        timeout_in_millis: Some(integration.timeout_millis as i32),
        integration_responses: (!integration.responses.is_empty()).then(|| responses.collect()),
        ..Default::default()
    }
}
