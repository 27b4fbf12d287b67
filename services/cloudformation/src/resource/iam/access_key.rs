//! `AWS::IAM::AccessKey`.

use async_trait::async_trait;
use serde_json::json;

use crate::resource::{Calls, Created, Done, Kind, Wanted, required};
use crate::template::Object;

pub(crate) struct AccessKey;

#[async_trait]
impl Kind for AccessKey {
    fn name(&self) -> &'static str {
        "AWS::IAM::AccessKey"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["Serial", "Status", "UserName"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["Serial", "UserName"]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let input = json!({ "UserName": required(wanted.properties, "UserName")? });
        let keys =
            calls.list("iam", "ListAccessKeys", input, ["AccessKeyMetadata", "Marker", "Marker"]).await?;
        Ok(keys.iter().filter_map(|key| key["AccessKeyId"].as_str()).map(str::to_owned).collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let user = required(wanted.properties, "UserName")?;
        let answer = calls.call("iam", "CreateAccessKey", json!({ "UserName": user })).await?;
        let key = &answer["AccessKey"];
        let created = Created::new(
            key["AccessKeyId"].as_str().unwrap_or_default(),
            json!({ "SecretAccessKey": key["SecretAccessKey"] }),
        );
        self.status(calls, &created.physical, wanted.properties).await?;
        Ok(created)
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        _old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        self.status(calls, physical, wanted.properties).await?;
        Ok(Created::new(physical, json!({})))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        let input = json!({ "UserName": required(properties, "UserName")?, "AccessKeyId": physical });
        calls.gone("iam", "DeleteAccessKey", input).await
    }
}

impl AccessKey {
    async fn status(&self, calls: &Calls<'_>, id: &str, properties: &Object) -> Done<()> {
        let status = properties.get("Status").cloned().unwrap_or_else(|| json!("Active"));
        let user = required(properties, "UserName")?;
        let input = json!({ "UserName": user, "AccessKeyId": id, "Status": status });
        calls.call("iam", "UpdateAccessKey", input).await?;
        Ok(())
    }
}
