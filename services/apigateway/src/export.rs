//! GetExport: what a stage serves, as an OpenAPI document. The inverse of the import.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-export-api.html>

mod integration;
mod operation;
mod security;

use bytes::Bytes;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use serde_json::{Map, Value, json};

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{DeployedApi, DocumentationVersion, GatewayResponse, Model, Resource, RestApi};
use crate::{ApiGateway, deployment, documentation_part, documentation_version, rest_api, stage};

use operation::operation;

/// The two languages of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Swagger,
    OpenApi,
}

impl Dialect {
    fn of(name: &str) -> Result<Self, ApiError> {
        match name {
            "swagger" => Ok(Self::Swagger),
            "oas30" => Ok(Self::OpenApi),
            _ => {
                Err(bad_request(format!("Invalid export type {name}: only swagger and oas30 are supported")))
            }
        }
    }

    /// Where schemas are.
    fn schemas(self) -> &'static str {
        match self {
            Self::Swagger => "#/definitions/",
            Self::OpenApi => "#/components/schemas/",
        }
    }
}

/// Which of API Gateway's own words a document has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Extensions {
    integrations: bool,
    authorizers: bool,
    documentation: bool,
    /// Everything else too.
    all: bool,
}

impl Extensions {
    fn read(names: &str) -> Result<Self, ApiError> {
        let mut read = Self::default();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "integrations" => read.integrations = true,
                "authorizers" => read.authorizers = true,
                "documentation" => read.documentation = true,
                "apigateway" => {
                    read = Self { integrations: true, authorizers: true, documentation: true, all: true };
                }
                other => return Err(ApiError::not_implemented("GetExport", &format!("extensions={other}"))),
            }
        }
        Ok(read)
    }
}

/// What is exported.
struct Exported<'a> {
    api: &'a RestApi,
    resources: &'a [Resource],
    beside: &'a DeployedApi,
    /// The stage's documentation, if it has one and it is wanted.
    documentation: Option<DocumentationVersion>,
    dialect: Dialect,
    extensions: Extensions,
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetExportRequest,
) -> Result<g::ExportResponse, ApiError> {
    let dialect = Dialect::of(&input.export_type)?;
    let mut extensions = Extensions::default();
    for (name, value) in input.parameters.unwrap_or_default() {
        match name.as_str() {
            "extensions" => extensions = Extensions::read(&value)?,
            other => return Err(bad_request(format!("Invalid export parameter {other}"))),
        }
    }
    let api = edit::load(gateway, cx, &input.rest_api_id).await?.record;
    let stage = stage::load(gateway, &api.id, &input.stage_name).await?;
    let resources = deployment::resources(gateway, &api.id, &stage.deployment_id).await?;
    let beside = deployment::deployed(gateway, &api.id, &stage.deployment_id).await?;
    let documentation = match stage.documentation_version.filter(|_| extensions.documentation) {
        Some(version) => Some(documentation_version::load(gateway, &api.id, &version).await?),
        None => None,
    };
    let exported =
        Exported { api: &api, resources: &resources, beside: &beside, documentation, dialect, extensions };
    let document = exported.document(&cx.origin.endpoint, &stage.name);
    let (body, end) = match input.accepts.as_deref().unwrap_or("application/json") {
        "application/json" | "*/*" => (format!("{document:#}"), "json"),
        "application/yaml" => (yaml_serde::to_string(&document).map_err(|_| ApiError::internal())?, "yaml"),
        other => return Err(bad_request(format!("Invalid accept header {other}"))),
    };
    let name = format!("{}_{}.{end}", input.export_type, api.id);
    Ok(g::ExportResponse {
        content_type: Some("application/octet-stream".into()),
        content_disposition: Some(format!("attachment; filename=\"{name}\"")),
        body: Some(Bytes::from(body)),
    })
}

impl Exported<'_> {
    fn document(&self, endpoint: &str, stage: &str) -> Value {
        let api = self.api;
        let mut info = json!({ "title": api.name });
        info["version"] = json!(api.version.clone().unwrap_or_else(|| api.created.to_string()));
        put(&mut info, "description", api.description.clone().map(Value::from));
        let mut document = match self.dialect {
            Dialect::Swagger => json!({ "swagger": "2.0" }),
            Dialect::OpenApi => json!({ "openapi": "3.0.1" }),
        };
        document["info"] = info;
        self.put_address(&mut document, endpoint, stage);
        document["paths"] = self.paths();
        let schemes = security::schemes(self);
        let schemas = self.schemas();
        match self.dialect {
            Dialect::Swagger => {
                put(&mut document, "securityDefinitions", filled(schemes));
                put(&mut document, "definitions", filled(schemas));
            }
            Dialect::OpenApi => {
                let mut components = Value::Object(Map::new());
                put(&mut components, "schemas", filled(schemas));
                put(&mut components, "securitySchemes", filled(schemes));
                document["components"] = components;
            }
        }
        if let Some(documentation) = &self.documentation {
            let parts: Vec<Value> = documentation.parts.iter().map(documentation_part::exported).collect();
            document[documentation_part::EXTENSION] =
                json!({ "version": documentation.version, "documentationParts": parts });
        }
        if self.extensions.all {
            self.put_extensions(&mut document);
        }
        document
    }

    /// Where the stage is served, in the form that needs no names of its own in DNS.
    fn put_address(&self, document: &mut Value, endpoint: &str, stage: &str) {
        let path = format!("/_aws/execute-api/{}", self.api.id);
        match self.dialect {
            Dialect::Swagger => {
                let (scheme, host) = endpoint.split_once("://").unwrap_or(("https", endpoint));
                document["host"] = json!(host);
                document["basePath"] = json!(format!("{path}/{stage}"));
                document["schemes"] = json!([scheme]);
            }
            Dialect::OpenApi => {
                let variables = json!({ "basePath": { "default": stage } });
                let url = format!("{endpoint}{path}/{{basePath}}");
                document["servers"] = json!([{ "url": url, "variables": variables }]);
            }
        }
    }

    fn paths(&self) -> Value {
        let mut paths = Map::new();
        // By path, as ids differ from API to API.
        let mut resources: Vec<_> = self.resources.iter().filter(|one| !one.methods.is_empty()).collect();
        resources.sort_by(|a, b| a.path.cmp(&b.path));
        for resource in resources {
            let item = resource.methods.iter().map(|(verb, method)| {
                let verb = match verb.as_str() {
                    "ANY" => "x-amazon-apigateway-any-method".to_owned(),
                    verb => verb.to_ascii_lowercase(),
                };
                (verb, operation(self, resource, method))
            });
            paths.insert(resource.path.clone(), Value::Object(item.collect()));
        }
        Value::Object(paths)
    }

    fn schemas(&self) -> Map<String, Value> {
        let schema = |model: &Model| {
            let schema: Value = serde_json::from_str(model.schema.as_deref()?).ok()?;
            Some((model.name.clone(), self.referring(schema)))
        };
        self.beside.models.iter().filter_map(schema).collect()
    }

    /// The schema with references within the document, in the place of those to models.
    fn referring(&self, schema: Value) -> Value {
        let models = format!("https://apigateway.amazonaws.com/restapis/{}/models/", self.api.id);
        match schema {
            Value::Object(fields) => {
                let field = |(name, value): (String, Value)| {
                    let model = value.as_str().and_then(|target| target.strip_prefix(&models));
                    let value = match model.filter(|_| name == "$ref") {
                        Some(model) => json!(format!("{}{model}", self.dialect.schemas())),
                        None => self.referring(value),
                    };
                    (name, value)
                };
                Value::Object(fields.into_iter().map(field).collect())
            }
            Value::Array(items) => items.into_iter().map(|item| self.referring(item)).collect(),
            other => other,
        }
    }

    /// What the document says of the whole API in API Gateway's own words.
    fn put_extensions(&self, document: &mut Value) {
        let mut validators: Vec<_> = self.beside.request_validators.iter().collect();
        validators.sort_by(|a, b| a.name.cmp(&b.name));
        let validators = validators.into_iter().map(|validator| {
            let checks = json!({
                "validateRequestBody": validator.checks_body,
                "validateRequestParameters": validator.checks_parameters,
            });
            (validator.name.clone(), checks)
        });
        let responses = self.beside.gateway_responses.iter();
        let responses = responses.map(|response| (response.kind.clone(), gateway_response(response)));
        let policy = self.api.policy.as_deref().and_then(|policy| serde_json::from_str(policy).ok());
        let types = &self.api.binary_media_types;
        for (name, value) in [
            ("gateway-responses", filled(responses.collect())),
            ("request-validators", filled(validators.collect())),
            ("policy", policy),
            ("binary-media-types", (!types.is_empty()).then(|| json!(types))),
            ("minimum-compression-size", self.api.compression_bytes_min.map(Value::from)),
            ("api-key-source", Some(json!(rest_api::key_source(self.api).as_str()))),
        ] {
            put(document, &format!("x-amazon-apigateway-{name}"), value);
        }
    }
}

fn gateway_response(response: &GatewayResponse) -> Value {
    let mut described = Value::Object(Map::new());
    put(&mut described, "statusCode", response.status.clone().map(Value::from));
    put(&mut described, "responseParameters", texts(&response.parameters));
    put(&mut described, "responseTemplates", texts(&response.templates));
    described
}

/// Puts a member that has a value.
fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object[name] = value;
    }
}

/// An object that has members.
fn filled(object: Map<String, Value>) -> Option<Value> {
    (!object.is_empty()).then_some(Value::Object(object))
}

/// Texts by name, if there are any.
fn texts(texts: &crate::table::Texts) -> Option<Value> {
    (!texts.is_empty()).then(|| json!(texts))
}
