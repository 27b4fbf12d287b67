//! `AWS::ApiGateway::RestApi`.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{SERVICE, retag};
use crate::resource::tag::{is_marked, map};
use crate::resource::{Calls, Created, Done, Kind, RESERVED, Wanted, document, items, lower_camel, property};
use crate::template::Object;

pub(crate) struct RestApi;

#[async_trait]
impl Kind for RestApi {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::RestApi"
    }

    fn properties(&self) -> &'static [&'static str] {
        &[
            "BinaryMediaTypes",
            "Body",
            "Description",
            "DisableExecuteApiEndpoint",
            "EndpointConfiguration",
            "Name",
            "Policy",
            "Tags",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["EndpointConfiguration"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let input = json!({ "limit": 500 });
        let apis = calls.list(SERVICE, "GetRestApis", input, ["items", "position", "position"]).await?;
        let own = apis.iter().filter(|api| is_marked(self, wanted.properties, &api["tags"]));
        Ok(own.filter_map(|api| api["id"].as_str()).map(str::to_owned).collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let properties = wanted.properties;
        let title = properties.get("Body").and_then(|body| body.pointer("/info/title"));
        let input = json!({
            "name": properties.get("Name").or(title).cloned().unwrap_or_else(|| json!(wanted.name)),
            "description": property(properties, "Description"),
            "binaryMediaTypes": media_types(properties),
            "endpointConfiguration": lower_camel(&property(properties, "EndpointConfiguration")),
            "policy": document(&property(properties, "Policy")),
            "tags": map(properties),
            "disableExecuteApiEndpoint": property(properties, "DisableExecuteApiEndpoint"),
        });
        let api = calls.call(SERVICE, "CreateRestApi", input).await?;
        let id = api["id"].as_str().unwrap_or_default().to_owned();
        define(calls, &id, properties).await?;
        Ok(of_api(&id, &api))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let new = wanted.properties;
        let mut patches = Vec::new();
        for (field, path) in [
            ("Name", "/name"),
            ("Description", "/description"),
            ("Policy", "/policy"),
            ("DisableExecuteApiEndpoint", "/disableExecuteApiEndpoint"),
        ] {
            if old.get(field) != new.get(field) {
                let value = match new.get(field) {
                    Some(value) => document(value),
                    None if field == "DisableExecuteApiEndpoint" => json!("false"),
                    None => json!(""),
                };
                patches.push(json!({ "op": "replace", "path": path, "value": value }));
            }
        }
        let (before, after) = (items(old, "BinaryMediaTypes"), items(new, "BinaryMediaTypes"));
        let patch = |op: &str, kind: &Value| {
            let escaped =
                kind.as_str().unwrap_or_default().replace("~1", "/").replace('~', "~0").replace('/', "~1");
            json!({ "op": op, "path": format!("/binaryMediaTypes/{escaped}") })
        };
        patches.extend(before.iter().filter(|kind| !after.contains(kind)).map(|kind| patch("remove", kind)));
        patches.extend(after.iter().filter(|kind| !before.contains(kind)).map(|kind| patch("add", kind)));
        if !patches.is_empty() {
            let input = json!({ "restApiId": physical, "patchOperations": patches });
            calls.call(SERVICE, "UpdateRestApi", input).await?;
        }
        if old.get("Body") != new.get("Body") {
            define(calls, physical, new).await?;
        }
        retag(calls, &format!("/restapis/{physical}"), old, new).await?;
        let api = calls.call(SERVICE, "GetRestApi", json!({ "restApiId": physical })).await?;
        Ok(of_api(physical, &api))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone(SERVICE, "DeleteRestApi", json!({ "restApiId": physical })).await
    }
}

fn media_types(properties: &Object) -> Value {
    let types = items(properties, "BinaryMediaTypes").iter().filter_map(Value::as_str);
    types.map(|kind| json!(kind.replace("~1", "/"))).collect()
}

async fn define(calls: &Calls<'_>, id: &str, properties: &Object) -> Done<()> {
    if let Some(body) = properties.get("Body") {
        let input =
            json!({ "restApiId": id, "mode": "overwrite", "body": STANDARD.encode(body.to_string()) });
        calls.call(SERVICE, "PutRestApi", input).await?;
    }
    Ok(())
}

fn of_api(id: &str, api: &Value) -> Created {
    Created::new(id, json!({ "RestApiId": id, "RootResourceId": api["rootResourceId"] }))
}
