//! PutItem GetItem UpdateItem DeleteItem

use std::sync::Arc;

use serde_json::{Value, json};

use crate::world::{World, run};

fn on(changes: Value) -> Value {
    let mut input = json!({"TableName": "items"});
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

#[test]
fn items_are_put_read_and_deleted() {
    run(async {
        let world = World::new();
        world.table("items", Some("N")).await;
        let key = json!({"id": {"S": "a"}, "at": {"N": "1"}});
        let item = json!({"id": {"S": "a"}, "at": {"N": "1"}, "v": {"S": "x"}, "w": {"N": "2"}});
        assert_eq!(world.ok("PutItem", on(json!({"Item": item}))).await, json!({}));
        assert_eq!(world.ok("GetItem", on(json!({"Key": key}))).await, json!({"Item": item}));
        let projected =
            on(json!({"Key": key, "ProjectionExpression": "#v", "ExpressionAttributeNames": {"#v": "v"}}));
        assert_eq!(world.ok("GetItem", projected).await, json!({"Item": {"v": {"S": "x"}}}));
        let numbers_are_equal = on(json!({"Key": {"id": {"S": "a"}, "at": {"N": "1.00"}}}));
        assert_eq!(world.ok("GetItem", numbers_are_equal).await["Item"], item);
        let old = world.ok("PutItem", on(json!({"Item": key, "ReturnValues": "ALL_OLD"}))).await;
        assert_eq!(old, json!({"Attributes": item}));
        let deleted = world.ok("DeleteItem", on(json!({"Key": key, "ReturnValues": "ALL_OLD"}))).await;
        assert_eq!(deleted, json!({"Attributes": key}));
        for _ in 0..2 {
            assert_eq!(world.ok("DeleteItem", on(json!({"Key": key}))).await, json!({}));
        }
        assert_eq!(world.ok("GetItem", on(json!({"Key": key}))).await, json!({}));
    });
}

#[test]
fn conditions_guard_writes() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        let create = on(json!({
            "Item": {"id": {"S": "a"}, "n": {"N": "1"}}, "ConditionExpression": "attribute_not_exists(id)",
        }));
        world.ok("PutItem", create.clone()).await;
        let failed =
            ("ConditionalCheckFailedException".to_owned(), "The conditional request failed".to_owned());
        assert_eq!(world.refused("PutItem", create.clone()).await, failed);
        let key = json!({"id": {"S": "a"}});
        let condition = json!({
            "Key": key, "ConditionExpression": "n = :n", "ExpressionAttributeValues": {":n": {"N": "2"}},
        });
        assert_eq!(world.refused("DeleteItem", on(condition.clone())).await, failed);
        assert_eq!(world.refused("UpdateItem", on(condition)).await, failed);
        let mut shown = create;
        shown["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
        let error = world.call("PutItem", shown).await.unwrap_err();
        let exception = format!("{:?}", error.modelled.unwrap());
        assert!(exception.contains("\"n\": N(1)"), "{exception}");
        assert_eq!(world.ok("GetItem", on(json!({"Key": key}))).await["Item"]["n"], json!({"N": "1"}));
    });
}

#[test]
fn updates_answer_what_is_asked() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        let update = |wanted: &str| {
            on(json!({
                "Key": {"id": {"S": "a"}}, "UpdateExpression": "SET m.x = :x, q = :x REMOVE r",
                "ExpressionAttributeValues": {":x": {"N": "2"}}, "ReturnValues": wanted,
            }))
        };
        let before = json!({
            "id": {"S": "a"}, "m": {"M": {"x": {"N": "1"}, "y": {"N": "1"}}}, "r": {"S": "r"},
        });
        let after =
            json!({"id": {"S": "a"}, "m": {"M": {"x": {"N": "2"}, "y": {"N": "1"}}}, "q": {"N": "2"}});
        for (wanted, expected) in [
            ("NONE", json!({})),
            ("ALL_OLD", json!({"Attributes": before})),
            ("ALL_NEW", json!({"Attributes": after})),
            ("UPDATED_OLD", json!({"Attributes": {"m": {"M": {"x": {"N": "1"}}}, "r": {"S": "r"}}})),
            ("UPDATED_NEW", json!({"Attributes": {"m": {"M": {"x": {"N": "2"}}}, "q": {"N": "2"}}})),
        ] {
            world.ok("PutItem", on(json!({"Item": before}))).await;
            assert_eq!(world.ok("UpdateItem", update(wanted)).await, expected, "{wanted}");
            let stored = world.ok("GetItem", on(json!({"Key": {"id": {"S": "a"}}}))).await;
            assert_eq!(stored["Item"], after);
        }
    });
}

#[test]
fn an_update_makes_the_item_if_there_is_none() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        let bare = json!({"Key": {"id": {"S": "bare"}}});
        world.ok("UpdateItem", on(bare.clone())).await;
        assert_eq!(world.ok("GetItem", on(bare)).await["Item"], json!({"id": {"S": "bare"}}));
        let count = on(json!({
            "Key": {"id": {"S": "a"}}, "UpdateExpression": "ADD visits :one", "ReturnValues": "UPDATED_NEW",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }));
        assert_eq!(world.ok("UpdateItem", count.clone()).await["Attributes"]["visits"], json!({"N": "1"}));
        assert_eq!(world.ok("UpdateItem", count).await["Attributes"]["visits"], json!({"N": "2"}));
    });
}

#[test]
fn wrong_items_and_keys_are_refused() {
    run(async {
        let world = World::new();
        world.table("items", Some("B")).await;
        let one = "One or more parameter values were invalid: ";
        for (item, message) in [
            (json!({"at": {"B": "YQ=="}}), format!("{one}Missing the key id in the item")),
            (json!({"id": {"S": "a"}}), format!("{one}Missing the key at in the item")),
            (
                json!({"id": {"N": "1"}, "at": {"B": "YQ=="}}),
                format!("{one}Type mismatch for key id expected: S actual: N"),
            ),
            (
                json!({"id": {"S": ""}, "at": {"B": "YQ=="}}),
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
                 empty string value. Key: id"
                    .into(),
            ),
            (
                json!({"id": {"S": "x".repeat(2049)}, "at": {"B": "YQ=="}}),
                format!("{one}Size of hashkey has exceeded the maximum size limit of2048 bytes"),
            ),
            (
                json!({"id": {"S": "x"}, "at": {"B": "YWFh".repeat(342)}}),
                format!("{one}Aggregated size of all range keys has exceeded the size limit of 1024 bytes"),
            ),
        ] {
            world.invalid("PutItem", on(json!({"Item": item})), &message).await;
        }
        let longest = json!({"id": {"S": "\u{0}".repeat(2048)}, "at": {"B": "AAAA".repeat(341)}});
        world.ok("PutItem", on(json!({"Item": longest}))).await;
        for key in [
            json!({}),
            json!({"id": {"S": "a"}}),
            json!({"id": {"S": "a"}, "at": {"S": "a"}}),
            json!({"id": {"S": "a"}, "at": {"B": "YQ=="}, "x": {"S": "a"}}),
        ] {
            for operation in ["GetItem", "DeleteItem", "UpdateItem"] {
                let message = "The provided key element does not match the schema";
                world.invalid(operation, on(json!({"Key": key})), message).await;
            }
        }
    });
}

#[test]
fn wrong_requests_are_refused() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        let key = json!({"id": {"S": "a"}});
        let cannot = "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of \
                      the key";
        for (operation, changes, message) in [
            (
                "PutItem",
                json!({"Item": key, "ExpressionAttributeNames": {"#a": "a"}}),
                "ExpressionAttributeNames can only be specified when using expressions",
            ),
            (
                "PutItem",
                json!({"Item": key, "ExpressionAttributeValues": {":a": {"S": "a"}}}),
                "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null",
            ),
            (
                "PutItem",
                json!({"Item": key, "ReturnValues": "ALL_NEW"}),
                "Return values set to invalid value",
            ),
            (
                "UpdateItem",
                json!({"Key": key, "UpdateExpression": "SET id = :a", "ExpressionAttributeValues": {":a": {"S": "b"}}}),
                cannot,
            ),
            ("UpdateItem", json!({"Key": key, "UpdateExpression": "REMOVE id"}), cannot),
        ] {
            world.invalid(operation, on(changes), message).await;
        }
        let missing = world.refused("PutItem", json!({"TableName": "nowhere", "Item": key})).await;
        assert_eq!(missing, ("ResourceNotFoundException".into(), "Requested resource not found".into()));
        let both = world.refused("GetItem", json!({})).await;
        assert!(both.1.starts_with("2 validation errors detected: "), "{}", both.1);
    });
}

#[test]
fn capacity_is_told_where_it_is_asked_for() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        let item = json!({"id": {"S": "a"}, "v": {"S": "x".repeat(5000)}});
        let put = on(json!({"Item": item, "ReturnConsumedCapacity": "TOTAL"}));
        let consumed = json!({"ConsumedCapacity": {"TableName": "items", "CapacityUnits": 5.0}});
        assert_eq!(world.ok("PutItem", put).await, consumed);
        for (consistent, wanted, units) in [(false, "TOTAL", 1.0), (true, "INDEXES", 2.0)] {
            let get = on(json!({
                "Key": {"id": {"S": "a"}}, "ConsistentRead": consistent, "ReturnConsumedCapacity": wanted,
            }));
            let answer = world.ok("GetItem", get).await;
            assert_eq!(answer["ConsumedCapacity"]["CapacityUnits"], units);
            assert_eq!(answer["ConsumedCapacity"].get("Table").is_some(), wanted == "INDEXES");
        }
        let smaller = on(json!({"Item": {"id": {"S": "a"}}, "ReturnConsumedCapacity": "TOTAL"}));
        assert_eq!(world.ok("PutItem", smaller).await["ConsumedCapacity"]["CapacityUnits"], 5.0);
    });
}

#[test]
fn a_hot_counter_loses_no_update() {
    run(async {
        let world = Arc::new(World::new());
        world.table("items", None).await;
        let count = on(json!({
            "Key": {"id": {"S": "hot"}}, "UpdateExpression": "SET n = if_not_exists(n, :zero) + :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":zero": {"N": "0"}},
        }));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let (world, count) = (Arc::clone(&world), count.clone());
            tasks.spawn(async move { drop(world.ok("UpdateItem", count).await) });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let found = world.ok("GetItem", on(json!({"Key": {"id": {"S": "hot"}}}))).await;
        assert_eq!(found["Item"]["n"], json!({"N": "200"}));
    });
}
