//! `AWS::ApiGateway::ApiKey`.

use async_trait::async_trait;
use serde_json::json;

use super::{Patched, SERVICE, marked, patch, patches, retag};
use crate::resource::tag::map;
use crate::resource::{Calls, Created, Done, Kind, RESERVED, Wanted, named, property};
use crate::template::Object;

pub(crate) struct ApiKey;

const PATCHED: [Patched; 3] = [
    ("CustomerId", "/customerId", ""),
    ("Description", "/description", ""),
    ("Enabled", "/enabled", "false"),
];

#[async_trait]
impl Kind for ApiKey {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::ApiKey"
    }

    /// What the operation does not accept, it refuses by name.
    fn properties(&self) -> &'static [&'static str] {
        &["CustomerId", "Description", "Enabled", "GenerateDistinctId", "Name", "StageKeys", "Tags", "Value"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["GenerateDistinctId", "Name", "StageKeys", "Value"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        marked(self, calls, "GetApiKeys", wanted).await
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let properties = wanted.properties;
        let input = json!({
            "name": named(wanted, "Name"),
            "description": property(properties, "Description"),
            "customerId": property(properties, "CustomerId"),
            "enabled": property(properties, "Enabled"),
            "generateDistinctId": property(properties, "GenerateDistinctId"),
            "stageKeys": property(properties, "StageKeys"),
            "value": property(properties, "Value"),
            "tags": map(properties),
        });
        let key = calls.call(SERVICE, "CreateApiKey", input).await?;
        Ok(made(key["id"].as_str().unwrap_or_default()))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let patches = patches(old, wanted.properties, &PATCHED);
        patch(calls, "UpdateApiKey", json!({ "apiKey": physical }), patches).await?;
        retag(calls, &format!("/apikeys/{physical}"), old, wanted.properties).await?;
        Ok(made(physical))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone(SERVICE, "DeleteApiKey", json!({ "apiKey": physical })).await
    }
}

fn made(id: &str) -> Created {
    Created::new(id, json!({ "APIKeyId": id }))
}
