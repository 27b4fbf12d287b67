//! `AWS::ApiGateway::Stage`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{SERVICE, retag};
use crate::resource::tag::{is_marked, map};
use crate::resource::{Calls, Created, Done, Kind, RESERVED, Wanted, property, required};
use crate::template::Object;

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
        &["RestApiId", "StageName"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let name = required(wanted.properties, "StageName")?;
        let input = json!({ "restApiId": required(wanted.properties, "RestApiId")?, "stageName": name });
        let found = calls.find(SERVICE, "GetStage", input).await?;
        let own = found.filter(|stage| is_marked(self, wanted.properties, &stage["tags"]));
        Ok(own.map(|_| name.to_owned()).into_iter().collect())
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
            "tags": map(properties),
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
        let api = required(new, "RestApiId")?;
        let input = json!({ "restApiId": api, "stageName": physical, "patchOperations": patches });
        calls.call(SERVICE, "UpdateStage", input).await?;
        retag(calls, &format!("/restapis/{api}/stages/{physical}"), old, new).await?;
        Ok(Created::new(physical, json!({})))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        let input = json!({ "restApiId": required(properties, "RestApiId")?, "stageName": physical });
        calls.gone(SERVICE, "DeleteStage", input).await
    }
}
