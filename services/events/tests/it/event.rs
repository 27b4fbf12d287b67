//! From an event to what its targets are told.

use pagoda_protocol::ApiError;
use serde_json::json;

use crate::world::EventsWorld;

#[tokio::test]
async fn what_matches_is_delivered_and_nothing_else() {
    let world = EventsWorld::new();
    let pattern = json!({ "source": ["shop"], "detail": { "total": [{ "numeric": [">", 10] }] } });
    world.rule(json!({ "Name": "large", "EventPattern": pattern.to_string() }), json!({})).await;
    world
        .rule(json!({ "Name": "off", "EventPattern": pattern.to_string(), "State": "DISABLED" }), json!({}))
        .await;
    let put = world.put("shop", json!({ "total": 11 })).await;
    world.put("shop", json!({ "total": 9 })).await;
    world.put("other", json!({ "total": 11 })).await;
    let taken = world.after(0).await;
    let expected = json!({
        "version": "0", "id": put["Entries"][0]["EventId"], "detail-type": "T", "source": "shop",
        "account": "123456789012", "time": "2026-01-15T12:00:00Z", "region": "us-east-1", "resources": [],
        "detail": { "total": 11 },
    });
    assert_eq!(taken, [("arn:aws:events:us-east-1:123456789012:rule/large".to_owned(), expected)]);
    assert!(world.after(1_000).await.is_empty(), "once");
    assert_eq!(world.measured.of("Invocations large"), [1.0]);
    assert_eq!(world.measured.of("TriggeredRules large"), [1.0]);
}

#[tokio::test]
async fn targets_get_what_they_ask_for() {
    let world = EventsWorld::new();
    let rule = |name: &str| json!({ "Name": name, "EventPattern": r#"{"source":["s"]}"# });
    world.rule(rule("a"), json!({ "Input": "{\"constant\":1}" })).await;
    world.rule(rule("b"), json!({ "InputPath": "$.detail.x" })).await;
    let transformer = json!({ "InputPathsMap": { "x": "$.detail.x" }, "InputTemplate": "\"x is <x>\"" });
    world.rule(rule("c"), json!({ "InputTransformer": transformer })).await;
    world.put("s", json!({ "x": [1] })).await;
    let mut taken: Vec<_> = world.after(0).await.into_iter().map(|(_, event)| event.to_string()).collect();
    taken.sort();
    assert_eq!(taken, [r#""x is [1]""#, "[1]", r#"{"constant":1}"#]);
}

#[tokio::test]
async fn a_delivery_outlives_the_process_and_is_tried_again() {
    let world = EventsWorld::new();
    world.rule(json!({ "Name": "r", "EventPattern": r#"{"source":["s"]}"# }), json!({})).await;
    world.put("s", json!({})).await;
    let world = world.restarted();
    *world.functions.refuses.lock().unwrap() = Some(ApiError::new("ServiceException", 503, "busy"));
    assert!(world.after(0).await.is_empty());
    *world.functions.refuses.lock().unwrap() = None;
    assert!(world.after(1).await.is_empty(), "it waits a little");
    assert_eq!(world.after(1).await.len(), 1);
}

#[tokio::test]
async fn a_delivery_is_given_up_when_its_retries_are_over_or_nothing_can_help() {
    let world = EventsWorld::new();
    let policy = json!({ "RetryPolicy": { "MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60 } });
    world.rule(json!({ "Name": "r", "EventPattern": r#"{"source":["s"]}"# }), policy).await;
    let refuse = |status| *world.functions.refuses.lock().unwrap() = Some(ApiError::new("Code", status, ""));
    refuse(503);
    world.put("s", json!({})).await;
    for _ in 0..5 {
        world.after(10).await;
    }
    assert_eq!(world.measured.of("InvocationAttempts r").len(), 2);
    assert_eq!(world.measured.of("FailedInvocations r"), [1.0]);
    refuse(403);
    world.put("s", json!({})).await;
    world.after(0).await;
    world.after(100).await;
    assert_eq!(world.measured.of("InvocationAttempts r").len(), 3, "who may not, need not try again");
}

#[tokio::test]
async fn entries_are_checked_one_by_one() {
    let world = EventsWorld::new();
    let good = json!({ "Source": "s", "DetailType": "t", "Detail": "{}" });
    let with = |name: &str, value: serde_json::Value| {
        let mut entry = good.clone();
        entry[name] = value;
        entry
    };
    let entries = json!([
        good,
        with("Source", json!("")),
        with("Detail", json!("[]")),
        with("Detail", json!("{")),
        with("Source", json!("aws.s3")),
        with("EventBusName", json!("none")),
    ]);
    let output = world.must("PutEvents", json!({ "Entries": entries })).await;
    assert_eq!(output["FailedEntryCount"], 5);
    let codes: Vec<_> =
        output["Entries"].as_array().unwrap().iter().map(|entry| entry["ErrorCode"].as_str()).collect();
    let expected = [
        "InvalidArgument",
        "MalformedDetail",
        "MalformedDetail",
        "NotAuthorizedForSourceException",
        "ResourceNotFoundException",
    ];
    assert_eq!(codes[0], None);
    assert_eq!(codes[1..], expected.map(Some));
    let large =
        json!({ "Entries": [with("Detail", json!(format!("{{\"x\":\"{}\"}}", "x".repeat(1 << 20))))] });
    assert_eq!(world.refused("PutEvents", large).await.0, "ValidationException");
}
