//! `AWS::DynamoDB::Table`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::tag::{Retag, is_marked};
use super::{Calls, Created, Done, Failure, Kind, RESERVED, Wanted, named};
use crate::template::Object;

pub(crate) struct Table;

/// What an update can change.
const CHANGED: [&str; 5] =
    ["BillingMode", "DeletionProtectionEnabled", "ProvisionedThroughput", "StreamSpecification", "Tags"];

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
        let differs = |name: &&String| !CHANGED.contains(&name.as_str()) && new.get(*name) != old.get(*name);
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
        input["StreamSpecification"] = stream(wanted.properties)?;
        let made = calls.call("dynamodb", "CreateTable", input).await?;
        Ok(created(calls, &name, &made["TableDescription"]))
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
        let described = describe(calls, physical).await?;
        for change in changes(&described, wanted.properties)? {
            let mut input = change;
            input["TableName"] = json!(physical);
            calls.call("dynamodb", "UpdateTable", input).await?;
        }
        Ok(created(calls, physical, &describe(calls, physical).await?))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone("dynamodb", "DeleteTable", json!({ "TableName": physical })).await
    }
}

fn arn(calls: &Calls<'_>, name: &str) -> String {
    calls.cx.arn("dynamodb", format!("table/{name}")).to_string()
}

fn created(calls: &Calls<'_>, name: &str, description: &Value) -> Created {
    let mut attributes = json!({ "Arn": arn(calls, name) });
    if description.get("StreamSpecification").is_some() {
        attributes["StreamArn"] = description["LatestStreamArn"].clone();
    }
    Created::new(name, attributes)
}

async fn describe(calls: &Calls<'_>, name: &str) -> Done<Value> {
    let mut answer = calls.call("dynamodb", "DescribeTable", json!({ "TableName": name })).await?;
    Ok(answer["Table"].take())
}

/// The stream's property as the operations take it: that it is there enables it.
fn stream(properties: &Object) -> Done<Value> {
    let Some(wanted) = properties.get("StreamSpecification") else { return Ok(Value::Null) };
    let mut stream = wanted.clone();
    if stream.get("ResourcePolicy").is_some() {
        return Err(Failure("StreamSpecification.ResourcePolicy is not available in Pagoda".into()));
    }
    stream["StreamEnabled"] = json!(true);
    Ok(stream)
}

/// The inputs that make of a table as it is one as it is wanted, in their order.
fn changes(described: &Value, wanted: &Object) -> Done<Vec<Value>> {
    let mut changes = Vec::new();
    let (present, wanted_stream) = (described.get("StreamSpecification"), stream(wanted)?);
    let view = |stream: &Value| stream["StreamViewType"].clone();
    if present.map(view) != wanted.get("StreamSpecification").map(view) {
        if present.is_some() {
            changes.push(json!({ "StreamSpecification": { "StreamEnabled": false } }));
        }
        if !wanted_stream.is_null() {
            changes.push(json!({ "StreamSpecification": wanted_stream }));
        }
    }
    let protected = wanted.get("DeletionProtectionEnabled").is_some_and(|flag| *flag == true);
    if described["DeletionProtectionEnabled"] != json!(protected) {
        changes.push(json!({ "DeletionProtectionEnabled": protected }));
    }
    let on_demand = wanted.get("BillingMode").is_some_and(|mode| mode == "PAY_PER_REQUEST");
    let was_on_demand = described.get("BillingModeSummary").is_some();
    let units = |of: Option<&Value>| {
        ["ReadCapacityUnits", "WriteCapacityUnits"].map(|unit| of.and_then(|of| of[unit].as_i64()))
    };
    let same = units(described.get("ProvisionedThroughput")) == units(wanted.get("ProvisionedThroughput"));
    if on_demand && !was_on_demand {
        changes.push(json!({ "BillingMode": "PAY_PER_REQUEST" }));
    } else if !on_demand && (was_on_demand || !same) {
        let throughput = wanted.get("ProvisionedThroughput");
        changes.push(json!({ "BillingMode": "PROVISIONED", "ProvisionedThroughput": throughput }));
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_lead_from_what_is_there_to_what_is_wanted() {
        let off = json!({ "StreamSpecification": { "StreamEnabled": false } });
        let on =
            |view: &str| json!({ "StreamSpecification": { "StreamEnabled": true, "StreamViewType": view } });
        let free = |more: Value| {
            let mut table = json!({ "BillingMode": "PAY_PER_REQUEST" });
            table.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            table
        };
        let stream = |view: &str| json!({ "StreamSpecification": { "StreamViewType": view } });
        let units = json!({ "ReadCapacityUnits": 1, "WriteCapacityUnits": 2 });
        let provisioned = json!({ "ProvisionedThroughput": units });
        let described = |more: Value| {
            let mut table = json!({ "BillingModeSummary": {}, "DeletionProtectionEnabled": false });
            table.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            table
        };
        let rows = [
            (described(json!({})), free(json!({})), vec![]),
            (described(json!({})), free(stream("KEYS_ONLY")), vec![on("KEYS_ONLY")]),
            (described(on("KEYS_ONLY")), free(stream("KEYS_ONLY")), vec![]),
            (described(on("KEYS_ONLY")), free(stream("NEW_IMAGE")), vec![off.clone(), on("NEW_IMAGE")]),
            (described(on("KEYS_ONLY")), free(json!({})), vec![off]),
            (
                described(json!({})),
                free(json!({ "DeletionProtectionEnabled": true })),
                vec![json!({ "DeletionProtectionEnabled": true })],
            ),
            (
                described(json!({})),
                provisioned.clone(),
                vec![json!({ "BillingMode": "PROVISIONED", "ProvisionedThroughput": units })],
            ),
            (
                json!({ "DeletionProtectionEnabled": false, "ProvisionedThroughput": units }),
                provisioned,
                vec![],
            ),
        ];
        for (described, wanted, expected) in rows {
            let changes = changes(&described, wanted.as_object().unwrap()).unwrap();
            assert_eq!(changes, expected, "{described} {wanted}");
        }
    }
}
