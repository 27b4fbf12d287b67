//! What is asked for: periods, statistics, pages; the same after settling and over the years.

use serde_json::json;

use crate::world::MetricsWorld;

#[tokio::test]
async fn periods_are_answered_alike_before_and_after_settling() {
    let world = MetricsWorld::new();
    let start = world.now();
    for minute in 0..180 {
        let timestamp = start + minute * 60;
        world.world.clock.advance(pagoda_base::SignedDuration::from_secs(60));
        for value in [minute, 1_000 + minute] {
            world.put(json!({ "MetricName": "M", "Value": value, "Timestamp": timestamp })).await;
        }
    }
    let end = start + 180 * 60;
    let mut before = Vec::new();
    for (stat, period) in [("Sum", 3_600), ("Maximum", 300), ("p99", 3_600), ("SampleCount", 60)] {
        before.push(world.values(stat, period, start, end).await);
    }
    assert_eq!(before[0].len(), 3);
    assert_eq!(before[0][0], (start, f64::from((0..60).map(|n| 2 * n + 1_000).sum::<i32>())));
    assert_eq!(before[3].len(), 180);
    for _ in 0..3 {
        world.world.advance_hours(2);
        world.metrics.maintain().await;
    }
    let mut after = Vec::new();
    for (stat, period) in [("Sum", 3_600), ("Maximum", 300), ("p99", 3_600), ("SampleCount", 60)] {
        after.push(world.values(stat, period, start, end).await);
    }
    assert_eq!(before, after);
    // Minutes are gone after 15 days, hours stay.
    world.world.advance_hours(24 * 20);
    world.metrics.maintain().await;
    assert_eq!(world.values("Sum", 3_600, start, end).await, before[0]);
    let old = json!({ "Namespace": "N", "MetricName": "M", "Period": 60, "StartTime": start, "EndTime": end, "Statistics": ["Sum"] });
    assert_eq!(world.call("GetMetricStatistics", old).await.unwrap_err().code, "InvalidParameterValue");
    world.world.advance_hours(24 * 460);
    world.metrics.maintain().await;
    let rows = world.world.store.rows(pagoda_store::Read::Range {
        lo: pagoda_store::Key::raw(pagoda_store::Space::Log, vec![]),
        hi: pagoda_store::Key::raw(pagoda_store::Space::Log, vec![0xff]),
        limit: 10,
        bytes: 10_000,
        reverse: false,
    });
    assert_eq!(rows.await.unwrap().rows.len(), 0, "nothing is left after 455 days");
}

#[tokio::test]
async fn statistics_come_with_units_and_percentiles() {
    let world = MetricsWorld::new();
    for value in 1..=100 {
        world.put(json!({ "MetricName": "M", "Value": value, "Unit": "Milliseconds" })).await;
    }
    let (start, end) = (world.now(), world.now() + 60);
    let mut input = json!({
        "Namespace": "N", "MetricName": "M", "StartTime": start, "EndTime": end, "Period": 60,
        "Statistics": ["Average", "Maximum"],
    });
    let output = world.call("GetMetricStatistics", input.clone()).await.unwrap();
    let expected = json!([{ "Timestamp": start, "Average": 50.5, "Maximum": 100.0, "Unit": "Milliseconds" }]);
    assert_eq!(output["Datapoints"], expected);
    input.as_object_mut().unwrap().remove("Statistics");
    input["ExtendedStatistics"] = json!(["p90", "p100"]);
    let output = world.call("GetMetricStatistics", input.clone()).await.unwrap();
    let found = &output["Datapoints"][0]["ExtendedStatistics"];
    assert_eq!(found["p100"], 100.0);
    assert!((found["p90"].as_f64().unwrap() - 90.0).abs() <= 0.9, "{found}");
    input["Unit"] = json!("Seconds");
    assert_eq!(world.call("GetMetricStatistics", input.clone()).await.unwrap()["Datapoints"], json!([]));
    input["EndTime"] = json!(start + 1_441 * 60);
    let error = world.call("GetMetricStatistics", input).await.unwrap_err();
    assert_eq!(error.code, "InvalidParameterCombination");
    assert!(error.message.contains("up to 1441 datapoints"), "{}", error.message);
}

#[tokio::test]
async fn metrics_are_listed_by_their_dimensions() {
    let world = MetricsWorld::new();
    for (name, value) in [("A", "1"), ("A", "2"), ("B", "1")] {
        let dimensions = json!([{ "Name": "D", "Value": value }]);
        world.put(json!({ "MetricName": name, "Value": 1, "Dimensions": dimensions })).await;
    }
    let count =
        async |input| world.call("ListMetrics", input).await.unwrap()["Metrics"].as_array().unwrap().len();
    assert_eq!(count(json!({})).await, 3);
    assert_eq!(count(json!({ "MetricName": "A" })).await, 2);
    assert_eq!(count(json!({ "Dimensions": [{ "Name": "D", "Value": "1" }] })).await, 2);
    assert_eq!(count(json!({ "Namespace": "Other" })).await, 0);
    world.world.advance_hours(5);
    assert_eq!(count(json!({ "RecentlyActive": "PT3H" })).await, 0);
    world.world.advance_hours(15 * 24);
    assert_eq!(count(json!({})).await, 0);
}

#[tokio::test]
async fn datapoints_come_in_pages() {
    let world = MetricsWorld::new();
    let start = world.now() - 600;
    for minute in 0..10 {
        world.put(json!({ "MetricName": "M", "Value": minute, "Timestamp": start + minute * 60 })).await;
    }
    let stat = json!({ "Metric": { "Namespace": "N", "MetricName": "M" }, "Period": 60, "Stat": "Sum" });
    let mut input = json!({
        "MetricDataQueries": [{ "Id": "a", "MetricStat": stat }, { "Id": "b", "MetricStat": stat }],
        "StartTime": start, "EndTime": start + 600, "MaxDatapoints": 7,
    });
    let mut found = Vec::new();
    loop {
        let page = world.call("GetMetricData", input.clone()).await.unwrap();
        for result in page["MetricDataResults"].as_array().unwrap() {
            let values = result["Values"].as_array().unwrap().iter();
            found.extend(values.map(|value| format!("{}{value}", result["Id"].as_str().unwrap())));
        }
        match page.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => break,
        }
    }
    let expected = ["a", "b"].into_iter().flat_map(|id| (0..10).rev().map(move |n| format!("{id}{n}.0")));
    assert_eq!(found, expected.collect::<Vec<_>>());
    input["NextToken"] = json!("x");
    assert_eq!(world.call("GetMetricData", input.clone()).await.unwrap_err().code, "InvalidNextToken");
    input["MetricDataQueries"][0] = json!({ "Id": "e", "Expression": "a + b" });
    let error = world.call("GetMetricData", input).await.unwrap_err();
    assert!(error.status == 501 && error.message.contains("Expression"), "{error}");
}
