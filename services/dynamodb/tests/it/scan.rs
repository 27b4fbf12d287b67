//! Scan: all items once, in one or in many segments.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{World, run};

async fn fill(world: &World, count: usize) {
    world.table("items", None).await;
    for id in 0..count {
        let item = json!({"id": {"S": format!("item-{id}")}, "n": {"N": id.to_string()}});
        world.ok("PutItem", json!({"TableName": "items", "Item": item})).await;
    }
}

async fn all(world: &World, mut input: Value) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let page = world.ok("Scan", input.clone()).await;
        let items = page["Items"].as_array().unwrap();
        ids.extend(items.iter().map(|item| item["id"]["S"].as_str().unwrap().to_owned()));
        match page.get("LastEvaluatedKey") {
            Some(key) => input["ExclusiveStartKey"] = key.clone(),
            None => return ids,
        }
    }
}

#[test]
fn pages_and_segments_hold_every_item_once() {
    run(async {
        let world = World::new();
        fill(&world, 60).await;
        let expected: BTreeSet<_> = (0..60).map(|id| format!("item-{id}")).collect();
        for total in [1, 2, 3, 7, 1_000_000] {
            let mut found = Vec::new();
            for segment in 0..total.min(7) {
                let input = json!({
                    "TableName": "items", "Limit": 4, "Segment": segment, "TotalSegments": total,
                });
                found.extend(all(&world, input).await);
            }
            if total <= 7 {
                assert_eq!(found.len(), 60, "{total}");
                assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected, "{total}");
            }
        }
        let halves = all(&world, json!({"TableName": "items", "Segment": 0, "TotalSegments": 2})).await;
        assert!((10..50).contains(&halves.len()), "keys are spread evenly: {}", halves.len());
    });
}

#[test]
fn filters_and_projections_apply() {
    run(async {
        let world = World::new();
        fill(&world, 10).await;
        let input = json!({
            "TableName": "items", "FilterExpression": "n >= :n", "ExpressionAttributeValues": {":n": {"N": "8"}},
            "ProjectionExpression": "n",
        });
        let page = world.ok("Scan", input).await;
        assert_eq!((&page["Count"], &page["ScannedCount"]), (&json!(2), &json!(10)));
        let numbers: BTreeSet<_> =
            page["Items"].as_array().unwrap().iter().map(|item| item.to_string()).collect();
        assert_eq!(
            numbers,
            BTreeSet::from([r#"{"n":{"N":"8"}}"#.to_owned(), r#"{"n":{"N":"9"}}"#.to_owned()])
        );
    });
}

#[test]
fn wrong_scans_are_refused() {
    run(async {
        let world = World::new();
        fill(&world, 20).await;
        for (changes, message) in [
            (
                json!({"Segment": 0}),
                "The TotalSegments parameter is required but was not present in the request when Segment parameter is \
                 present",
            ),
            (
                json!({"TotalSegments": 2}),
                "The Segment parameter is required but was not present in the request when parameter TotalSegments is \
                 present",
            ),
            (
                json!({"Segment": 2, "TotalSegments": 2}),
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not \
                 less than TotalSegments: 2",
            ),
            (
                json!({"Select": "SPECIFIC_ATTRIBUTES"}),
                "One or more parameter values were invalid: Must specify the AttributesToGet or ProjectionExpression \
                 when choosing to get SPECIFIC_ATTRIBUTES",
            ),
            (
                json!({"ExpressionAttributeValues": {":a": {"S": "a"}}}),
                "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null",
            ),
        ] {
            let mut input = json!({"TableName": "items"});
            for (name, value) in changes.as_object().unwrap() {
                input[name] = value.clone();
            }
            world.invalid("Scan", input, message).await;
        }
        let first = json!({"TableName": "items", "Limit": 1, "Segment": 0, "TotalSegments": 2});
        let key = world.ok("Scan", first).await["LastEvaluatedKey"].take();
        let elsewhere =
            json!({"TableName": "items", "Segment": 1, "TotalSegments": 2, "ExclusiveStartKey": key});
        let refused = world.refused("Scan", elsewhere).await;
        assert!(refused.1.contains("correct Segment"), "{}", refused.1);
    });
}
