//! What is put is counted, and what is wrong is named.

use serde_json::{Value, json};

use crate::world::MetricsWorld;

#[tokio::test]
async fn all_forms_of_a_datum_are_one_metric() {
    let world = MetricsWorld::new();
    world.put(json!({ "MetricName": "M", "Value": 4 })).await;
    world.put(json!({ "MetricName": "M", "Values": [1, 2], "Counts": [3, 1] })).await;
    let set = json!({ "SampleCount": 2, "Sum": 20, "Minimum": 9, "Maximum": 11 });
    world.put(json!({ "MetricName": "M", "StatisticValues": set })).await;
    let (now, end) = (world.now(), world.now() + 60);
    for (stat, expected) in [("SampleCount", 7.0), ("Sum", 29.0), ("Minimum", 1.0), ("Maximum", 11.0)] {
        assert_eq!(world.values(stat, 60, now, end).await, [(now, expected)], "{stat}");
    }
    assert!(world.values("p50", 60, now, end).await.is_empty(), "a set has no percentiles");
}

#[tokio::test]
async fn data_out_of_its_bounds_is_refused() {
    let world = MetricsWorld::new();
    let now = world.now();
    let check = async |namespace: &str, datum: Value, code: &str, part: &str| {
        let input = json!({ "Namespace": namespace, "MetricData": [datum] });
        let error = world.call("PutMetricData", input.clone()).await.expect_err(&input.to_string());
        assert_eq!(error.code, code, "{input}");
        assert!(error.message.contains(part), "{}", error.message);
    };
    let named = |rest: Value| {
        let mut datum = json!({ "MetricName": "M" });
        datum.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        datum
    };
    check("N", named(json!({})), "MissingParameter", "MetricData.member.1.Value").await;
    check("AWS/Mine", named(json!({ "Value": 1 })), "InvalidParameterValue", "AWS/Mine").await;
    check("N", named(json!({ "Value": 1e200 })), "InvalidParameterValue", "MetricData.member.1.Value").await;
    check("N", named(json!({ "Value": "NaN" })), "InvalidParameterValue", "NaN").await;
    check("N", named(json!({ "Value": 1, "Values": [1] })), "InvalidParameterCombination", "exclusive").await;
    check("N", named(json!({ "Values": [1], "Counts": [1, 2] })), "InvalidParameterValue", "same size").await;
    check(
        "N",
        named(json!({ "Value": 1, "Timestamp": now - 15 * 86_400 })),
        "InvalidParameterValue",
        "two weeks",
    )
    .await;
    check("N", named(json!({ "Value": 1, "Timestamp": now + 7_201 })), "InvalidParameterValue", "two hours")
        .await;
    check("N", named(json!({ "Value": 1, "StorageResolution": 1 })), "NotImplemented", "StorageResolution")
        .await;
    check(":N", named(json!({ "Value": 1 })), "ValidationException", "namespace").await;
}
