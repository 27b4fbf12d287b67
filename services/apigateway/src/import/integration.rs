//! From `x-amazon-apigateway-integration` to an integration.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html>

use std::collections::BTreeMap;

use pagoda_protocol::ApiError;
use serde_json::{Map, Value};

use super::{fields, texts};
use crate::edit::bad_request;
use crate::generated as g;
use crate::integration::{self, Wanted};
use crate::integration_response;
use crate::table::{ContentHandling, Integration, IntegrationResponse, MethodResponse};

pub(super) fn read(
    described: &Map<String, Value>,
    declared: &mut BTreeMap<String, MethodResponse>,
) -> Result<Integration, ApiError> {
    let mut wanted = Wanted::new(g::IntegrationType::Mock);
    let mut responses = BTreeMap::new();
    for (name, value) in described {
        let text = || value.as_str().map(str::to_owned);
        match name.as_str() {
            "type" => {
                let kind = text().unwrap_or_default().to_ascii_uppercase();
                wanted.kind =
                    kind.parse().map_err(|_| bad_request(format!("Invalid integration type {kind}")))?;
            }
            "httpMethod" => wanted.http_method = text(),
            "uri" => wanted.uri = text(),
            "credentials" => wanted.credentials = text(),
            "passthroughBehavior" => wanted.passthrough = text(),
            "contentHandling" => wanted.content_handling = Some(content_handling(value)?),
            "timeoutInMillis" => {
                let millis = value.as_i64().and_then(|millis| i32::try_from(millis).ok());
                wanted.timeout_millis = Some(millis.ok_or_else(|| bad_request("Invalid timeout specified"))?);
            }
            "requestParameters" => wanted.request_parameters = texts(value)?,
            "requestTemplates" => wanted.request_templates = texts(value)?,
            "tlsConfig" => wanted.is_unverified = is_unverified(fields(value)?)?,
            "responses" => responses = read_responses(fields(value)?, declared)?,
            // What it is anyway.
            "connectionType" if value == "INTERNET" => {}
            "cacheNamespace" => wanted.cache_namespace = text(),
            "cacheKeyParameters" => wanted.cache_key_parameters = names(value)?,
            other => {
                return Err(ApiError::not_implemented("PutRestApi", &format!("integration field {other}")));
            }
        }
    }
    let integration = integration::read(wanted)?;
    Ok(Integration { responses, ..integration })
}

fn names(value: &Value) -> Result<Vec<String>, ApiError> {
    let name = |value: &Value| value.as_str().map(str::to_owned);
    let names = value.as_array().and_then(|values| values.iter().map(name).collect());
    names.ok_or_else(|| bad_request(format!("Invalid cacheKeyParameters {value}")))
}

fn content_handling(value: &Value) -> Result<ContentHandling, ApiError> {
    let wanted = value.as_str().and_then(|text| text.parse().ok());
    wanted
        .map(integration::content_handling)
        .ok_or_else(|| bad_request(format!("Invalid contentHandling {value}")))
}

fn is_unverified(tls: &Map<String, Value>) -> Result<bool, ApiError> {
    match tls.keys().find(|name| *name != "insecureSkipVerification") {
        Some(other) => Err(ApiError::not_implemented("PutRestApi", &format!("tlsConfig field {other}"))),
        None => Ok(tls.values().any(|value| *value == Value::Bool(true))),
    }
}

/// Keys are selection patterns, `default` being the answer to all the rest.
fn read_responses(
    responses: &Map<String, Value>,
    declared: &mut BTreeMap<String, MethodResponse>,
) -> Result<BTreeMap<String, IntegrationResponse>, ApiError> {
    let mut read = BTreeMap::new();
    for (pattern, response) in responses {
        let mut kept = IntegrationResponse {
            selection_pattern: (pattern != "default").then(|| pattern.clone()),
            ..Default::default()
        };
        let mut status = "200".to_owned();
        for (name, value) in fields(response)? {
            match name.as_str() {
                "statusCode" => status = value.as_str().map_or_else(|| value.to_string(), str::to_owned),
                "responseParameters" => kept.parameters = texts(value)?,
                "responseTemplates" => kept.templates = texts(value)?,
                "contentHandling" => kept.content_handling = Some(content_handling(value)?),
                other => {
                    return Err(ApiError::not_implemented("PutRestApi", &format!("response field {other}")));
                }
            }
        }
        integration_response::check(&kept)?;
        // A definition may leave undeclared what its integration answers.
        let declared = declared.entry(status.clone()).or_default();
        for name in kept.parameters.keys() {
            declared.parameters.entry(name.clone()).or_insert(false);
        }
        read.insert(status, kept);
    }
    Ok(read)
}
