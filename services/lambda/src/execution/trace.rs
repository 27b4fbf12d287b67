//! The trace that an invocation belongs to, as the header `X-Amzn-Trace-Id` has it.
//!
//! A function with active tracing has all its invocations sampled (AWS samples the first of each second, and
//! every twentieth of the others). There is no X-Ray: the trace is told to the function, which hands it on, and
//! stands in the log.
//!
//! Source: <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>

use pagoda_base::Timestamp;
use pagoda_service::Context;
use serde_json::{Value, json};

/// A trace, and the segment that is the invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    root: String,
    segment: String,
    pub(super) is_sampled: bool,
}

impl Trace {
    /// The trace of a request.
    pub(super) fn of(cx: &Context, now: Timestamp, is_sampled: bool) -> Self {
        let digits = cx.request_id.to_string().replace('-', "");
        let (root, segment) = (digits.get(..24).unwrap_or_default(), digits.get(16..32).unwrap_or_default());
        Self { root: format!("1-{:08x}-{root}", now.as_second()), segment: segment.to_owned(), is_sampled }
    }

    /// The header's value.
    pub(super) fn header(&self) -> String {
        format!("Root={};Parent={};Sampled={}", self.root, self.segment, u8::from(self.is_sampled))
    }

    /// The line that ends a report.
    pub(super) fn line(&self) -> String {
        format!("XRAY TraceId: {}\tSegmentId: {}\tSampled: true\t", self.root, self.segment)
    }

    /// As the Telemetry API tells it.
    pub(super) fn json(&self) -> Value {
        json!({ "spanId": self.segment, "type": "X-Amzn-Trace-Id", "value": self.header() })
    }
}
