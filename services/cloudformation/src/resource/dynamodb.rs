//! `AWS::DynamoDB::Table`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::tag::{Retag, is_marked};
use super::{Calls, Created, Done, Failure, Kind, RESERVED, Wanted, named};
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

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    fn check_update(&self, old: &Object, new: &Object) -> Done<()> {
        let differs = |name: &&String| *name != "Tags" && new.get(*name) != old.get(*name);
        match new.keys().chain(old.keys()).find(differs) {
            Some(changed) => {
                Err(Failure(format!("Changing {changed} of a table is not available in Pagoda")))
            }
            None => Ok(()),
        }
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let name = named(wanted, "TableName");
        let input = json!({ "ResourceArn": arn(calls, &name) });
        let pages = ["Tags", "NextToken", "NextToken"];
        let tags = calls.list("dynamodb", "ListTagsOfResource", input, pages).await?;
        Ok(is_marked(self, wanted.properties, &json!(tags)).then_some(name).into_iter().collect())
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
        let retag = Retag {
            service: "dynamodb",
            operations: ["TagResource", "UntagResource"],
            of: json!({ "ResourceArn": arn(calls, physical) }),
            members: ["Tags", "TagKeys"],
            as_map: false,
        };
        retag.run(calls, old, wanted.properties).await?;
        Ok(created(calls, physical))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone("dynamodb", "DeleteTable", json!({ "TableName": physical })).await
    }
}

fn arn(calls: &Calls<'_>, name: &str) -> String {
    calls.cx.arn("dynamodb", format!("table/{name}")).to_string()
}

fn created(calls: &Calls<'_>, name: &str) -> Created {
    Created::new(name, json!({ "Arn": arn(calls, name) }))
}
