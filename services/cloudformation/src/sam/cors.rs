//! `Cors` of an API: what answers a browser's question before it asks.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-corsconfiguration.html>

use serde_json::{Value, json};

use super::check_properties;
use crate::template::{Checked, Object};

/// Adds an `OPTIONS` method, answered by a mock, to every path that has none; guarded, if it is to be.
pub(super) fn add(name: &str, body: &mut Value, cors: &Value, authorizer: Option<&str>) -> Checked<()> {
    let text = |field: &str| match cors {
        Value::Object(fields) => fields.get(field).cloned(),
        origin if field == "AllowOrigin" => Some(origin.clone()),
        _ => None,
    };
    if let Value::Object(fields) = cors {
        check_properties(
            name,
            fields,
            &["AllowOrigin", "AllowMethods", "AllowHeaders", "MaxAge", "AllowCredentials"],
        )?;
    }
    let is_third = body.get("openapi").is_some();
    let paths = body.get_mut("paths").and_then(Value::as_object_mut);
    for (_, path) in paths.into_iter().flatten() {
        let Some(verbs) = path.as_object_mut() else { continue };
        if verbs.contains_key("options") {
            continue;
        }
        let own = if verbs.contains_key("x-amazon-apigateway-any-method") {
            "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT".to_owned()
        } else {
            let mut own: Vec<String> =
                verbs.keys().map(|verb| verb.to_ascii_uppercase()).chain(["OPTIONS".into()]).collect();
            own.sort_unstable();
            own.join(",")
        };
        let credentials =
            text("AllowCredentials").filter(|flag| *flag == json!(true)).map(|_| json!("'true'"));
        let headers = [
            ("Access-Control-Allow-Origin", text("AllowOrigin")),
            ("Access-Control-Allow-Methods", text("AllowMethods").or(Some(json!(format!("'{own}'"))))),
            ("Access-Control-Allow-Headers", text("AllowHeaders")),
            ("Access-Control-Max-Age", text("MaxAge")),
            ("Access-Control-Allow-Credentials", credentials),
        ];
        let headers: Vec<(&str, Value)> =
            headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let mut options = preflight(&headers, is_third);
        if let Some(authorizer) = authorizer {
            options["security"] = json!([{ authorizer: [] }]);
        }
        verbs.insert("options".into(), options);
    }
    Ok(())
}

fn preflight(headers: &[(&str, Value)], is_third: bool) -> Value {
    let text = json!({ "type": "string" });
    let declared = if is_third { json!({ "schema": text }) } else { text };
    let declared: Object = headers.iter().map(|(name, _)| ((*name).to_owned(), declared.clone())).collect();
    let parameters =
        headers.iter().map(|(name, value)| (format!("method.response.header.{name}"), value.clone()));
    let parameters: Object = parameters.collect();
    let mut options = json!({
        "summary": "CORS support",
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": { "application/json": "{\n  \"statusCode\" : 200\n}\n" },
            "responses": {
                "default": {
                    "statusCode": "200",
                    "responseParameters": parameters,
                    "responseTemplates": { "application/json": "{}\n" },
                },
            },
        },
        "responses": { "200": { "description": "Default response for CORS method", "headers": declared } },
    });
    if !is_third {
        options["consumes"] = json!(["application/json"]);
        options["produces"] = json!(["application/json"]);
    }
    options
}
