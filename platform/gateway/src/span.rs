//! The span of a request, and the trace header under which the request goes on.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::request::Parts;
use pagoda_base::Timestamp;
use pagoda_base::ids::RequestId;
use pagoda_service::ports::ExportSpan;
use pagoda_service::{Span, TRACE_HEADER, TraceHeader};

/// The header that takes the place of the caller's, for all that the request leads to.
#[derive(Clone)]
pub(crate) struct Onward(pub(crate) String);

/// A span that has begun.
pub(crate) struct Begun {
    spans: Arc<dyn ExportSpan>,
    span: Span,
}

/// Begins the span of a request, unless its trace is not to be recorded.
pub(crate) fn begin(
    spans: &Arc<dyn ExportSpan>,
    request_id: RequestId,
    parts: &mut Parts,
    start: Timestamp,
) -> Option<Begun> {
    let given = parts.headers.get(TRACE_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let header = TraceHeader::parse(given);
    if header.is_some_and(|header| header.is_sampled == Some(false)) {
        return None;
    }
    let digits = request_id.to_string().replace('-', "");
    let span_id = digits.get(..16).unwrap_or_default().to_owned();
    let new = || format!("1-{:08x}-{}", start.as_second(), digits.get(..24).unwrap_or_default());
    let root = header.map_or_else(new, |header| header.root.to_owned());
    let parent_id = header.and_then(|header| header.parent).map(str::to_ascii_lowercase);
    let mut onward = format!("Root={root};Parent={span_id};Sampled=1");
    let own = ["Root=", "Parent=", "Sampled="];
    for field in given.split(';').map(str::trim).filter(|field| !field.is_empty()) {
        if !own.iter().any(|name| field.starts_with(name)) {
            onward.push(';');
            onward.push_str(field);
        }
    }
    parts.extensions.insert(Onward(onward));
    let attributes = vec![
        ("http.request.method", parts.method.to_string()),
        ("url.path", parts.uri.path().to_owned()),
        ("aws.request_id", request_id.to_string()),
    ];
    let span = Span {
        trace_id: pagoda_service::trace_id(&root),
        span_id,
        parent_id,
        service: "pagoda".to_owned(),
        name: String::new(),
        start,
        took: Duration::ZERO,
        error: None,
        attributes,
    };
    Some(Begun { spans: Arc::clone(spans), span })
}

impl Begun {
    /// The request was answered.
    pub(crate) fn end(mut self, service: &str, operation: &str, status: StatusCode, took: Duration) {
        self.span.name = match operation {
            "" => service.to_owned(),
            operation => format!("{service}.{operation}"),
        };
        self.span.took = took;
        self.span.error = status.is_server_error().then(|| status.to_string());
        self.span.attributes.push(("http.response.status_code", status.as_u16().to_string()));
        self.spans.export(self.span);
    }
}
