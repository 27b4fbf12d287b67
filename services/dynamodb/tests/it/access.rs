//! Who may touch which items.

use serde_json::{Value, json};

use crate::world::{World, run};

/// A world in which the user may do `actions` with the table's items under the condition.
async fn world(actions: Value, condition: Value) -> World {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Action": actions, "Condition": condition,
            "Resource": "arn:aws:dynamodb:us-east-1:123456789012:table/items",
        }],
    });
    let world = World::with_policy(Some(policy));
    world.table("items", Some("S")).await;
    world
}

async fn check(world: &World, operation: &str, input: Value, allowed: bool) {
    let shown = input.to_string();
    let outcome = world.call_as_user(operation, input).await;
    let denied = outcome.as_ref().is_err_and(|error| error.code == "AccessDeniedException");
    assert_eq!(!denied, allowed, "{operation} {shown}: {outcome:?}");
}

fn key(id: &str) -> Value {
    json!({"id": {"S": id}, "at": {"S": "me"}})
}

#[test]
fn leading_keys_confine_every_operation_on_items() {
    run(async {
        let condition = json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["me"]}});
        let world = world(json!("dynamodb:*"), condition).await;
        for (id, allowed) in [("me", true), ("other", false)] {
            let on = |name: &str| json!({"TableName": "items", (name): key(id)});
            check(&world, "PutItem", on("Item"), allowed).await;
            check(&world, "GetItem", on("Key"), allowed).await;
            check(&world, "UpdateItem", on("Key"), allowed).await;
            check(&world, "DeleteItem", on("Key"), allowed).await;
            let query = json!({
                "TableName": "items", "KeyConditionExpression": "id = :id",
                "ExpressionAttributeValues": {":id": {"S": id}},
            });
            check(&world, "Query", query, allowed).await;
            let both = json!({"RequestItems": {"items": {"Keys": [key("me"), key(id)]}}});
            if id != "me" {
                check(&world, "BatchGetItem", both, allowed).await;
            }
            let write = json!({"RequestItems": {"items": [{"PutRequest": {"Item": key(id)}}]}});
            check(&world, "BatchWriteItem", write, allowed).await;
        }
    });
}

#[test]
fn attributes_and_selection_can_be_confined() {
    run(async {
        let condition = json!({
            "ForAllValues:StringEquals": {"dynamodb:Attributes": ["id", "at", "open"]},
            "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
        });
        let world =
            world(json!(["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:UpdateItem"]), condition).await;
        let get = |projection: Value| json!({"TableName": "items", "Key": key("a"), "ProjectionExpression": projection});
        check(&world, "GetItem", get(json!("id")), true).await;
        check(&world, "GetItem", get(json!("secret")), false).await;
        check(&world, "GetItem", get(json!("id, secret.part")), false).await;
        check(&world, "GetItem", json!({"TableName": "items", "Key": key("a")}), false).await;
        check(&world, "Scan", json!({"TableName": "items"}), false).await;
        let update = |condition: &str| json!({"TableName": "items", "Key": key("a"), "ConditionExpression": condition});
        check(&world, "UpdateItem", update("attribute_not_exists(id)"), true).await;
        check(&world, "UpdateItem", update("attribute_not_exists(secret)"), false).await;
    });
}

#[test]
fn nothing_is_told_to_those_who_may_nothing() {
    run(async {
        let world = world(json!("dynamodb:GetItem"), json!({})).await;
        let on = |table: &str, name: &str| json!({"TableName": table, (name): key("a")});
        check(&world, "GetItem", on("items", "Key"), true).await;
        check(&world, "PutItem", on("items", "Item"), false).await;
        check(&world, "GetItem", on("nowhere", "Key"), false).await;
        check(&world, "GetItem", on("arn:aws:dynamodb:us-east-1:999999999999:table/items", "Key"), false)
            .await;
        check(&world, "DescribeTable", json!({"TableName": "items"}), false).await;
        check(&world, "DeleteTable", json!({"TableName": "items"}), false).await;
        check(&world, "ListTables", json!({}), false).await;
    });
}
