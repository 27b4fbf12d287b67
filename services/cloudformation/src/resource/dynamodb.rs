//! `AWS::DynamoDB::Table`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Calls, Created, Done, Failure, Kind, Wanted, items, named};
use crate::template::Object;

pub(crate) struct Table;

#[async_trait]
impl Kind for Table {
    fn name(&self) -> &'static str {
        "AWS::DynamoDB::Table"
    }

    /// What the operation does not accept, it refuses by name.
    fn properties(&self) -> &'static [&'static str] {
        &[
            "AttributeDefinitions",
            "BillingMode",
            "DeletionProtectionEnabled",
            "GlobalSecondaryIndexes",
            "KeySchema",
            "LocalSecondaryIndexes",
            "PointInTimeRecoverySpecification",
            "ProvisionedThroughput",
            "SSESpecification",
            "StreamSpecification",
            "TableClass",
            "TableName",
            "Tags",
            "TimeToLiveSpecification",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["AttributeDefinitions", "KeySchema", "TableName"]
    }

    fn name_property(&self) -> Option<&'static str> {
        Some("TableName")
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let name = named(wanted, "TableName");
        let mut input = Value::Object(wanted.properties.clone());
        input["TableName"] = json!(name);
        calls.call("dynamodb", "CreateTable", input).await?;
        Ok(created(calls, &name))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let changed = wanted
            .properties
            .keys()
            .chain(old.keys())
            .find(|name| *name != "Tags" && wanted.properties.get(*name) != old.get(*name));
        if let Some(changed) = changed {
            return Err(Failure(format!("Changing {changed} of a table is not available in Pagoda")));
        }
        let arn = calls.cx.arn("dynamodb", format!("table/{physical}")).to_string();
        let keys = |properties: &Object| -> Vec<Value> {
            items(properties, "Tags").iter().filter_map(|tag| tag.get("Key").cloned()).collect()
        };
        let kept = keys(wanted.properties);
        let removed: Vec<Value> = keys(old).into_iter().filter(|key| !kept.contains(key)).collect();
        if !removed.is_empty() {
            calls
                .call("dynamodb", "UntagResource", json!({ "ResourceArn": arn, "TagKeys": removed }))
                .await?;
        }
        if !kept.is_empty() {
            let tags = items(wanted.properties, "Tags");
            calls.call("dynamodb", "TagResource", json!({ "ResourceArn": arn, "Tags": tags })).await?;
        }
        Ok(created(calls, physical))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone("dynamodb", "DeleteTable", json!({ "TableName": physical })).await
    }
}

fn created(calls: &Calls<'_>, name: &str) -> Created {
    Created::new(name, json!({ "Arn": calls.cx.arn("dynamodb", format!("table/{name}")).to_string() }))
}
