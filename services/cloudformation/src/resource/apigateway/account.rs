//! `AWS::ApiGateway::Account`: what an account says in a region. It is there always, and is left as it is.

use async_trait::async_trait;
use serde_json::json;

use super::{Patched, patch, patches};
use crate::resource::{Calls, Created, Done, Kind, Wanted};
use crate::template::Object;

pub(crate) struct Account;

const PATCHED: [Patched; 1] = [("CloudWatchRoleArn", "/cloudwatchRoleArn", "")];

#[async_trait]
impl Kind for Account {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::Account"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["CloudWatchRoleArn"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &[]
    }

    /// Nothing that a stack makes.
    async fn present(&self, _calls: &Calls<'_>, _wanted: &Wanted<'_>) -> Done<Vec<String>> {
        Ok(Vec::new())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        self.update(calls, wanted.name, &Object::new(), wanted).await
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        patch(calls, "UpdateAccount", json!({}), patches(old, wanted.properties, &PATCHED)).await?;
        Ok(Created::new(physical, json!({ "Id": physical })))
    }

    async fn delete(&self, _calls: &Calls<'_>, _physical: &str, _properties: &Object) -> Done<()> {
        Ok(())
    }
}
