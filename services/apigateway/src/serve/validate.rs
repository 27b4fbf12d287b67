//! The check of requests before their integrations: parameters that must be there, and bodies that must be
//! what a model describes.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html>

use std::collections::BTreeMap;

use jsonschema::{Draft, Validator};
use serde_json::Value;

use super::answer::Refusal;
use super::expression::{Expression, Origin};
use super::media_type;
use crate::sample;
use crate::table::{Method, Model, RequestValidator};

/// What of a body is said to be wrong.
const ERRORS_MAX: usize = 10;

/// The check of a method's requests, ready.
pub(crate) struct Validation {
    /// Names of required parameters, and where they are.
    required: Vec<(String, Expression)>,
    /// By media types; nothing where a model is no schema.
    schemas: BTreeMap<String, Option<Validator>>,
}

impl Validation {
    /// Nothing where the method asks for no check.
    pub(crate) fn new(method: &Method, validators: &[RequestValidator], models: &[Model]) -> Option<Self> {
        let id = method.request_validator.as_ref()?;
        let validator = validators.iter().find(|validator| validator.id == *id)?;
        let required = method.request_parameters.iter().filter(|(_, required)| **required);
        let required = required.filter_map(|(name, _)| {
            let (_, called) = name.strip_prefix("method.request.")?.split_once('.')?;
            Some((called.to_owned(), Expression::of_request(name)?))
        });
        let schemas = method.request_models.iter();
        let schemas = schemas.map(|(kind, model)| (kind.to_ascii_lowercase(), schema(model, models)));
        Some(Self {
            required: if validator.checks_parameters { required.collect() } else { Vec::new() },
            schemas: if validator.checks_body { schemas.collect() } else { BTreeMap::new() },
        })
    }

    pub(crate) fn check(&self, origin: &Origin<'_>) -> Result<(), Refusal> {
        let is_missing =
            |expression: &Expression| expression.find(origin).is_none_or(|value| value.is_empty());
        let missing = self.required.iter().filter(|(_, expression)| is_missing(expression));
        let missing: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
        if !missing.is_empty() {
            return Err(Refusal::BadParameters(missing.join(", ")));
        }
        let kind = media_type(origin.headers).unwrap_or("application/json").to_ascii_lowercase();
        let Some(schema) = self.schemas.get(&kind) else { return Ok(()) };
        let schema = schema.as_ref().ok_or(Refusal::InternalError)?;
        let Ok(document) = serde_json::from_slice::<Value>(origin.body) else {
            return Err(Refusal::BadRequestBody("[Invalid JSON]".into()));
        };
        let wrong: Vec<String> = schema
            .iter_errors(&document)
            .take(ERRORS_MAX)
            .map(|error| match error.instance_path().as_str() {
                "" => error.to_string(),
                place => format!("{place}: {error}"),
            })
            .collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(Refusal::BadRequestBody(format!("[{}]", wrong.join(", "))))
        }
    }
}

fn schema(name: &str, models: &[Model]) -> Option<Validator> {
    let model = models.iter().find(|model| model.name == name)?;
    let schema: Value = serde_json::from_str(model.schema.as_deref()?).ok()?;
    // References to models are resolved here; a schema reaches nothing else.
    let schema = sample::flattened(&schema, models);
    let built = jsonschema::options().with_draft(Draft::Draft4).build(&schema);
    built.map_err(|error| tracing::warn!(%error, name, "a model is no schema")).ok()
}
