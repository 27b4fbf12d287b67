//! From an integration to `x-amazon-apigateway-integration`.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html>

use serde_json::{Map, Value, json};

use super::{put, texts};
use crate::integration::{describe as described, describe_content_handling};
use crate::table::{ContentHandling, Integration, IntegrationResponse, Resource};

pub(super) fn describe(resource: &Resource, integration: &Integration) -> Value {
    let own = described(integration);
    let kind = own.r#type.map(|kind| kind.as_str().to_ascii_lowercase()).unwrap_or_default();
    let mut extension = json!({ "type": kind });
    // That of its resource is what an integration has that says nothing.
    let namespace = integration.cache_namespace.as_ref().filter(|name| **name != resource.id);
    let keys = &integration.cache_key_parameters;
    let passthrough = own.passthrough_behavior.map(|text| text.to_ascii_lowercase());
    for (name, value) in [
        ("httpMethod", own.http_method.map(Value::from)),
        ("uri", own.uri.map(Value::from)),
        ("credentials", own.credentials.map(Value::from)),
        ("requestParameters", texts(&integration.request_parameters)),
        ("requestTemplates", texts(&integration.request_templates)),
        ("passthroughBehavior", passthrough.map(Value::from)),
        ("contentHandling", content_handling(integration.content_handling)),
        ("timeoutInMillis", own.timeout_in_millis.map(Value::from)),
        ("cacheNamespace", namespace.map(|name| json!(name))),
        ("cacheKeyParameters", (!keys.is_empty()).then(|| json!(keys))),
        ("tlsConfig", integration.is_unverified.then(|| json!({ "insecureSkipVerification": true }))),
    ] {
        put(&mut extension, name, value);
    }
    let responses = integration.responses.iter();
    let responses: Map<String, Value> = responses
        .map(|(status, own)| {
            let pattern = own.selection_pattern.clone().filter(|pattern| !pattern.is_empty());
            (pattern.unwrap_or_else(|| "default".to_owned()), response(status, own))
        })
        .collect();
    put(&mut extension, "responses", super::filled(responses));
    extension
}

fn response(status: &str, response: &IntegrationResponse) -> Value {
    let mut described = json!({ "statusCode": status });
    put(&mut described, "responseParameters", texts(&response.parameters));
    put(&mut described, "responseTemplates", texts(&response.templates));
    put(&mut described, "contentHandling", content_handling(response.content_handling));
    described
}

fn content_handling(handling: Option<ContentHandling>) -> Option<Value> {
    handling.map(|handling| json!(describe_content_handling(handling).as_str()))
}
