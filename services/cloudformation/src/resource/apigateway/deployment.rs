//! `AWS::ApiGateway::Deployment`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::SERVICE;
use crate::resource::{Calls, Created, Done, Kind, Wanted, lower_camel, required};
use crate::template::Object;

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

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let properties = wanted.properties;
        let input = json!({ "restApiId": required(properties, "RestApiId")?, "limit": 500 });
        let all = calls.list(SERVICE, "GetDeployments", input, ["items", "position", "position"]).await?;
        let same = |one: &&Value| properties.get("Description") == one.get("description");
        Ok(all.iter().filter(same).filter_map(|one| one["id"].as_str()).map(str::to_owned).collect())
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
