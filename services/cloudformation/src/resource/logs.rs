//! `AWS::Logs::LogGroup` and `AWS::Logs::LogStream`.

use async_trait::async_trait;
use serde_json::json;

use super::{Calls, Created, Done, Kind, Wanted, named, property, required};
use crate::template::Object;

pub(crate) struct LogGroup;

#[async_trait]
impl Kind for LogGroup {
    fn name(&self) -> &'static str {
        "AWS::Logs::LogGroup"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["LogGroupName", "RetentionInDays"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["LogGroupName"]
    }

    fn name_property(&self) -> Option<&'static str> {
        Some("LogGroupName")
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let name = named(wanted, "LogGroupName");
        calls.call("logs", "CreateLogGroup", json!({ "logGroupName": name })).await?;
        let retained = retain(calls, &name, wanted).await;
        if retained.is_err() {
            self.delete(calls, &name, wanted.properties).await?;
        }
        retained.map(|()| created(calls, &name))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        _old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        retain(calls, physical, wanted).await?;
        Ok(created(calls, physical))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone("logs", "DeleteLogGroup", json!({ "logGroupName": physical })).await
    }
}

async fn retain(calls: &Calls<'_>, name: &str, wanted: &Wanted<'_>) -> Done<()> {
    let days = property(wanted.properties, "RetentionInDays");
    let operation = if days.is_null() { "DeleteRetentionPolicy" } else { "PutRetentionPolicy" };
    calls.call("logs", operation, json!({ "logGroupName": name, "retentionInDays": days })).await?;
    Ok(())
}

fn created(calls: &Calls<'_>, name: &str) -> Created {
    Created::new(name, json!({ "Arn": format!("{}:*", calls.cx.arn("logs", format!("log-group:{name}"))) }))
}

pub(crate) struct LogStream;

#[async_trait]
impl Kind for LogStream {
    fn name(&self) -> &'static str {
        "AWS::Logs::LogStream"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["LogGroupName", "LogStreamName"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        self.properties()
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let (group, name) = (required(wanted.properties, "LogGroupName")?, named(wanted, "LogStreamName"));
        calls
            .call("logs", "CreateLogStream", json!({ "logGroupName": group, "logStreamName": name }))
            .await?;
        Ok(Created::new(name, json!({})))
    }

    async fn update(
        &self,
        _calls: &Calls<'_>,
        physical: &str,
        _old: &Object,
        _wanted: &Wanted<'_>,
    ) -> Done<Created> {
        Ok(Created::new(physical, json!({})))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        let group = required(properties, "LogGroupName")?;
        calls
            .gone("logs", "DeleteLogStream", json!({ "logGroupName": group, "logStreamName": physical }))
            .await
    }
}
