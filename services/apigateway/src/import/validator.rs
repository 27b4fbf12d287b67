//! From a document's validators to those of an API.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-request-validators.html>

use pagoda_base::{Random, ids};
use pagoda_protocol::ApiError;
use serde_json::{Map, Value};

use super::fields;
use crate::edit::bad_request;
use crate::request_validator::ID_CHARS;
use crate::table::RequestValidator;

const ONE: &str = "x-amazon-apigateway-request-validator";
const ALL: &str = "x-amazon-apigateway-request-validators";

/// The validators, and the one of operations that name none.
pub(super) struct Validators {
    validators: Vec<RequestValidator>,
    default: Option<String>,
}

impl Validators {
    /// The document's validators and what is there; those of the same name keep their ids.
    pub(super) fn read(
        document: &Value,
        present: Vec<RequestValidator>,
        random: &dyn Random,
    ) -> Result<Self, ApiError> {
        let mut validators = present;
        for (name, described) in document.get(ALL).map(fields).transpose()?.into_iter().flatten() {
            let flag = |field: &str| described.get(field).and_then(Value::as_bool).unwrap_or_default();
            let present = validators.iter().position(|validator| validator.name == *name);
            let id = present.map(|at| validators.remove(at).id);
            validators.push(RequestValidator {
                id: id.unwrap_or_else(|| ids::short_id(ID_CHARS, random)),
                name: name.clone(),
                checks_body: flag("validateRequestBody"),
                checks_parameters: flag("validateRequestParameters"),
            });
        }
        let default = document.get(ONE).and_then(Value::as_str).map(str::to_owned);
        Ok(Self { validators, default })
    }

    /// The id of the validator of an operation.
    pub(super) fn of(&self, operation: &Map<String, Value>) -> Result<Option<String>, ApiError> {
        let name = operation.get(ONE).and_then(Value::as_str).or(self.default.as_deref());
        let Some(name) = name else { return Ok(None) };
        let found = self.validators.iter().find(|validator| validator.name == name);
        let missing = || bad_request(format!("Invalid OpenAPI input: there is no request validator {name}"));
        found.map(|validator| Some(validator.id.clone())).ok_or_else(missing)
    }

    pub(super) fn done(self) -> Vec<RequestValidator> {
        self.validators
    }
}
