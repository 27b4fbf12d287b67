//! Security schemes of a definition: what of them guards which operation.

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use serde_json::{Map, Value};

use super::fields;
use crate::edit::bad_request;
use crate::table::{Authorization, Authorizer, AuthorizerKind};
use crate::{ApiGateway, authorizer, method};

/// The schemes of a document and the authorizers among them.
pub(super) struct Security<'d> {
    schemes: Option<&'d Map<String, Value>>,
    /// For operations that say nothing themselves.
    default: Option<&'d Value>,
    pub(super) authorizers: Vec<Authorizer>,
}

impl<'d> Security<'d> {
    /// Authorizers that were there before keep their ids, by their names.
    pub(super) fn read(
        gateway: &ApiGateway,
        document: &'d Value,
        present: &[Authorizer],
    ) -> Result<Self, ApiError> {
        let schemes = document.get("securityDefinitions").or(document.pointer("/components/securitySchemes"));
        let schemes = schemes.map(fields).transpose()?;
        let mut authorizers = Vec::new();
        for (name, scheme) in schemes.into_iter().flatten() {
            let Some(extension) = scheme.get("x-amazon-apigateway-authorizer") else { continue };
            let mut authorizer = read(name, scheme, fields(extension)?)?;
            let known = present.iter().find(|one| one.name == *name);
            authorizer.id = known.map_or_else(
                || ids::short_id(authorizer::ID_CHARS, &*gateway.ports.random),
                |one| one.id.clone(),
            );
            authorizer::check(&authorizer)?;
            authorizers.push(authorizer);
        }
        Ok(Self { schemes, default: document.get("security"), authorizers })
    }

    /// Who may call an operation. `AWS_IAM` is a scheme with `x-amazon-apigateway-authtype: awsSigv4`.
    pub(super) fn of(&self, operation: &Map<String, Value>) -> Result<Guard, ApiError> {
        let mut guard = Guard { authorization: Authorization::None, needs_key: false };
        let auth = operation.get("x-amazon-apigateway-auth").and_then(|auth| auth.get("type"));
        match auth.map(|auth| auth.as_str().unwrap_or_default()) {
            None | Some("CUSTOM") => {}
            Some(other) => {
                guard.authorization = method::authorization(other, None)?;
                return Ok(guard);
            }
        }
        let required = operation.get("security").or(self.default).and_then(Value::as_array);
        let names = required.into_iter().flatten().filter_map(Value::as_object).flat_map(Map::keys);
        for name in names {
            match self.named(name)? {
                Some(authorization) => guard.authorization = authorization,
                None => guard.needs_key = true,
            }
        }
        Ok(guard)
    }

    /// What a scheme stands for; nothing for API keys, which authorize nobody.
    fn named(&self, name: &str) -> Result<Option<Authorization>, ApiError> {
        if let Some(authorizer) = self.authorizers.iter().find(|one| one.name == name) {
            return Ok(Some(Authorization::Custom(authorizer.id.clone())));
        }
        let scheme = self.schemes.and_then(|schemes| schemes.get(name));
        let text = |field: &str| scheme.and_then(|scheme| scheme.get(field)).and_then(Value::as_str);
        match text("x-amazon-apigateway-authtype") {
            Some("awsSigv4") => Ok(Some(Authorization::AwsIam)),
            None if text("type") == Some("apiKey")
                && text("name").is_some_and(|header| header.eq_ignore_ascii_case("x-api-key")) =>
            {
                Ok(None)
            }
            _ => Err(ApiError::not_implemented("PutRestApi", &format!("security {name}"))),
        }
    }
}

/// What guards an operation.
pub(super) struct Guard {
    pub(super) authorization: Authorization,
    pub(super) needs_key: bool,
}

/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html>
fn read(name: &str, scheme: &Value, extension: &Map<String, Value>) -> Result<Authorizer, ApiError> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut read = Authorizer {
        id: String::new(),
        name: name.to_owned(),
        kind: AuthorizerKind::Token,
        auth_type: scheme.get("x-amazon-apigateway-authtype").and_then(text),
        uri: String::new(),
        credentials: None,
        identity_source: None,
        identity_validation: None,
        result_ttl_seconds: authorizer::TTL_SECONDS_DEFAULT,
    };
    for (field, value) in extension {
        match field.as_str() {
            "type" => read.kind = authorizer::kind(value.as_str().unwrap_or_default())?,
            "authorizerUri" => read.uri = text(value).unwrap_or_default(),
            "authorizerCredentials" => read.credentials = text(value),
            "identitySource" => read.identity_source = text(value),
            "identityValidationExpression" => read.identity_validation = text(value),
            "authorizerResultTtlInSeconds" => {
                let number = value.as_i64().and_then(|seconds| i32::try_from(seconds).ok());
                read.result_ttl_seconds = number
                    .ok_or_else(|| bad_request("Invalid OpenAPI input: authorizerResultTtlInSeconds"))?;
            }
            other => {
                return Err(ApiError::not_implemented("PutRestApi", &format!("authorizer field {other}")));
            }
        }
    }
    // A token is in the header that the scheme names.
    let header = scheme.get("name").and_then(Value::as_str);
    if let (AuthorizerKind::Token, None, Some(header)) = (read.kind, &read.identity_source, header) {
        read.identity_source = Some(format!("method.request.header.{header}"));
    }
    Ok(read)
}
