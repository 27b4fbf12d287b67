//! `AWS::ApiGateway::Authorizer`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Patched, SERVICE, called, patch, patches};
use crate::resource::{Calls, Created, Done, Kind, Wanted, lower_camel, required};
use crate::template::Object;

pub(crate) struct Authorizer;

const PATCHED: [Patched; 8] = [
    ("Name", "/name", ""),
    ("Type", "/type", ""),
    ("AuthType", "/authType", ""),
    ("AuthorizerUri", "/authorizerUri", ""),
    ("AuthorizerCredentials", "/authorizerCredentials", ""),
    ("IdentitySource", "/identitySource", ""),
    ("IdentityValidationExpression", "/identityValidationExpression", ""),
    ("AuthorizerResultTtlInSeconds", "/authorizerResultTtlInSeconds", "300"),
];

#[async_trait]
impl Kind for Authorizer {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::Authorizer"
    }

    /// What the operation does not accept, it refuses by name.
    fn properties(&self) -> &'static [&'static str] {
        &[
            "AuthType",
            "AuthorizerCredentials",
            "AuthorizerResultTtlInSeconds",
            "AuthorizerUri",
            "IdentitySource",
            "IdentityValidationExpression",
            "Name",
            "ProviderARNs",
            "RestApiId",
            "Type",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["ProviderARNs", "RestApiId"]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let name = wanted.properties.get("Name").and_then(Value::as_str);
        called(calls, "GetAuthorizers", wanted.properties, name).await
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let input = lower_camel(&Value::Object(wanted.properties.clone()));
        let authorizer = calls.call(SERVICE, "CreateAuthorizer", input).await?;
        Ok(made(authorizer["id"].as_str().unwrap_or_default()))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let place = place(wanted.properties, physical)?;
        patch(calls, "UpdateAuthorizer", place, patches(old, wanted.properties, &PATCHED)).await?;
        Ok(made(physical))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        calls.gone(SERVICE, "DeleteAuthorizer", place(properties, physical)?).await
    }
}

fn place(properties: &Object, id: &str) -> Done<Value> {
    Ok(json!({ "restApiId": required(properties, "RestApiId")?, "authorizerId": id }))
}

fn made(id: &str) -> Created {
    Created::new(id, json!({ "AuthorizerId": id }))
}
