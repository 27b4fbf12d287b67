//! The span of an invocation.

use std::time::Duration;

use pagoda_base::SignedDuration;
use pagoda_service::{Context, Span, TraceHeader, trace_id};

use crate::Lambda;

use super::failure::Failure;
use super::run::Job;
use super::trace::Trace;

/// Tells what an invocation took, where somebody collects it.
pub(super) fn tell(
    lambda: &Lambda,
    cx: &Context,
    job: &Job,
    trace: &Trace,
    took: Duration,
    failure: Option<&Failure>,
) {
    let Some(spans) = lambda.ports.spans.as_ref().filter(|_| trace.is_passed()) else { return };
    let given = cx.origin.trace.as_deref().and_then(TraceHeader::parse);
    let now = lambda.ports.clock.now();
    spans.export(Span {
        trace_id: trace_id(&trace.root),
        span_id: trace.segment.clone(),
        parent_id: given.and_then(|header| header.parent).map(str::to_ascii_lowercase),
        service: job.loaded.id.name.clone(),
        name: job.loaded.id.name.clone(),
        start: now - SignedDuration::try_from(took).unwrap_or_default(),
        took,
        error: failure.map(|failure| failure.status.to_string()),
        attributes: vec![
            ("faas.invocation_id", cx.request_id.to_string()),
            ("faas.version", job.loaded.number.clone()),
            ("cloud.resource_id", job.function_arn.clone()),
        ],
    });
}
