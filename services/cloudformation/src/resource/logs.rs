//! `AWS::Logs::LogGroup` and `AWS::Logs::LogStream`.

use async_trait::async_trait;
use serde_json::json;

use super::tag::{Retag, is_marked, map};
use super::{Calls, Created, Done, Kind, RESERVED, Wanted, named, property, required};
use crate::template::Object;

pub(crate) struct LogGroup;

#[async_trait]
impl Kind for LogGroup {
    fn name(&self) -> &'static str {
        "AWS::Logs::LogGroup"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["LogGroupName", "RetentionInDays", "Tags"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["LogGroupName"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let name = named(wanted, "LogGroupName");
        let input = json!({ "resourceArn": arn(calls, &name) });
        let found = calls.find("logs", "ListTagsForResource", input).await?;
        let own = found.filter(|found| is_marked(self, wanted.properties, &found["tags"]));
        Ok(own.map(|_| name).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let name = named(wanted, "LogGroupName");
        let input = json!({ "logGroupName": name, "tags": map(wanted.properties) });
        calls.call("logs", "CreateLogGroup", input).await?;
        retain(calls, &name, wanted).await?;
        Ok(created(calls, &name))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        retain(calls, physical, wanted).await?;
        let retag = Retag {
            service: "logs",
            operations: ["TagResource", "UntagResource"],
            of: json!({ "resourceArn": arn(calls, physical) }),
            members: ["tags", "tagKeys"],
            as_map: true,
        };
        retag.run(calls, old, wanted.properties).await?;
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

fn arn(calls: &Calls<'_>, name: &str) -> String {
    calls.cx.arn("logs", format!("log-group:{name}")).to_string()
}

fn created(calls: &Calls<'_>, name: &str) -> Created {
    Created::new(name, json!({ "Arn": format!("{}:*", arn(calls, name)) }))
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

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let (group, name) = (required(wanted.properties, "LogGroupName")?, named(wanted, "LogStreamName"));
        let input = json!({ "logGroupName": group, "logStreamNamePrefix": name });
        let pages = ["logStreams", "nextToken", "nextToken"];
        let streams = calls.list("logs", "DescribeLogStreams", input, pages).await?;
        let same = streams.iter().any(|stream| stream["logStreamName"] == name.as_str());
        Ok(same.then_some(name).into_iter().collect())
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
