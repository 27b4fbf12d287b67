//! ImportRestApi PutRestApi: an API from an OpenAPI document (Swagger 2.0 or OpenAPI 3, JSON or YAML).
//!
//! What a document says that nothing acts on yet is refused by name, not dropped.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html>

mod security;

use std::collections::BTreeMap;

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::Commit;
use serde_json::{Map, Value};

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::integration::{self, Wanted};
use crate::table::{
    self, AUTHORIZERS, Authorization, GATEWAY_RESPONSES, GatewayResponse, IntegrationResponse, Method,
    MethodResponse, RESOURCES, Resource, RestApi, Texts,
};
use crate::{
    ApiGateway, authorizer, gateway_response, integration_response, method_response, resource, rest_api,
};

use security::Security;

/// Fields of a path that are no methods.
const VERBS: [&str; 8] =
    ["get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method"];
/// Extensions of an operation that act.
const OPERATION_EXTENSIONS: [&str; 2] = ["x-amazon-apigateway-integration", "x-amazon-apigateway-auth"];
/// Extensions of the document that act.
const DOCUMENT_EXTENSIONS: [&str; 3] = [
    "x-amazon-apigateway-binary-media-types",
    "x-amazon-apigateway-gateway-responses",
    "x-amazon-apigateway-policy",
];

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::ImportRestApiRequest,
) -> Result<g::RestApi, ApiError> {
    let document = parse(&input.body)?;
    let mut api = RestApi {
        id: ids::short_id(10, &*gateway.ports.random),
        account: cx.account,
        region: cx.region.clone(),
        name: title(&document).ok_or_else(|| bad_request("Invalid OpenAPI input: info.title is missing"))?,
        description: None,
        version: None,
        created: cx.now,
        binary_media_types: Vec::new(),
        endpoint_type: "EDGE".into(),
        policy: None,
        tags: Texts::new(),
        disable_execute_api_endpoint: false,
        root_resource_id: ids::short_id(10, &*gateway.ports.random),
        resources: 1,
    };
    // Refused before anything is kept.
    let security = Security::read(gateway, &document, &[])?;
    resources(gateway, &document, &api.root_resource_id, &security)?;
    gateway_responses(&document)?;
    about(&mut api, &document)?;
    rest_api::insert(gateway, &api).await?;
    replace(gateway, cx, &api.id, &document).await
}

pub(crate) async fn put(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::PutRestApiRequest,
) -> Result<g::RestApi, ApiError> {
    if input.mode != Some(g::PutMode::Overwrite) {
        return Err(ApiError::not_implemented("PutRestApi", "mode=merge"));
    }
    let document = parse(&input.body)?;
    replace(gateway, cx, &input.rest_api_id, &document).await
}

/// Puts the document's resources in the place of the API's own.
async fn replace(
    gateway: &ApiGateway,
    cx: &Context,
    id: &str,
    document: &Value,
) -> Result<g::RestApi, ApiError> {
    edit::change(gateway, cx, id, async |mut api: RestApi| {
        let security = Security::read(gateway, document, &authorizer::all(gateway, id).await?)?;
        let resources = resources(gateway, document, &api.root_resource_id, &security)?;
        about(&mut api, document)?;
        api.name = title(document).unwrap_or(api.name);
        api.resources = resources.len();
        let (lo, hi) = table::of_api(&RESOURCES, id).prefix_range();
        let mut commit = Commit::new().clear_range(lo, hi);
        for resource in &resources {
            commit = RESOURCES.put(commit, &table::in_api(&RESOURCES, id, &resource.id), resource)?;
        }
        let (lo, hi) = table::of_api(&AUTHORIZERS, id).prefix_range();
        commit = commit.clear_range(lo, hi);
        for authorizer in &security.authorizers {
            commit = AUTHORIZERS.put(commit, &table::in_api(&AUTHORIZERS, id, &authorizer.id), authorizer)?;
        }
        let (lo, hi) = table::of_api(&GATEWAY_RESPONSES, id).prefix_range();
        commit = commit.clear_range(lo, hi);
        for response in &gateway_responses(document)? {
            commit = GATEWAY_RESPONSES.put(
                commit,
                &table::in_api(&GATEWAY_RESPONSES, id, &response.kind),
                response,
            )?;
        }
        let described = rest_api::describe(&api);
        Ok((api, commit, described))
    })
    .await
}

fn parse(body: &[u8]) -> Result<Value, ApiError> {
    let document = serde_json::from_slice(body).ok().or_else(|| yaml_serde::from_slice::<Value>(body).ok());
    let document = document.filter(Value::is_object).ok_or_else(|| bad_request("Invalid OpenAPI input"))?;
    let is_known = document.get("swagger").and_then(Value::as_str) == Some("2.0")
        || document.get("openapi").and_then(Value::as_str).is_some_and(|version| version.starts_with("3."));
    if !is_known {
        return Err(bad_request("Invalid OpenAPI input: neither swagger 2.0 nor openapi 3"));
    }
    refuse_others(fields(&document)?, &DOCUMENT_EXTENSIONS, "")?;
    Ok(document)
}

fn fields(value: &Value) -> Result<&Map<String, Value>, ApiError> {
    value.as_object().ok_or_else(|| bad_request("Invalid OpenAPI input: an object was expected"))
}

/// Refuses the extensions that nothing acts on.
fn refuse_others(fields: &Map<String, Value>, known: &[&str], place: &str) -> Result<(), ApiError> {
    let unknown =
        fields.keys().find(|name| name.starts_with("x-amazon-apigateway") && !known.contains(&name.as_str()));
    match unknown {
        Some(name) => Err(ApiError::not_implemented("PutRestApi", &format!("{name}{place}"))),
        None => Ok(()),
    }
}

fn title(document: &Value) -> Option<String> {
    document.pointer("/info/title").and_then(Value::as_str).map(str::to_owned)
}

fn about(api: &mut RestApi, document: &Value) -> Result<(), ApiError> {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    api.description = text("/info/description").or(api.description.take());
    api.version = text("/info/version").or(api.version.take());
    if let Some(types) = document.get("x-amazon-apigateway-binary-media-types") {
        let types = types.as_array().into_iter().flatten().filter_map(Value::as_str);
        // A definition may write a media type's slash as JSON Pointer does.
        api.binary_media_types =
            rest_api::checked_types(types.map(|kind| kind.replace("~1", "/")).collect())?;
    }
    if let Some(policy) = document.get("x-amazon-apigateway-policy") {
        api.policy = Some(rest_api::checked_policy(&policy.to_string())?);
    }
    Ok(())
}

/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-gateway-responses.html>
fn gateway_responses(document: &Value) -> Result<Vec<GatewayResponse>, ApiError> {
    let described = document.get("x-amazon-apigateway-gateway-responses").map(fields).transpose()?;
    let read = |(kind, described): (&String, &Value)| {
        kind.parse::<g::GatewayResponseType>()
            .map_err(|_| bad_request(format!("Invalid gateway response type {kind}")))?;
        let mut response = GatewayResponse {
            kind: kind.clone(),
            status: None,
            parameters: Texts::new(),
            templates: Texts::new(),
        };
        for (name, value) in fields(described)? {
            match name.as_str() {
                "statusCode" => {
                    response.status = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                }
                "responseParameters" => response.parameters = texts(value)?,
                "responseTemplates" => response.templates = texts(value)?,
                other => {
                    let name = format!("gateway response field {other}");
                    return Err(ApiError::not_implemented("PutRestApi", &name));
                }
            }
        }
        gateway_response::check(&response)?;
        Ok(response)
    };
    described.into_iter().flatten().map(read).collect()
}

/// All resources of the document, the root first.
fn resources(
    gateway: &ApiGateway,
    document: &Value,
    root_id: &str,
    security: &Security<'_>,
) -> Result<Vec<Resource>, ApiError> {
    let root = Resource {
        id: root_id.to_owned(),
        parent_id: None,
        path_part: None,
        path: "/".into(),
        methods: BTreeMap::new(),
    };
    let mut all = vec![root];
    for (path, item) in document.get("paths").map(fields).transpose()?.into_iter().flatten() {
        let place = grow(gateway, &mut all, path)?;
        let item = fields(item)?;
        refuse_others(item, &VERBS, path)?;
        for (name, operation) in item.iter().filter(|(name, _)| VERBS.contains(&name.as_str())) {
            let verb = if name.starts_with("x-") { "ANY".to_owned() } else { name.to_ascii_uppercase() };
            let operation = fields(operation)?;
            let mut method = method(operation, security.of(operation)?)?;
            for described in [item.get("parameters"), operation.get("parameters")] {
                method.request_parameters.extend(parameters(document, described)?);
            }
            all[place].methods.insert(verb, method);
        }
    }
    Ok(all)
}

/// Makes the resources on the way to `path`; the index of the last one.
fn grow(gateway: &ApiGateway, all: &mut Vec<Resource>, path: &str) -> Result<usize, ApiError> {
    let mut place = 0;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let parent = all[place].id.clone();
        let known = all.iter().position(|resource| {
            resource.parent_id.as_deref() == Some(&*parent) && resource.path_part.as_deref() == Some(part)
        });
        place = match known {
            Some(known) => known,
            None => {
                let id = ids::short_id(6, &*gateway.ports.random);
                all.push(resource::child(all, &parent, part, id)?);
                all.len() - 1
            }
        };
    }
    Ok(place)
}

fn method(operation: &Map<String, Value>, authorization: Authorization) -> Result<Method, ApiError> {
    refuse_others(operation, &OPERATION_EXTENSIONS, "")?;
    let mut method = Method {
        authorization,
        operation_name: operation.get("operationId").and_then(Value::as_str).map(str::to_owned),
        request_parameters: BTreeMap::new(),
        responses: BTreeMap::new(),
        integration: None,
    };
    for (status, response) in operation.get("responses").map(fields).transpose()?.into_iter().flatten() {
        if status == "default" {
            continue;
        }
        let headers = response.get("headers").map(fields).transpose()?;
        let headers =
            headers.into_iter().flatten().map(|(name, _)| (format!("method.response.header.{name}"), false));
        let declared = MethodResponse { parameters: headers.collect(), models: Texts::new() };
        method_response::check(status, &declared)?;
        method.responses.insert(status.clone(), declared);
    }
    if let Some(integration) = operation.get("x-amazon-apigateway-integration") {
        method.integration = Some(read_integration(fields(integration)?, &mut method.responses)?);
    }
    Ok(method)
}

/// What a request can bear, and whether it must: those that the front door tells apart. Bodies and forms are
/// matters of models.
fn parameters(document: &Value, described: Option<&Value>) -> Result<BTreeMap<String, bool>, ApiError> {
    let mut read = BTreeMap::new();
    for parameter in described.and_then(Value::as_array).into_iter().flatten() {
        let parameter = match parameter.get("$ref").and_then(Value::as_str) {
            Some(place) => place
                .strip_prefix('#')
                .and_then(|pointer| document.pointer(pointer))
                .ok_or_else(|| bad_request(format!("Invalid OpenAPI input: {place} does not exist")))?,
            None => parameter,
        };
        let text = |field: &str| parameter.get(field).and_then(Value::as_str);
        let place = match text("in") {
            Some(place @ ("header" | "path")) => place,
            Some("query") => "querystring",
            _ => continue,
        };
        let name =
            text("name").ok_or_else(|| bad_request("Invalid OpenAPI input: a parameter has no name"))?;
        let required = parameter.get("required").and_then(Value::as_bool).unwrap_or_default();
        read.insert(format!("method.request.{place}.{name}"), required);
    }
    Ok(read)
}

fn read_integration(
    fields_of: &Map<String, Value>,
    declared: &mut BTreeMap<String, MethodResponse>,
) -> Result<table::Integration, ApiError> {
    let mut wanted = Wanted {
        kind: g::IntegrationType::Mock,
        http_method: None,
        uri: None,
        credentials: None,
        request_templates: Texts::new(),
        passthrough: None,
        timeout_millis: None,
    };
    let mut responses = BTreeMap::new();
    for (name, value) in fields_of {
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
            "timeoutInMillis" => wanted.timeout_millis = value.as_i64().map(|millis| millis as i32),
            "requestTemplates" => wanted.request_templates = texts(value)?,
            "responses" => responses = read_responses(fields(value)?, declared)?,
            other => {
                return Err(ApiError::not_implemented("PutRestApi", &format!("integration field {other}")));
            }
        }
    }
    let integration = integration::read(wanted)?;
    Ok(table::Integration { responses, ..integration })
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
                other => {
                    return Err(ApiError::not_implemented("PutRestApi", &format!("response field {other}")));
                }
            }
        }
        integration_response::check(&kept)?;
        // A definition may leave undeclared what its integration answers.
        let declared = declared.entry(status.clone()).or_default();
        declared.parameters.extend(kept.parameters.keys().map(|name| (name.clone(), false)));
        read.insert(status, kept);
    }
    Ok(read)
}

fn texts(value: &Value) -> Result<Texts, ApiError> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(fields(value)?.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}
