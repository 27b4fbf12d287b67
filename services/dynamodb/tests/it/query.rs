//! Query: the same answers as a model's, page by page.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{World, run};

async fn fill(world: &World, kind: &str, sorts: &[&str]) {
    world.table("events", Some(kind)).await;
    for id in ["a", "b", "a\u{0}"] {
        for sort in sorts {
            let item = json!({"id": {"S": id}, "at": {(kind): sort}, "odd": {"BOOL": sort.len() % 2 == 1}});
            world.ok("PutItem", json!({"TableName": "events", "Item": item})).await;
        }
    }
}

fn query(condition: &str, values: Value) -> Value {
    json!({"TableName": "events", "KeyConditionExpression": condition, "ExpressionAttributeValues": values})
}

fn sorts(answer: &Value, kind: &str) -> Vec<String> {
    let items = answer["Items"].as_array().unwrap();
    items.iter().map(|item| item["at"][kind].as_str().unwrap().to_owned()).collect()
}

#[test]
fn ranges_of_sort_keys_are_read_in_their_order() {
    run(async {
        let world = World::new();
        fill(
            &world,
            "S",
            &["", "b", "ba", "bb", "c", "é", "z", "😀"].map(|s| if s.is_empty() { "\u{0}" } else { s }),
        )
        .await;
        for (condition, low, high, expected) in [
            ("", "", "", vec!["\u{0}", "b", "ba", "bb", "c", "z", "é", "😀"]),
            ("AND #at = :l", "b", "", vec!["b"]),
            ("AND #at < :l", "ba", "", vec!["\u{0}", "b"]),
            ("AND #at <= :l", "ba", "", vec!["\u{0}", "b", "ba"]),
            ("AND #at > :l", "c", "", vec!["z", "é", "😀"]),
            ("AND #at >= :l", "c", "", vec!["c", "z", "é", "😀"]),
            ("AND #at BETWEEN :l AND :h", "b", "bb", vec!["b", "ba", "bb"]),
            ("AND begins_with(#at, :l)", "b", "", vec!["b", "ba", "bb"]),
            ("AND begins_with(#at, :l)", "😀", "", vec!["😀"]),
        ] {
            let mut values = json!({":id": {"S": "a"}});
            for (name, value) in [(":l", low), (":h", high)] {
                if !value.is_empty() {
                    values[name] = json!({"S": value});
                }
            }
            let mut input = query(&format!("id = :id {condition}"), values);
            if !condition.is_empty() {
                input["ExpressionAttributeNames"] = json!({"#at": "at"});
            }
            assert_eq!(
                sorts(&world.ok("Query", input.clone()).await, "S"),
                expected,
                "{condition} {low} {high}"
            );
            input["ScanIndexForward"] = json!(false);
            let backwards: Vec<_> = expected.into_iter().rev().collect();
            assert_eq!(sorts(&world.ok("Query", input).await, "S"), backwards, "{condition} backwards");
        }
    });
}

#[test]
fn filters_limits_and_counts() {
    run(async {
        let world = World::new();
        fill(&world, "N", &["1", "2", "10", "-3"]).await;
        let mut input = query("id = :id", json!({":id": {"S": "a"}, ":odd": {"BOOL": true}}));
        input["FilterExpression"] = json!("odd = :odd");
        input["Limit"] = json!(3);
        let page = world.ok("Query", input.clone()).await;
        assert_eq!(sorts(&page, "N"), ["1", "2"]);
        assert_eq!((&page["Count"], &page["ScannedCount"]), (&json!(2), &json!(3)));
        assert_eq!(page["LastEvaluatedKey"], json!({"id": {"S": "a"}, "at": {"N": "2"}}));
        input["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
        let rest = world.ok("Query", input.clone()).await;
        assert_eq!(rest, json!({"Items": [], "Count": 0, "ScannedCount": 1}));
        let mut count = query("id = :id", json!({":id": {"S": "a"}}));
        count["Select"] = json!("COUNT");
        assert_eq!(world.ok("Query", count.clone()).await, json!({"Count": 4, "ScannedCount": 4}));
        count["Limit"] = json!(4);
        assert!(world.ok("Query", count).await["LastEvaluatedKey"].is_object());
    });
}

#[test]
fn pages_end_at_a_megabyte() {
    run(async {
        let world = World::new();
        world.table("events", Some("N")).await;
        for at in 0..5 {
            let item =
                json!({"id": {"S": "a"}, "at": {"N": at.to_string()}, "v": {"S": "x".repeat(300 * 1024)}});
            world.ok("PutItem", json!({"TableName": "events", "Item": item})).await;
        }
        let mut input = query("id = :id", json!({":id": {"S": "a"}}));
        input["ReturnConsumedCapacity"] = json!("TOTAL");
        let page = world.ok("Query", input.clone()).await;
        assert_eq!(page["Count"], 3);
        assert_eq!(page["ConsumedCapacity"]["CapacityUnits"], 112.5 + 0.5);
        input["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
        let rest = world.ok("Query", input).await;
        assert_eq!(rest["Count"], 2);
        assert!(rest.get("LastEvaluatedKey").is_none());
    });
}

#[test]
fn wrong_queries_are_refused() {
    run(async {
        let world = World::new();
        fill(&world, "S", &["x"]).await;
        let values = json!({":id": {"S": "a"}});
        let start = |key: Value| {
            let mut input = query("id = :id", values.clone());
            input["ExclusiveStartKey"] = key;
            input
        };
        for (input, message) in [
            (
                json!({"TableName": "events"}),
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
            ),
            (
                start(json!({"id": {"S": "a"}})),
                "The provided starting key is invalid: The provided key element does not match the schema",
            ),
            (
                start(json!({"id": {"S": "b"}, "at": {"S": "x"}})),
                "The provided starting key is outside query boundaries based on provided conditions",
            ),
            (
                json!({
                    "TableName": "events", "KeyConditionExpression": "id = :id", "FilterExpression": "at = :id",
                    "ExpressionAttributeValues": values,
                }),
                // "at" is reserved, so the expression never gets as far as the key.
                "Invalid FilterExpression: Attribute name is a reserved keyword; reserved keyword: at",
            ),
            (
                json!({
                    "TableName": "events", "KeyConditionExpression": "id = :id", "FilterExpression": "size(id) > :id",
                    "ExpressionAttributeValues": values,
                }),
                "Filter Expression can only contain non-primary key attributes: Primary key attribute: id",
            ),
        ] {
            world.invalid("Query", input, message).await;
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn pages_together_are_what_a_model_answers(
        keys in proptest::collection::btree_set(-50i64..50, 0..30),
        low in -60i64..60, width in 0i64..60, limit in 1usize..8, forward in any::<bool>(),
    ) {
        run(async {
            let world = World::new();
            world.table("events", Some("N")).await;
            for key in &keys {
                let item = json!({"id": {"S": "a"}, "at": {"N": key.to_string()}});
                world.ok("PutItem", json!({"TableName": "events", "Item": item})).await;
            }
            let mut expected: Vec<_> =
                keys.range(low..=low + width).map(i64::to_string).collect();
            if !forward {
                expected.reverse();
            }
            let mut input = query("id = :id AND #at BETWEEN :l AND :h", json!({
                ":id": {"S": "a"}, ":l": {"N": low.to_string()}, ":h": {"N": (low + width).to_string()},
            }));
            input["ExpressionAttributeNames"] = json!({"#at": "at"});
            input["Limit"] = json!(limit);
            input["ScanIndexForward"] = json!(forward);
            let mut found = Vec::new();
            loop {
                let page = world.ok("Query", input.clone()).await;
                assert!(page["Count"].as_u64().unwrap() <= limit as u64);
                found.extend(sorts(&page, "N"));
                match page.get("LastEvaluatedKey") {
                    Some(key) => input["ExclusiveStartKey"] = key.clone(),
                    None => break,
                }
            }
            assert_eq!(found, expected);
        });
    }
}
