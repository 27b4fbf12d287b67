//! Transactions: all or nothing, whoever else writes.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::world::{World, run};

fn put(id: &str, n: u32) -> Value {
    json!({"Put": {"TableName": "items", "Item": {"id": {"S": id}, "n": {"N": n.to_string()}}}})
}

fn key(id: &str) -> Value {
    json!({"TableName": "items", "Key": {"id": {"S": id}}})
}

fn update(id: &str, expression: &str, amount: i64) -> Value {
    let mut update = key(id);
    update["UpdateExpression"] = json!(expression);
    update["ExpressionAttributeValues"] = json!({":a": {"N": amount.to_string()}});
    json!({ "Update": update })
}

fn with(kind: &str, id: &str, condition: &str) -> Value {
    let mut action = key(id);
    action["ConditionExpression"] = json!(condition);
    json!({ kind: action })
}

fn transaction(actions: Value) -> Value {
    json!({ "TransactItems": actions })
}

async fn n(world: &World, id: &str) -> Option<i64> {
    let found = world.ok("GetItem", key(id)).await;
    found["Item"]["n"]["N"].as_str().map(|text| text.parse().unwrap())
}

#[test]
fn all_kinds_of_actions_happen_together() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        world.table("others", None).await;
        world.ok("TransactWriteItems", transaction(json!([put("a", 1), put("b", 2)]))).await;
        let other = json!({"Put": {"TableName": "others", "Item": {"id": {"S": "x"}}}});
        let actions = json!([
            put("c", 3),
            update("a", "ADD n :a", 10),
            with("Delete", "b", "attribute_exists(id)"),
            with("ConditionCheck", "d", "attribute_not_exists(id)"),
            other,
        ]);
        let mut input = transaction(actions);
        input["ReturnConsumedCapacity"] = json!("TOTAL");
        let answer = world.ok("TransactWriteItems", input).await;
        let consumed: Vec<_> = answer["ConsumedCapacity"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["TableName"].as_str().unwrap(), one["CapacityUnits"].as_f64().unwrap()))
            .collect();
        assert_eq!(consumed, [("items", 8.0), ("others", 2.0)]);
        assert_eq!(
            [n(&world, "a").await, n(&world, "b").await, n(&world, "c").await],
            [Some(11), None, Some(3)]
        );
        let get = |id: &str| json!({ "Get": key(id) });
        let mut projected = get("c");
        projected["Get"]["ProjectionExpression"] = json!("n");
        let answer = world.ok("TransactGetItems", transaction(json!([get("a"), get("b"), projected]))).await;
        let expected =
            json!([{"Item": {"id": {"S": "a"}, "n": {"N": "11"}}}, {}, {"Item": {"n": {"N": "3"}}}]);
        assert_eq!(answer["Responses"], expected);
    });
}

#[test]
fn reasons_are_in_the_order_of_the_actions() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        world
            .ok("PutItem", json!({"TableName": "items", "Item": {"id": {"S": "a"}, "n": {"S": "text"}}}))
            .await;
        let mut shown = with("Delete", "a", "attribute_not_exists(id)");
        shown["Delete"]["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
        let rows = [
            (json!([put("b", 1), shown]), "[None, ConditionalCheckFailed]"),
            (
                json!([with("ConditionCheck", "x", "attribute_exists(id)"), put("b", 1)]),
                "[ConditionalCheckFailed, None]",
            ),
            (json!([update("a", "ADD n :a", 1), put("b", 1)]), "[ValidationError, None]"),
            (
                json!([put("b", 1), {"Delete": {"TableName": "items", "Key": {"other": {"S": "a"}}}}]),
                "[None, ValidationError]",
            ),
            (
                json!([put("b", 1), {"Put": {"TableName": "items", "Item": {"id": {"N": "1"}}}}]),
                "[None, ValidationError]",
            ),
        ];
        for (actions, codes) in rows {
            let (code, message) = world.refused("TransactWriteItems", transaction(actions.clone())).await;
            assert_eq!(code, "TransactionCanceledException", "{actions}");
            assert!(message.ends_with(codes), "{actions}: {message}");
            assert_eq!(n(&world, "b").await, None, "nothing happened");
        }
        let rows = [
            (json!([put("b", 1), put("b", 2)]), "multiple operations on one item"),
            (json!([{}]), "can only contain one of"),
            (json!([{"Put": put("b", 1)["Put"], "Delete": key("b")}]), "can only contain one of"),
            (json!([update("b", "SET id = :a", 1)]), ""),
        ];
        for (actions, text) in rows {
            let (_, message) = world.refused("TransactWriteItems", transaction(actions.clone())).await;
            assert!(message.contains(text), "{actions}: {message}");
        }
        let missing = json!([{"Put": {"TableName": "missing", "Item": {"id": {"S": "a"}}}}]);
        assert_eq!(
            world.refused("TransactWriteItems", transaction(missing)).await.0,
            "ResourceNotFoundException"
        );
        let many: Vec<_> = (0..101).map(|number| put(&number.to_string(), 1)).collect();
        assert_eq!(
            world.refused("TransactWriteItems", transaction(json!(many))).await.0,
            "ValidationException"
        );
    });
}

#[test]
fn a_token_makes_a_transaction_happen_once() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        let once = |amount: i64| {
            let mut input = transaction(json!([update("a", "ADD n :a", amount)]));
            input["ClientRequestToken"] = json!("token");
            input
        };
        for _ in 0..3 {
            world.ok("TransactWriteItems", once(1)).await;
        }
        assert_eq!(n(&world, "a").await, Some(1));
        assert_eq!(
            world.refused("TransactWriteItems", once(2)).await.0,
            "IdempotentParameterMismatchException"
        );
        world.advance(601);
        world.ok("TransactWriteItems", once(2)).await;
        assert_eq!(n(&world, "a").await, Some(3));
    });
}

#[test]
fn money_is_moved_and_never_made() {
    run(async {
        const ACCOUNTS: u64 = 5;
        let world = Arc::new(World::new());
        world.table("items", None).await;
        for account in 0..ACCOUNTS {
            world.ok("TransactWriteItems", transaction(json!([put(&account.to_string(), 100)]))).await;
        }
        let mover = |seed: u64| {
            let world = Arc::clone(&world);
            async move {
                let mut moved = 0;
                for step in 0..40 {
                    let from = (seed * 7 + step * 3) % ACCOUNTS;
                    let to = (from + 1 + (seed + step) % (ACCOUNTS - 1)) % ACCOUNTS;
                    let mut taken = update(&from.to_string(), "SET n = n - :a", 30);
                    taken["Update"]["ConditionExpression"] = json!("n >= :a");
                    let actions = json!([taken, update(&to.to_string(), "SET n = n + :a", 30)]);
                    match world.call("TransactWriteItems", transaction(actions)).await {
                        Ok(_) => moved += 1,
                        Err(error) => assert_eq!(error.code, "TransactionCanceledException"),
                    }
                    let get = |account: u64| json!({ "Get": key(&account.to_string()) });
                    let all: Vec<_> = (0..ACCOUNTS).map(get).collect();
                    let seen = world.ok("TransactGetItems", transaction(json!(all))).await;
                    let responses = seen["Responses"].as_array().unwrap();
                    let sum: i64 = responses
                        .iter()
                        .map(|one| one["Item"]["n"]["N"].as_str().unwrap().parse::<i64>().unwrap())
                        .sum();
                    assert_eq!(sum, 100 * ACCOUNTS as i64);
                }
                moved
            }
        };
        let tasks: Vec<_> = (0..6).map(|seed| tokio::spawn(mover(seed))).collect();
        let mut moved = 0;
        for task in tasks {
            moved += task.await.unwrap();
        }
        assert!(moved > 40, "{moved}");
    });
}

#[test]
fn each_action_needs_its_permission() {
    run(async {
        let allow = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:GetItem"], "Resource": "*",
             "Condition": {"StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems", "TransactGetItems"]}}},
        ]});
        let world = World::with_policy(Some(allow));
        world.table("items", None).await;
        let put = transaction(json!([put("a", 1)]));
        assert!(world.call_as_user("TransactWriteItems", put.clone()).await.is_ok());
        assert!(
            world.call_as_user("TransactGetItems", transaction(json!([{ "Get": key("a") }]))).await.is_ok()
        );
        let alone = json!({"TableName": "items", "Item": {"id": {"S": "a"}}});
        assert_eq!(world.call_as_user("PutItem", alone).await.unwrap_err().code, "AccessDeniedException");
        let checked = transaction(json!([with("ConditionCheck", "a", "attribute_exists(id)")]));
        let error = world.call_as_user("TransactWriteItems", checked).await.unwrap_err();
        assert_eq!(error.code, "AccessDeniedException");
        assert!(error.message.contains("dynamodb:ConditionCheckItem"), "{}", error.message);
    });
}
