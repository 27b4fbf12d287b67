//! What is kept of every request: a log line, and counts for `/_pagoda/metrics`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use pagoda_base::ids::RequestId;

/// Counts of requests by destination and class of status. The table is fixed when it is made, so that
/// counting takes no lock.
pub struct Counters(BTreeMap<&'static str, [Count; CLASSES]>);

/// `1xx` to `5xx`.
const CLASSES: usize = 5;

#[derive(Default)]
struct Count {
    requests: AtomicU64,
    micros: AtomicU64,
}

/// An answered request.
pub(crate) struct Answered<'a> {
    pub(crate) request_id: RequestId,
    /// The service's signing name, or the data plane's.
    pub(crate) service: &'a str,
    /// The operation, where it is known.
    pub(crate) operation: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) took: Duration,
}

impl Counters {
    /// Counters for these destinations.
    pub fn new(services: impl IntoIterator<Item = &'static str>) -> Self {
        Self(services.into_iter().map(|service| (service, Default::default())).collect())
    }

    /// Counts one answered request and writes its log line.
    pub(crate) fn record(&self, answered: &Answered<'_>) {
        let Answered { request_id, service, operation, status, took } = answered;
        let micros = took.as_micros() as u64;
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES) - 1;
        if let Some(counts) = self.0.get(service) {
            counts[class].requests.fetch_add(1, Ordering::Relaxed);
            counts[class].micros.fetch_add(micros, Ordering::Relaxed);
        }
        tracing::debug!(%request_id, service, operation, status = status.as_u16(), micros, "answered");
    }

    /// The counts as Prometheus text.
    ///
    /// Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>
    pub(crate) fn prometheus(&self) -> String {
        let mut text = String::from("# TYPE pagoda_requests_total counter\n");
        self.each(|labels, count| {
            let _ = writeln!(
                text,
                "pagoda_requests_total{{{labels}}} {}",
                count.requests.load(Ordering::Relaxed)
            );
        });
        text.push_str("# TYPE pagoda_request_seconds_total counter\n");
        self.each(|labels, count| {
            let seconds = count.micros.load(Ordering::Relaxed) as f64 / 1e6;
            let _ = writeln!(text, "pagoda_request_seconds_total{{{labels}}} {seconds}");
        });
        text
    }

    fn each(&self, mut visit: impl FnMut(&str, &Count)) {
        for (service, counts) in &self.0 {
            for (class, count) in counts.iter().enumerate() {
                visit(&format!("service=\"{service}\",status=\"{}xx\"", class + 1), count);
            }
        }
    }
}
