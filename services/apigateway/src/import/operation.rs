//! From an operation of a document to a method.

use std::collections::BTreeMap;

use pagoda_protocol::ApiError;
use serde_json::{Map, Value};

use super::integration;
use super::model::Models;
use super::security::Security;
use super::validator::Validators;
use super::{fields, refuse_others};
use crate::edit::bad_request;
use crate::method_response;
use crate::table::{Method, MethodResponse, Texts};

/// Extensions of an operation that act.
const EXTENSIONS: [&str; 3] =
    ["x-amazon-apigateway-auth", "x-amazon-apigateway-integration", "x-amazon-apigateway-request-validator"];
const JSON: &str = "application/json";

/// An operation, and where in its document it stands.
pub(super) struct Operation<'d> {
    pub(super) document: &'d Value,
    pub(super) path: &'d str,
    pub(super) verb: &'d str,
    /// The path's own fields, which hold for all of its operations.
    pub(super) item: &'d Map<String, Value>,
    pub(super) fields: &'d Map<String, Value>,
}

impl Operation<'_> {
    pub(super) fn read(
        &self,
        security: &Security<'_>,
        models: &mut Models,
        validators: &Validators,
    ) -> Result<Method, ApiError> {
        refuse_others(self.fields, &EXTENSIONS, "")?;
        let guard = security.of(self.fields)?;
        let mut method = Method {
            authorization: guard.authorization,
            api_key_required: guard.needs_key,
            operation_name: self.fields.get("operationId").and_then(Value::as_str).map(str::to_owned),
            request_parameters: BTreeMap::new(),
            request_models: self.request_models(models)?,
            request_validator: validators.of(self.fields)?,
            responses: BTreeMap::new(),
            integration: None,
        };
        for parameter in self.parameters()? {
            if let Some((name, required)) = declared(parameter)? {
                method.request_parameters.insert(name, required);
            }
        }
        for (status, response) in self.fields.get("responses").map(fields).transpose()?.into_iter().flatten()
        {
            if status != "default" {
                let response = self.response(status, response, models)?;
                method_response::check(status, &response)?;
                method.responses.insert(status.clone(), response);
            }
        }
        if let Some(integration) = self.fields.get("x-amazon-apigateway-integration") {
            method.integration = Some(integration::read(fields(integration)?, &mut method.responses)?);
        }
        Ok(method)
    }

    /// The parameters of the path and of the operation, with references resolved.
    fn parameters(&self) -> Result<Vec<&Value>, ApiError> {
        let lists = [self.item.get("parameters"), self.fields.get("parameters")];
        let all = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
        all.map(|parameter| self.resolved(parameter)).collect()
    }

    /// What a reference within the document names; anything else itself.
    fn resolved<'v>(&'v self, value: &'v Value) -> Result<&'v Value, ApiError> {
        let Some(place) = value.get("$ref").and_then(Value::as_str) else { return Ok(value) };
        let found = place.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
        found.ok_or_else(|| bad_request(format!("Invalid OpenAPI input: {place} does not exist")))
    }

    /// Models of bodies: of Swagger's parameter `body`, or of OpenAPI's contents.
    fn request_models(&self, models: &mut Models) -> Result<Texts, ApiError> {
        let called = format!("{} {} request", self.verb, self.path);
        if let Some(body) = self.fields.get("requestBody") {
            return contents(self.resolved(body)?, &called, models);
        }
        for parameter in self.parameters()? {
            if parameter.get("in").and_then(Value::as_str) == Some("body")
                && let Some(schema) = parameter.get("schema")
            {
                let model = models.of(schema, &called)?;
                return Ok(self.kinds("consumes").into_iter().map(|kind| (kind, model.clone())).collect());
            }
        }
        Ok(Texts::new())
    }

    fn response(
        &self,
        status: &str,
        response: &Value,
        models: &mut Models,
    ) -> Result<MethodResponse, ApiError> {
        let response = self.resolved(response)?;
        let headers = response.get("headers").map(fields).transpose()?;
        let headers =
            headers.into_iter().flatten().map(|(name, _)| (format!("method.response.header.{name}"), false));
        let called = format!("{} {} {status} response", self.verb, self.path);
        let models = match response.get("schema") {
            None => contents(response, &called, models)?,
            Some(schema) => {
                let model = models.of(schema, &called)?;
                self.kinds("produces").into_iter().map(|kind| (kind, model.clone())).collect()
            }
        };
        Ok(MethodResponse { parameters: headers.collect(), models })
    }

    /// The media types that Swagger names for the operation, or for the document.
    fn kinds(&self, field: &str) -> Vec<String> {
        let named = self.fields.get(field).or_else(|| self.document.get(field)).and_then(Value::as_array);
        let kinds: Vec<String> =
            named.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        if kinds.is_empty() { vec![JSON.to_owned()] } else { kinds }
    }
}

/// `content` of OpenAPI: a schema by media type.
fn contents(described: &Value, called: &str, models: &mut Models) -> Result<Texts, ApiError> {
    let mut read = Texts::new();
    for (kind, content) in described.get("content").map(fields).transpose()?.into_iter().flatten() {
        if let Some(schema) = content.get("schema") {
            read.insert(kind.clone(), models.of(schema, called)?);
        }
    }
    Ok(read)
}

/// What a request can bear, and whether it must: those that the front door tells apart. Bodies are matters
/// of models; forms and cookies are passed on.
fn declared(parameter: &Value) -> Result<Option<(String, bool)>, ApiError> {
    let text = |field: &str| parameter.get(field).and_then(Value::as_str);
    let place = match text("in") {
        Some(place @ ("header" | "path")) => place,
        Some("query") => "querystring",
        _ => return Ok(None),
    };
    let name = text("name").ok_or_else(|| bad_request("Invalid OpenAPI input: a parameter has no name"))?;
    let required = parameter.get("required").and_then(Value::as_bool).unwrap_or_default();
    Ok(Some((format!("method.request.{place}.{name}"), required)))
}
