//! `AWS::Lambda::EventSourceMapping`.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html>

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::resource::tag::{Retag, is_marked, map};
use crate::resource::{Calls, Created, Done, Kind, RESERVED, Wanted, property, required};
use crate::template::Object;

pub(crate) struct EventSourceMapping;

/// What only `CreateEventSourceMapping` takes.
const AT_CREATION: [&str; 6] = [
    "EventSourceArn",
    "Queues",
    "SelfManagedEventSource",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Topics",
];
/// What an update says of a property that the template no longer has, or the old value would stay.
const DEFAULTS: &str = r#"{
    "BatchSize": 100, "BisectBatchOnFunctionError": false, "DestinationConfig": {}, "Enabled": true,
    "FilterCriteria": {}, "FunctionResponseTypes": [], "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1, "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0
}"#;

#[async_trait]
impl Kind for EventSourceMapping {
    fn name(&self) -> &'static str {
        "AWS::Lambda::EventSourceMapping"
    }

    /// What the operation does not accept, it refuses by name.
    fn properties(&self) -> &'static [&'static str] {
        &[
            "AmazonManagedKafkaEventSourceConfig",
            "BatchSize",
            "BisectBatchOnFunctionError",
            "DestinationConfig",
            "DocumentDBEventSourceConfig",
            "Enabled",
            "EventSourceArn",
            "FilterCriteria",
            "FunctionName",
            "FunctionResponseTypes",
            "KmsKeyArn",
            "LoggingConfig",
            "MaximumBatchingWindowInSeconds",
            "MaximumRecordAgeInSeconds",
            "MaximumRetryAttempts",
            "MetricsConfig",
            "ParallelizationFactor",
            "ProvisionedPollerConfig",
            "Queues",
            "ScalingConfig",
            "SelfManagedEventSource",
            "SelfManagedKafkaEventSourceConfig",
            "SourceAccessConfigurations",
            "StartingPosition",
            "StartingPositionTimestamp",
            "Tags",
            "Topics",
            "TumblingWindowInSeconds",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["EventSourceArn", "SelfManagedEventSource", "StartingPosition", "StartingPositionTimestamp"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let input = json!({
            "FunctionName": required(wanted.properties, "FunctionName")?,
            "EventSourceArn": property(wanted.properties, "EventSourceArn"),
        });
        let pages = ["EventSourceMappings", "NextMarker", "Marker"];
        let mut own = Vec::new();
        for mapping in calls.list("lambda", "ListEventSourceMappings", input, pages).await? {
            let uuid = mapping["UUID"].as_str().unwrap_or_default();
            let found = calls.find("lambda", "ListTags", json!({ "Resource": arn(calls, uuid) })).await?;
            if found.is_some_and(|found| is_marked(self, wanted.properties, &found["Tags"])) {
                own.push(uuid.to_owned());
            }
        }
        Ok(own)
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let mut input = operation(wanted.properties);
        input["Tags"] = map(wanted.properties);
        let mapping = calls.call("lambda", "CreateEventSourceMapping", input).await?;
        Ok(created(calls, mapping["UUID"].as_str().unwrap_or_default()))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let mut input = operation(wanted.properties);
        if let Value::Object(fields) = &mut input {
            fields.retain(|name, _| !AT_CREATION.contains(&name.as_str()));
            let defaults: Object = serde_json::from_str(DEFAULTS).unwrap_or_default();
            for (name, default) in defaults.into_iter().filter(|(name, _)| old.contains_key(name)) {
                fields.entry(name).or_insert(default);
            }
        }
        input["UUID"] = json!(physical);
        calls.call("lambda", "UpdateEventSourceMapping", input).await?;
        let retag = Retag {
            service: "lambda",
            operations: ["TagResource", "UntagResource"],
            of: json!({ "Resource": arn(calls, physical) }),
            members: ["Tags", "TagKeys"],
            as_map: true,
        };
        retag.run(calls, old, wanted.properties).await?;
        Ok(created(calls, physical))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone("lambda", "DeleteEventSourceMapping", json!({ "UUID": physical })).await
    }
}

/// The properties by the names of the operations.
fn operation(properties: &Object) -> Value {
    let mut input = properties.clone();
    input.remove("Tags");
    if let Some(key) = input.remove("KmsKeyArn") {
        input.insert("KMSKeyArn".into(), key);
    }
    Value::Object(input)
}

fn arn(calls: &Calls<'_>, uuid: &str) -> String {
    calls.cx.arn("lambda", format!("event-source-mapping:{uuid}")).to_string()
}

fn created(calls: &Calls<'_>, uuid: &str) -> Created {
    Created::new(uuid, json!({ "Id": uuid, "EventSourceMappingArn": arn(calls, uuid) }))
}
