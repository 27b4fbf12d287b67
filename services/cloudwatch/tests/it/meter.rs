//! What the platform itself records.

use pagoda_service::ports::{MetricName, RecordMetric as _};
use pagoda_testkit::{ACCOUNT, REGION};
use serde_json::json;

use crate::world::MetricsWorld;

#[tokio::test]
async fn what_is_recorded_is_found_and_survives() {
    let world = MetricsWorld::new();
    let name = MetricName {
        account: ACCOUNT.parse().unwrap(),
        region: REGION.parse().unwrap(),
        namespace: "N",
        name: "M",
        dimensions: vec![vec![], vec![("D", "1".to_owned())]],
        unit: "Count",
    };
    let start = world.now();
    let meter = world.metrics.meter(name.clone());
    for _ in 0..1_000 {
        meter.record(2.0);
    }
    world.world.clock.advance(pagoda_base::SignedDuration::from_secs(60));
    world.metrics.meter(name).record(5.0);
    assert_eq!(world.values("Sum", 60, start, start + 120).await, [(start, 2_000.0), (start + 60, 5.0)]);
    let listed = world.call("ListMetrics", json!({})).await.unwrap();
    assert_eq!(listed["Metrics"].as_array().unwrap().len(), 2, "one for each set of dimensions");
    meter.record(7.0);
    world.metrics.close().await;
    let again = world.restarted();
    assert_eq!(again.values("Sum", 60, start + 60, start + 120).await, [(start + 60, 12.0)]);
}
