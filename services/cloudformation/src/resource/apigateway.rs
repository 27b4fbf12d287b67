//! `AWS::ApiGateway::RestApi`, `Resource`, `Method`, `Deployment` and `Stage`.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Calls, Created, Done, Kind, Wanted, document, items, lower_camel, property, required, tag_map};
use crate::template::Object;

const SERVICE: &str = "apigateway";

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
        &["EndpointConfiguration", "Tags"]
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
            "tags": tag_map(properties),
            "disableExecuteApiEndpoint": property(properties, "DisableExecuteApiEndpoint"),
        });
        let api = calls.call(SERVICE, "CreateRestApi", input).await?;
        let id = api["id"].as_str().unwrap_or_default().to_owned();
        if let Err(failure) = define(calls, &id, properties).await {
            self.delete(calls, &id, properties).await?;
            return Err(failure);
        }
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

pub(crate) struct Resource;

#[async_trait]
impl Kind for Resource {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::Resource"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["ParentId", "PathPart", "RestApiId"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        self.properties()
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let input = lower_camel(&Value::Object(wanted.properties.clone()));
        let resource = calls.call(SERVICE, "CreateResource", input).await?;
        let id = resource["id"].as_str().unwrap_or_default();
        Ok(Created::new(id, json!({ "ResourceId": id })))
    }

    async fn update(
        &self,
        _calls: &Calls<'_>,
        physical: &str,
        _old: &Object,
        _wanted: &Wanted<'_>,
    ) -> Done<Created> {
        Ok(Created::new(physical, json!({ "ResourceId": physical })))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        let input = json!({ "restApiId": required(properties, "RestApiId")?, "resourceId": physical });
        calls.gone(SERVICE, "DeleteResource", input).await
    }
}

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

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let properties = wanted.properties;
        let place = place(properties)?;
        if let Err(failure) = put_method(calls, &place, properties).await {
            self.delete(calls, "", properties).await?;
            return Err(failure);
        }
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
            other => super::lowered(other),
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
    let mut members: Object = fields.map(|(name, value)| (super::lowered(name), value.clone())).collect();
    if let Some(Value::Number(status)) = members.get("statusCode") {
        let status = json!(status.to_string());
        members.insert("statusCode".into(), status);
    }
    Value::Object(members)
}

pub(crate) struct Deployment;

#[async_trait]
impl Kind for Deployment {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::Deployment"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["Description", "RestApiId", "StageName"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        self.properties()
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let input = lower_camel(&Value::Object(wanted.properties.clone()));
        let deployment = calls.call(SERVICE, "CreateDeployment", input).await?;
        let id = deployment["id"].as_str().unwrap_or_default();
        Ok(Created::new(id, json!({ "DeploymentId": id })))
    }

    async fn update(
        &self,
        _calls: &Calls<'_>,
        physical: &str,
        _old: &Object,
        _wanted: &Wanted<'_>,
    ) -> Done<Created> {
        Ok(Created::new(physical, json!({ "DeploymentId": physical })))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        let api = required(properties, "RestApiId")?;
        if let Some(stage) = properties.get("StageName") {
            let stages =
                calls.call(SERVICE, "GetStages", json!({ "restApiId": api, "deploymentId": physical })).await;
            let own = stages.is_ok_and(|stages| {
                stages["item"].as_array().is_some_and(|all| all.iter().any(|one| one["stageName"] == *stage))
            });
            if own {
                calls.gone(SERVICE, "DeleteStage", json!({ "restApiId": api, "stageName": stage })).await?;
            }
        }
        calls.gone(SERVICE, "DeleteDeployment", json!({ "restApiId": api, "deploymentId": physical })).await
    }
}

pub(crate) struct Stage;

#[async_trait]
impl Kind for Stage {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::Stage"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["DeploymentId", "Description", "RestApiId", "StageName", "Tags", "Variables"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["RestApiId", "StageName", "Tags"]
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let properties = wanted.properties;
        let name = required(properties, "StageName")?;
        let input = json!({
            "restApiId": required(properties, "RestApiId")?,
            "stageName": name,
            "deploymentId": required(properties, "DeploymentId")?,
            "description": property(properties, "Description"),
            "variables": property(properties, "Variables"),
            "tags": tag_map(properties),
        });
        calls.call(SERVICE, "CreateStage", input).await?;
        Ok(Created::new(name, json!({})))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let new = wanted.properties;
        let mut patches = vec![
            json!({ "op": "replace", "path": "/deploymentId", "value": required(new, "DeploymentId")? }),
        ];
        let description = new.get("Description").cloned().unwrap_or_else(|| json!(""));
        if old.get("Description") != new.get("Description") {
            patches.push(json!({ "op": "replace", "path": "/description", "value": description }));
        }
        let variables = |properties: &Object| {
            properties.get("Variables").and_then(Value::as_object).cloned().unwrap_or_default()
        };
        let (before, after) = (variables(old), variables(new));
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            patches.push(json!({ "op": "remove", "path": format!("/variables/{name}") }));
        }
        for (name, value) in &after {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            patches.push(json!({ "op": "replace", "path": format!("/variables/{name}"), "value": value }));
        }
        let input = json!({ "restApiId": required(new, "RestApiId")?, "stageName": physical, "patchOperations": patches });
        calls.call(SERVICE, "UpdateStage", input).await?;
        Ok(Created::new(physical, json!({})))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        let input = json!({ "restApiId": required(properties, "RestApiId")?, "stageName": physical });
        calls.gone(SERVICE, "DeleteStage", input).await
    }
}
