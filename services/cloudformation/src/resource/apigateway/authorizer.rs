//! `AWS::ApiGateway::Authorizer`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Patched, SERVICE, patches};
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
        let properties = wanted.properties;
        let input = json!({ "restApiId": required(properties, "RestApiId")?, "limit": 500 });
        let all = calls.list(SERVICE, "GetAuthorizers", input, ["items", "position", "position"]).await?;
        let same = |one: &&Value| properties.get("Name") == one.get("name");
        Ok(all.iter().filter(same).filter_map(|one| one["id"].as_str()).map(str::to_owned).collect())
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
        let new = wanted.properties;
        let patches = patches(old, new, &PATCHED);
        if !patches.is_empty() {
            let api = required(new, "RestApiId")?;
            let input = json!({ "restApiId": api, "authorizerId": physical, "patchOperations": patches });
            calls.call(SERVICE, "UpdateAuthorizer", input).await?;
        }
        Ok(made(physical))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        let input = json!({ "restApiId": required(properties, "RestApiId")?, "authorizerId": physical });
        calls.gone(SERVICE, "DeleteAuthorizer", input).await
    }
}

fn made(id: &str) -> Created {
    Created::new(id, json!({ "AuthorizerId": id }))
}
