//! ImportRestApi PutRestApi: an API from an OpenAPI document (Swagger 2.0 or OpenAPI 3, JSON or YAML).
//!
//! What a document says that nothing acts on yet is refused by name, not dropped.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html>

mod integration;
mod model;
mod operation;
mod security;
mod validator;

use std::collections::BTreeMap;

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Record, Table};
use serde_json::{Map, Value};

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{
    self, AUTHORIZERS, Authorizer, DOCUMENTATION_PARTS, DocumentationPart, GATEWAY_RESPONSES,
    GatewayResponse, MODELS, Model, REQUEST_VALIDATORS, RESOURCES, RequestValidator, Resource, RestApi,
    Texts,
};
use crate::{
    ApiGateway, authorizer, documentation_part, gateway_response, request_validator, resource, rest_api,
};

use self::model::Models;
use operation::Operation;
use security::Security;
use validator::Validators;

/// Fields of a path that are no methods.
const VERBS: [&str; 8] =
    ["get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method"];
/// Extensions of the document that act.
const DOCUMENT_EXTENSIONS: [&str; 8] = [
    documentation_part::EXTENSION,
    "x-amazon-apigateway-api-key-source",
    "x-amazon-apigateway-binary-media-types",
    "x-amazon-apigateway-gateway-responses",
    "x-amazon-apigateway-minimum-compression-size",
    "x-amazon-apigateway-policy",
    "x-amazon-apigateway-request-validator",
    "x-amazon-apigateway-request-validators",
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
        keys_from_authorizer: false,
        compression_bytes_min: None,
        disable_execute_api_endpoint: false,
        root_resource_id: ids::short_id(10, &*gateway.ports.random),
        resources: 1,
    };
    // Refused before anything is kept.
    Definition::read(gateway, &api, &document, Definition::default())?;
    about(&mut api, &document)?;
    rest_api::insert(gateway, &api, Commit::new()).await?;
    replace(gateway, cx, &api.id, &document, g::PutMode::Overwrite).await
}

pub(crate) async fn put(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::PutRestApiRequest,
) -> Result<g::RestApi, ApiError> {
    let document = parse(&input.body)?;
    let mode = input.mode.unwrap_or(g::PutMode::Merge);
    replace(gateway, cx, &input.rest_api_id, &document, mode).await
}

/// What an API has: before a document is put into it, and afterwards.
#[derive(Default)]
struct Definition {
    resources: Vec<Resource>,
    authorizers: Vec<Authorizer>,
    responses: Vec<GatewayResponse>,
    models: Vec<Model>,
    validators: Vec<RequestValidator>,
    documentation: Vec<DocumentationPart>,
}

impl Definition {
    async fn load(gateway: &ApiGateway, api: &str) -> Result<Self, ApiError> {
        Ok(Self {
            resources: RESOURCES.all(gateway.store(), &table::of_api(&RESOURCES, api)).await?,
            authorizers: authorizer::all(gateway, api).await?,
            responses: gateway_response::all(gateway, api).await?,
            models: crate::model::all(gateway, api).await?,
            validators: request_validator::all(gateway, api).await?,
            documentation: documentation_part::all(gateway, api).await?,
        })
    }

    /// What of it stays when a document takes its place: what has an id keeps it, by its name.
    fn overwritten(self, random: &dyn pagoda_base::Random) -> Self {
        let models = crate::model::defaults(random).into_iter();
        let kept =
            |model: Model| self.models.iter().find(|old| old.name == model.name).cloned().unwrap_or(model);
        Self {
            models: models.map(kept).collect(),
            resources: Vec::new(),
            responses: Vec::new(),
            documentation: Vec::new(),
            ..self
        }
    }

    /// What the document makes of what is there.
    fn read(gateway: &ApiGateway, api: &RestApi, document: &Value, present: Self) -> Result<Self, ApiError> {
        let random = &*gateway.ports.random;
        let security = Security::read(gateway, document, &present.authorizers)?;
        let validators = Validators::read(document, present.validators, random)?;
        let mut models = Models::read(document, &api.id, present.models, random)?;
        let mut resources = present.resources;
        if resources.is_empty() {
            resources.push(root(&api.root_resource_id));
        }
        let resources = self::resources(gateway, document, resources, &security, &mut models, &validators)?;
        let mut responses = gateway_responses(document)?;
        let own = present.responses.into_iter();
        let own = own.filter(|old| responses.iter().all(|response| response.kind != old.kind));
        let own: Vec<_> = own.collect();
        responses.extend(own);
        Ok(Self {
            resources,
            authorizers: security.authorizers,
            responses,
            models: models.done()?,
            validators: validators.done(),
            documentation: documentation_part::merged(document, present.documentation, random)?.0,
        })
    }

    /// Puts all of it in the place of what is there.
    fn put(&self, api: &str) -> Result<Commit, ApiError> {
        let mut commit = Commit::new();
        commit = put_all(commit, &RESOURCES, api, &self.resources, |resource| &resource.id)?;
        commit = put_all(commit, &AUTHORIZERS, api, &self.authorizers, |authorizer| &authorizer.id)?;
        commit = put_all(commit, &GATEWAY_RESPONSES, api, &self.responses, |response| &response.kind)?;
        commit = put_all(commit, &MODELS, api, &self.models, |model| &model.name)?;
        commit = put_all(commit, &DOCUMENTATION_PARTS, api, &self.documentation, |part| &part.id)?;
        put_all(commit, &REQUEST_VALIDATORS, api, &self.validators, |validator| &validator.id)
    }
}

/// Puts what another API has into a new one.
pub(crate) async fn copied(
    gateway: &ApiGateway,
    from: &RestApi,
    to: &mut RestApi,
) -> Result<Commit, ApiError> {
    let mut definition = Definition::load(gateway, &from.id).await?;
    let models = |id: &str| format!("/restapis/{id}/models/");
    for schema in definition.models.iter_mut().filter_map(|model| model.schema.as_mut()) {
        *schema = schema.replace(&models(&from.id), &models(&to.id));
    }
    to.root_resource_id.clone_from(&from.root_resource_id);
    to.resources = definition.resources.len();
    definition.put(&to.id)
}

/// Puts records in the place of all of their kind.
pub(crate) fn put_all<R: Record>(
    commit: Commit,
    table: &Table<R>,
    api: &str,
    records: &[R],
    name: impl Fn(&R) -> &str,
) -> Result<Commit, ApiError> {
    let (lo, hi) = table::of_api(table, api).prefix_range();
    let mut commit = commit.clear_range(lo, hi);
    for record in records {
        commit = table.put(commit, &table::in_api(table, api, name(record)), record)?;
    }
    Ok(commit)
}

fn root(id: &str) -> Resource {
    Resource {
        id: id.to_owned(),
        parent_id: None,
        path_part: None,
        path: "/".into(),
        methods: BTreeMap::new(),
    }
}

/// Puts a document into an API.
async fn replace(
    gateway: &ApiGateway,
    cx: &Context,
    id: &str,
    document: &Value,
    mode: g::PutMode,
) -> Result<g::RestApi, ApiError> {
    edit::change(gateway, cx, id, async |mut api: RestApi| {
        let present = Definition::load(gateway, id).await?;
        let definition = match mode {
            g::PutMode::Overwrite => {
                let present = present.overwritten(&*gateway.ports.random);
                let validators = Vec::new();
                Definition::read(gateway, &api, document, Definition { validators, ..present })?
            }
            g::PutMode::Merge => {
                let before = present.authorizers.clone();
                let mut merged = Definition::read(gateway, &api, document, present)?;
                let own = before.into_iter();
                let own = own.filter(|old| merged.authorizers.iter().all(|new| new.id != old.id));
                let own: Vec<_> = own.collect();
                merged.authorizers.extend(own);
                merged
            }
        };
        about(&mut api, document)?;
        api.name = title(document).unwrap_or(api.name);
        api.resources = definition.resources.len();
        let described = rest_api::describe(&api);
        Ok((api, definition.put(id)?, described))
    })
    .await
}

pub(crate) fn parse(body: &[u8]) -> Result<Value, ApiError> {
    let document = serde_json::from_slice(body).ok().or_else(|| yaml_serde::from_slice::<Value>(body).ok());
    let document = document.filter(Value::is_object).ok_or_else(|| bad_request("Invalid OpenAPI input"))?;
    let is_known = document.get("swagger").and_then(Value::as_str) == Some("2.0")
        || document.get("openapi").and_then(Value::as_str).is_some_and(|version| version.starts_with("3."));
    if !is_known {
        return Err(bad_request("Invalid OpenAPI input: neither swagger 2.0 nor openapi 3"));
    }
    refuse_others(fields(&document)?, &DOCUMENT_EXTENSIONS, "")?;
    for server in document.get("servers").and_then(Value::as_array).into_iter().flatten() {
        refuse_others(fields(server)?, &[], " of servers")?;
    }
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
    if let Some(source) = document.get("x-amazon-apigateway-api-key-source") {
        api.keys_from_authorizer = rest_api::keys_from_authorizer(source.as_str().unwrap_or_default())?;
    }
    if let Some(size) = document.get("x-amazon-apigateway-minimum-compression-size") {
        let size = size.as_i64().and_then(|size| i32::try_from(size).ok()).unwrap_or(-1);
        api.compression_bytes_min = Some(rest_api::compression_bytes_min(size)?);
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

/// The resources of the document with those that are there, the root first.
fn resources(
    gateway: &ApiGateway,
    document: &Value,
    present: Vec<Resource>,
    security: &Security<'_>,
    models: &mut Models,
    validators: &Validators,
) -> Result<Vec<Resource>, ApiError> {
    let mut all = present;
    for (path, item) in document.get("paths").map(fields).transpose()?.into_iter().flatten() {
        let place = grow(gateway, &mut all, path)?;
        let item = fields(item)?;
        refuse_others(item, &VERBS, path)?;
        for (name, operation) in item.iter().filter(|(name, _)| VERBS.contains(&name.as_str())) {
            let verb = if name.starts_with("x-") { "ANY".to_owned() } else { name.to_ascii_uppercase() };
            let operation = Operation { document, path, verb: &verb, item, fields: fields(operation)? };
            let method = operation.read(security, models, validators)?;
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

fn texts(value: &Value) -> Result<Texts, ApiError> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(fields(value)?.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}
