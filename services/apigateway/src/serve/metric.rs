//! What is measured of a stage: looked up when its deployment is read, so that a request only records.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html>

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use pagoda_base::{AccountId, Region};
use pagoda_service::ports::{Meter, MetricName, RecordMetric};

const NAMESPACE: &str = "AWS/ApiGateway";

/// The meters of a stage, or of one of its methods.
pub(crate) struct Gauges {
    count: Arc<dyn Meter>,
    latency: Arc<dyn Meter>,
    integration_latency: Arc<dyn Meter>,
    cache_hits: Arc<dyn Meter>,
    cache_misses: Arc<dyn Meter>,
    client_errors: Arc<dyn Meter>,
    server_errors: Arc<dyn Meter>,
}

/// Makes the meters of a stage.
pub(crate) struct Gauging<'a> {
    pub(crate) record: &'a dyn RecordMetric,
    pub(crate) account: AccountId,
    pub(crate) region: &'a Region,
    /// The API's name.
    pub(crate) api: &'a str,
    pub(crate) stage: &'a str,
}

impl Gauging<'_> {
    /// Of requests that no method answers.
    pub(crate) fn of_stage(&self) -> Arc<Gauges> {
        self.gauges(self.sets())
    }

    /// Of requests to a method of the resource `path` that has metrics of its own; the stage's and the API's are
    /// among them.
    pub(crate) fn of_method(&self, path: &str, verb: &str) -> Arc<Gauges> {
        let mut sets = self.sets();
        let stage = sets.last().cloned().unwrap_or_default();
        let method = [("Method", verb.to_owned()), ("Resource", path.to_owned())];
        sets.push(stage.into_iter().chain(method).collect());
        self.gauges(sets)
    }

    fn sets(&self) -> Vec<Vec<(&'static str, String)>> {
        let api = ("ApiName", self.api.to_owned());
        vec![vec![api.clone()], vec![api, ("Stage", self.stage.to_owned())]]
    }

    fn gauges(&self, dimensions: Vec<Vec<(&'static str, String)>>) -> Arc<Gauges> {
        let meter = |name, unit| {
            self.record.meter(MetricName {
                account: self.account,
                region: self.region.clone(),
                namespace: NAMESPACE,
                name,
                dimensions: dimensions.clone(),
                unit,
            })
        };
        Arc::new(Gauges {
            count: meter("Count", "Count"),
            latency: meter("Latency", "Milliseconds"),
            integration_latency: meter("IntegrationLatency", "Milliseconds"),
            cache_hits: meter("CacheHitCount", "Count"),
            cache_misses: meter("CacheMissCount", "Count"),
            client_errors: meter("4XXError", "Count"),
            server_errors: meter("5XXError", "Count"),
        })
    }
}

impl Gauges {
    /// For tests of other things.
    #[cfg(test)]
    pub(crate) fn unmeasured() -> Arc<Self> {
        let (account, region) =
            (pagoda_testkit::ACCOUNT.parse().unwrap(), pagoda_testkit::REGION.parse().unwrap());
        let record = pagoda_testkit::Measured::default();
        Gauging { record: &record, account, region: &region, api: "a", stage: "s" }.of_stage()
    }

    /// A request was answered.
    pub(crate) fn answered(&self, status: StatusCode, took: Duration) {
        self.count.record(1.0);
        self.latency.record(millis(took));
        self.client_errors.record(if status.is_client_error() { 1.0 } else { 0.0 });
        self.server_errors.record(if status.is_server_error() { 1.0 } else { 0.0 });
    }

    /// The stage's cache had the answer.
    pub(crate) fn cache_hit(&self) {
        self.cache_hits.record(1.0);
    }

    /// The stage's cache did not have the answer.
    pub(crate) fn cache_missed(&self) {
        self.cache_misses.record(1.0);
    }

    /// What stands behind the method answered, or did not.
    pub(crate) fn integrated(&self, took: Duration) {
        self.integration_latency.record(millis(took));
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
