//! `AWS::ApiGateway::Resource`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::SERVICE;
use crate::resource::{Calls, Created, Done, Kind, Wanted, lower_camel, required};
use crate::template::Object;

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

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let properties = wanted.properties;
        let input = json!({ "restApiId": required(properties, "RestApiId")?, "limit": 500 });
        let all = calls.list(SERVICE, "GetResources", input, ["items", "position", "position"]).await?;
        let same = |one: &&Value| {
            properties.get("ParentId") == Some(&one["parentId"])
                && properties.get("PathPart") == Some(&one["pathPart"])
        };
        Ok(all.iter().filter(same).filter_map(|one| one["id"].as_str()).map(str::to_owned).collect())
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
