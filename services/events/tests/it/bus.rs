//! Buses of one's own.

use serde_json::json;

use crate::world::{EventsWorld, FUNCTION};

#[tokio::test]
async fn a_bus_has_its_own_rules() {
    let world = EventsWorld::new();
    let arn = world.must("CreateEventBus", json!({ "Name": "own", "Description": "d" })).await["EventBusArn"]
        .clone();
    assert_eq!(arn, "arn:aws:events:us-east-1:123456789012:event-bus/own");
    assert_eq!(
        world.refused("CreateEventBus", json!({ "Name": "own" })).await.0,
        "ResourceAlreadyExistsException"
    );
    let pattern = r#"{"source":["s"]}"#;
    world.must("PutRule", json!({ "Name": "r", "EventPattern": pattern, "EventBusName": arn })).await;
    let target = json!({ "Rule": "r", "EventBusName": "own", "Targets": [{ "Id": "t", "Arn": FUNCTION }] });
    world.must("PutTargets", target).await;
    world.put("s", json!({})).await;
    assert!(world.after(0).await.is_empty(), "the default bus has no such rule");
    let entry = json!({ "Source": "s", "DetailType": "T", "Detail": "{}", "EventBusName": "own" });
    world.must("PutEvents", json!({ "Entries": [entry] })).await;
    assert_eq!(world.after(0).await[0].0, "arn:aws:events:us-east-1:123456789012:rule/own/r");
    let buses = world.must("ListEventBuses", json!({})).await;
    let names: Vec<_> =
        buses["EventBuses"].as_array().unwrap().iter().map(|bus| bus["Name"].clone()).collect();
    assert_eq!(names, ["default", "own"]);
    assert_eq!(world.must("DescribeEventBus", json!({})).await["Name"], "default");
    assert_eq!(world.refused("DeleteEventBus", json!({ "Name": "own" })).await.0, "ValidationException");
    assert_eq!(world.refused("DeleteEventBus", json!({ "Name": "default" })).await.0, "ValidationException");
    world.must("RemoveTargets", json!({ "Rule": "r", "EventBusName": "own", "Ids": ["t"] })).await;
    world.must("DeleteRule", json!({ "Name": "r", "EventBusName": "own" })).await;
    world.must("DeleteEventBus", json!({ "Name": "own" })).await;
    assert_eq!(
        world.refused("DescribeEventBus", json!({ "Name": "own" })).await.0,
        "ResourceNotFoundException"
    );
}
