//! From a method to an operation of a document.

use serde_json::{Map, Value, json};

use super::{Dialect, Exported, filled, integration, put, security};
use crate::table::{Method, MethodResponse, Resource, Texts};

pub(super) fn operation(exported: &Exported<'_>, resource: &Resource, method: &Method) -> Value {
    let mut operation = Value::Object(Map::new());
    put(&mut operation, "operationId", method.operation_name.clone().map(Value::from));
    let mut parameters = parameters(exported.dialect, method);
    match exported.dialect {
        Dialect::Swagger => {
            let kinds: Vec<&String> = method.request_models.keys().collect();
            put(&mut operation, "consumes", (!kinds.is_empty()).then(|| json!(kinds)));
            let mut kinds: Vec<&String> =
                method.responses.values().flat_map(|one| one.models.keys()).collect();
            kinds.sort();
            kinds.dedup();
            put(&mut operation, "produces", (!kinds.is_empty()).then(|| json!(kinds)));
            // Swagger knows one schema for all media types.
            parameters.extend(method.request_models.values().next().map(|model| {
                let schema = schema(exported.dialect, model);
                json!({ "in": "body", "name": model, "required": true, "schema": schema })
            }));
        }
        Dialect::OpenApi => {
            let contents = contents(&method.request_models);
            let body = contents.map(|contents| json!({ "content": contents, "required": true }));
            put(&mut operation, "requestBody", body);
        }
    }
    put(&mut operation, "parameters", (!parameters.is_empty()).then_some(Value::Array(parameters)));
    let responses = method.responses.iter();
    let responses = responses.map(|(status, own)| (status.clone(), response(exported.dialect, status, own)));
    operation["responses"] = Value::Object(responses.collect());
    put(&mut operation, "security", security::of(exported, method));
    if exported.extensions.all {
        let validators = exported.beside.request_validators.iter();
        let mut validators = validators.filter(|one| Some(&one.id) == method.request_validator.as_ref());
        let name = validators.next().map(|validator| json!(validator.name));
        put(&mut operation, "x-amazon-apigateway-request-validator", name);
    }
    if exported.extensions.integrations {
        let integration = method.integration.as_ref();
        let integration = integration.map(|integration| integration::describe(resource, integration));
        put(&mut operation, "x-amazon-apigateway-integration", integration);
    }
    operation
}

fn parameters(dialect: Dialect, method: &Method) -> Vec<Value> {
    let declared = method.request_parameters.iter().filter_map(|(name, required)| {
        let (place, name) = name.strip_prefix("method.request.")?.split_once('.')?;
        let place = if place == "querystring" { "query" } else { place };
        let is_required = *required || place == "path";
        let mut parameter = json!({ "name": name, "in": place, "required": is_required });
        match dialect {
            Dialect::Swagger => parameter["type"] = json!("string"),
            Dialect::OpenApi => parameter["schema"] = json!({ "type": "string" }),
        }
        Some(parameter)
    });
    declared.collect()
}

fn response(dialect: Dialect, status: &str, response: &MethodResponse) -> Value {
    let mut described = json!({ "description": format!("{status} response") });
    let header = match dialect {
        Dialect::Swagger => json!({ "type": "string" }),
        Dialect::OpenApi => json!({ "schema": { "type": "string" } }),
    };
    let names = response.parameters.keys().filter_map(|name| name.strip_prefix("method.response.header."));
    put(&mut described, "headers", filled(names.map(|name| (name.to_owned(), header.clone())).collect()));
    match dialect {
        Dialect::Swagger => {
            let model = response.models.values().next();
            put(&mut described, "schema", model.map(|model| schema(dialect, model)));
        }
        Dialect::OpenApi => put(&mut described, "content", contents(&response.models)),
    }
    described
}

/// OpenAPI's schema by media type.
fn contents(models: &Texts) -> Option<Value> {
    let content = |(kind, model): (&String, &String)| {
        (kind.clone(), json!({ "schema": schema(Dialect::OpenApi, model) }))
    };
    filled(models.iter().map(content).collect())
}

fn schema(dialect: Dialect, model: &str) -> Value {
    json!({ "$ref": format!("{}{model}", dialect.schemas()) })
}
