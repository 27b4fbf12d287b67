//! Who may call, as security schemes and what of them an operation requires.

use serde_json::{Map, Value, json};

use super::{Exported, put};
use crate::table::{Authorization, Authorizer, AuthorizerKind, Method};

const SIGNED: &str = "sigv4";
const KEY: &str = "api_key";

/// What an operation requires.
pub(super) fn of(exported: &Exported<'_>, method: &Method) -> Option<Value> {
    let scheme = match &method.authorization {
        Authorization::None => None,
        Authorization::AwsIam => Some(SIGNED),
        Authorization::Custom(id) => {
            let authorizers = exported.beside.authorizers.iter();
            authorizers.filter(|one| one.id == *id).map(|one| one.name.as_str()).next()
        }
    };
    let key = method.api_key_required.then_some(KEY);
    let required: Vec<Value> = scheme.into_iter().chain(key).map(|name| json!({ name: [] })).collect();
    (!required.is_empty()).then_some(Value::Array(required))
}

/// The schemes that the API's methods know.
pub(super) fn schemes(exported: &Exported<'_>) -> Map<String, Value> {
    let methods = || exported.resources.iter().flat_map(|resource| resource.methods.values());
    let mut schemes = Map::new();
    if methods().any(|method| method.api_key_required) {
        schemes.insert(KEY.to_owned(), header("x-api-key"));
    }
    if methods().any(|method| method.authorization == Authorization::AwsIam) {
        let mut scheme = header("Authorization");
        scheme["x-amazon-apigateway-authtype"] = json!("awsSigv4");
        schemes.insert(SIGNED.to_owned(), scheme);
    }
    let mut authorizers: Vec<_> = exported.beside.authorizers.iter().collect();
    authorizers.sort_by(|a, b| a.name.cmp(&b.name));
    for authorizer in authorizers {
        schemes.insert(authorizer.name.clone(), self::authorizer(exported, authorizer));
    }
    schemes
}

fn header(name: &str) -> Value {
    json!({ "type": "apiKey", "name": name, "in": "header" })
}

fn authorizer(exported: &Exported<'_>, authorizer: &Authorizer) -> Value {
    let source = authorizer.identity_source.as_deref();
    let token = source.and_then(|source| source.strip_prefix("method.request.header."));
    let token = token.filter(|_| authorizer.kind == AuthorizerKind::Token);
    let mut scheme = header(token.unwrap_or("Unused"));
    scheme["x-amazon-apigateway-authtype"] = json!(authorizer.auth_type.as_deref().unwrap_or("custom"));
    if !exported.extensions.authorizers {
        return scheme;
    }
    let kind = match authorizer.kind {
        AuthorizerKind::Token => "token",
        AuthorizerKind::Request => "request",
    };
    let mut extension = json!({
        "type": kind,
        "authorizerUri": authorizer.uri,
        "authorizerResultTtlInSeconds": authorizer.result_ttl_seconds,
    });
    put(&mut extension, "authorizerCredentials", authorizer.credentials.clone().map(Value::from));
    put(&mut extension, "identitySource", source.map(Value::from));
    let validation = authorizer.identity_validation.clone().map(Value::from);
    put(&mut extension, "identityValidationExpression", validation);
    scheme["x-amazon-apigateway-authorizer"] = extension;
    scheme
}
