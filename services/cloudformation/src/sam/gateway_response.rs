//! `GatewayResponses` of an API: what refused requests are told, in its definition.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-gatewayresponseobject.html>

use serde_json::{Value, json};

use super::{check_properties, refused};
use crate::template::{Checked, Object, object};

/// Adds the responses to a definition.
pub(super) fn add(api: &str, body: &mut Value, responses: &Value) -> Checked<()> {
    for (kind, response) in object(responses, "GatewayResponses must be a map")? {
        let response = object(response, "A gateway response must be a map")?;
        check_properties(api, response, &["ResponseParameters", "ResponseTemplates", "StatusCode"])?;
        let mut described = json!({
            "responseParameters": parameters(api, response)?,
            "responseTemplates": response.get("ResponseTemplates").cloned().unwrap_or_else(|| json!({})),
        });
        if let Some(status) = response.get("StatusCode") {
            described["statusCode"] = status.clone();
        }
        body["x-amazon-apigateway-gateway-responses"][kind] = described;
    }
    Ok(())
}

fn parameters(api: &str, response: &Object) -> Checked<Value> {
    let none = json!({});
    let parameters = response.get("ResponseParameters").unwrap_or(&none);
    let parameters = object(parameters, "ResponseParameters must be a map")?;
    check_properties(api, parameters, &["Headers"])?;
    let headers = object(parameters.get("Headers").unwrap_or(&none), "Headers must be a map")?;
    if headers.values().any(|value| !value.is_string() && !value.is_object()) {
        return Err(refused(api, "Headers of a gateway response must be strings"));
    }
    Ok(headers
        .iter()
        .map(|(name, value)| (format!("gatewayresponse.header.{name}"), value.clone()))
        .collect())
}
