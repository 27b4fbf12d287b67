//! `AWS::ApiGateway::Method`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::SERVICE;
use crate::resource::{Calls, Created, Done, Kind, Wanted, items, lowered, property, required};
use crate::template::Object;

pub(crate) struct Method;

#[async_trait]
impl Kind for Method {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::Method"
    }

    /// What the operations do not accept, they refuse by name.
    fn properties(&self) -> &'static [&'static str] {
        &[
            "ApiKeyRequired",
            "AuthorizationScopes",
            "AuthorizationType",
            "AuthorizerId",
            "HttpMethod",
            "Integration",
            "MethodResponses",
            "OperationName",
            "RequestModels",
            "RequestParameters",
            "RequestValidatorId",
            "ResourceId",
            "RestApiId",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["HttpMethod", "ResourceId", "RestApiId"]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let found = calls.find(SERVICE, "GetMethod", place(wanted.properties)?).await?;
        Ok(found.map(|_| wanted.name.to_owned()).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let properties = wanted.properties;
        let place = place(properties)?;
        put_method(calls, &place, properties).await?;
        Ok(Created::new(wanted.name, json!({})))
    }

    /// The method is put anew; deployments keep serving the old one until the next is made.
    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        self.delete(calls, physical, old).await?;
        put_method(calls, &place(wanted.properties)?, wanted.properties).await?;
        Ok(Created::new(physical, json!({})))
    }

    async fn delete(&self, calls: &Calls<'_>, _physical: &str, properties: &Object) -> Done<()> {
        calls.gone(SERVICE, "DeleteMethod", place(properties)?).await
    }
}

/// The three members that name a method.
fn place(properties: &Object) -> Done<Value> {
    Ok(json!({
        "restApiId": required(properties, "RestApiId")?,
        "resourceId": required(properties, "ResourceId")?,
        "httpMethod": required(properties, "HttpMethod")?,
    }))
}

fn at(place: &Value, members: Value) -> Value {
    let mut input = place.clone();
    for (name, value) in members.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    input
}

async fn put_method(calls: &Calls<'_>, place: &Value, properties: &Object) -> Done<()> {
    let method = json!({
        "authorizationType": properties.get("AuthorizationType").cloned().unwrap_or_else(|| json!("NONE")),
        "authorizerId": property(properties, "AuthorizerId"),
        "apiKeyRequired": property(properties, "ApiKeyRequired"),
        "operationName": property(properties, "OperationName"),
        "requestParameters": property(properties, "RequestParameters"),
        "requestModels": property(properties, "RequestModels"),
        "requestValidatorId": property(properties, "RequestValidatorId"),
        "authorizationScopes": property(properties, "AuthorizationScopes"),
    });
    calls.call(SERVICE, "PutMethod", at(place, method)).await?;
    for response in items(properties, "MethodResponses") {
        calls.call(SERVICE, "PutMethodResponse", at(place, with_text_status(response))).await?;
    }
    let Some(integration) = properties.get("Integration").and_then(Value::as_object) else { return Ok(()) };
    let mut members = json!({});
    for (name, value) in integration.iter().filter(|(name, _)| *name != "IntegrationResponses") {
        let member = match name.as_str() {
            "IntegrationHttpMethod" => "integrationHttpMethod".to_owned(),
            other => lowered(other),
        };
        members[member] = value.clone();
    }
    calls.call(SERVICE, "PutIntegration", at(place, members)).await?;
    for response in items(integration, "IntegrationResponses") {
        calls.call(SERVICE, "PutIntegrationResponse", at(place, with_text_status(response))).await?;
    }
    Ok(())
}

/// Members in lower camel case; a status written as a number becomes text.
fn with_text_status(response: &Value) -> Value {
    let fields = response.as_object().into_iter().flatten();
    let mut members: Object = fields.map(|(name, value)| (lowered(name), value.clone())).collect();
    if let Some(Value::Number(status)) = members.get("statusCode") {
        let status = json!(status.to_string());
        members.insert("statusCode".into(), status);
    }
    Value::Object(members)
}
