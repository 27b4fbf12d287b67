//! The service in a world of its own.

use std::sync::Arc;

use pagoda_cloudwatch::CloudWatch;
use pagoda_protocol::ApiError;
use pagoda_service::Api;
use pagoda_testkit::World;
use serde_json::{Value, json};

pub(crate) struct MetricsWorld {
    pub(crate) world: World,
    pub(crate) metrics: Arc<CloudWatch>,
    api: Api,
}

impl MetricsWorld {
    pub(crate) fn new() -> Self {
        let world = World::new();
        Self::over(world)
    }

    /// Another process over the same store.
    pub(crate) fn restarted(self) -> Self {
        Self::over(self.world)
    }

    fn over(world: World) -> Self {
        let metrics = CloudWatch::new(world.store.clone(), world.clock.clone());
        Self { api: Api::of(&metrics), metrics, world }
    }

    /// Seconds since 1970; the world begins at a full hour.
    pub(crate) fn now(&self) -> i64 {
        self.world.now_millis() / 1000
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let cx = self.world.context(self.world.root());
        let operation = self.api.operation(operation).unwrap();
        let input = operation.decode_json(&input)?;
        Ok(operation.call(&cx, input).await?.encode_json())
    }

    pub(crate) async fn put(&self, datum: Value) {
        self.call("PutMetricData", json!({ "Namespace": "N", "MetricData": [datum] })).await.unwrap();
    }

    /// Time and value of each datapoint of N/M, in order.
    pub(crate) async fn values(&self, stat: &str, period: i64, start: i64, end: i64) -> Vec<(i64, f64)> {
        let stat =
            json!({ "Metric": { "Namespace": "N", "MetricName": "M" }, "Period": period, "Stat": stat });
        let input = json!({
            "MetricDataQueries": [{ "Id": "m", "MetricStat": stat }], "StartTime": start, "EndTime": end,
            "ScanBy": "TimestampAscending",
        });
        let output = self.call("GetMetricData", input).await.unwrap();
        let result = &output["MetricDataResults"][0];
        let times = result["Timestamps"].as_array().unwrap().iter().map(|time| time.as_i64().unwrap());
        let values = result["Values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
        times.zip(values).collect()
    }
}
