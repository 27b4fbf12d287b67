//! `AWS::ApiGateway::RestApi`.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{SERVICE, marked, patch, retag};
use crate::resource::tag::map;
use crate::resource::{
    Calls, Created, Done, Failure, Kind, RESERVED, Wanted, document, items, lower_camel, property, required,
};
use crate::template::Object;

/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const DEFINITION_BYTES_MAX: usize = 6 * 1024 * 1024;

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
            "BodyS3Location",
            "CloneFrom",
            "Description",
            "DisableExecuteApiEndpoint",
            "EndpointConfiguration",
            "MinimumCompressionSize",
            "Name",
            "Policy",
            "Tags",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["CloneFrom", "EndpointConfiguration"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        marked(self, calls, "GetRestApis", wanted).await
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let properties = wanted.properties;
        let title = properties.get("Body").and_then(|body| body.pointer("/info/title"));
        let input = json!({
            "name": properties.get("Name").or(title).cloned().unwrap_or_else(|| json!(wanted.name)),
            "cloneFrom": property(properties, "CloneFrom"),
            "description": property(properties, "Description"),
            "binaryMediaTypes": media_types(properties),
            "endpointConfiguration": lower_camel(&property(properties, "EndpointConfiguration")),
            "minimumCompressionSize": number(&property(properties, "MinimumCompressionSize")),
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
            ("MinimumCompressionSize", "/minimumCompressionSize"),
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
        let of = |op: &str, kind: &Value| {
            let escaped =
                kind.as_str().unwrap_or_default().replace("~1", "/").replace('~', "~0").replace('/', "~1");
            json!({ "op": op, "path": format!("/binaryMediaTypes/{escaped}") })
        };
        patches.extend(before.iter().filter(|kind| !after.contains(kind)).map(|kind| of("remove", kind)));
        patches.extend(after.iter().filter(|kind| !before.contains(kind)).map(|kind| of("add", kind)));
        patch(calls, "UpdateRestApi", json!({ "restApiId": physical }), patches).await?;
        if ["Body", "BodyS3Location"].iter().any(|field| old.get(*field) != new.get(*field)) {
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

/// A number that a template may write as text.
fn number(value: &Value) -> Value {
    value.as_str().and_then(|text| text.parse::<i64>().ok()).map_or_else(|| value.clone(), Value::from)
}

fn media_types(properties: &Object) -> Value {
    let types = items(properties, "BinaryMediaTypes").iter().filter_map(Value::as_str);
    types.map(|kind| json!(kind.replace("~1", "/"))).collect()
}

async fn define(calls: &Calls<'_>, id: &str, properties: &Object) -> Done<()> {
    let body = match (properties.get("Body"), properties.get("BodyS3Location")) {
        (Some(_), Some(_)) => {
            return Err(Failure("Body and BodyS3Location cannot be specified together".into()));
        }
        (Some(body), None) => body.to_string().into_bytes(),
        (None, Some(place)) => read(calls, place).await?,
        (None, None) => return Ok(()),
    };
    let input = json!({ "restApiId": id, "mode": "overwrite", "body": STANDARD.encode(body) });
    calls.call(SERVICE, "PutRestApi", input).await?;
    Ok(())
}

/// A definition that lies in S3, as the one who changes the stack may read it.
async fn read(calls: &Calls<'_>, place: &Value) -> Done<Vec<u8>> {
    let place = place.as_object().ok_or_else(|| Failure("BodyS3Location must be an object".into()))?;
    let known = ["Bucket", "Key", "Version"];
    if let Some(unknown) = place.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure(format!("Encountered unsupported property {unknown}")));
    }
    let version = place.get("Version").and_then(Value::as_str);
    let found =
        calls.objects.read(calls.cx, required(place, "Bucket")?, required(place, "Key")?, version).await?;
    let bytes = found.1.collect(DEFINITION_BYTES_MAX).await;
    let bytes =
        bytes.map_err(|_| Failure(format!("A definition has at most {DEFINITION_BYTES_MAX} bytes")))?;
    Ok(bytes.to_vec())
}

fn of_api(id: &str, api: &Value) -> Created {
    Created::new(id, json!({ "RestApiId": id, "RootResourceId": api["rootResourceId"] }))
}
