//! Spans in OTLP's JSON.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use std::collections::BTreeMap;

use pagoda_service::Span;
use serde_json::{Value, json};

/// `SPAN_KIND_SERVER`, and `STATUS_CODE_ERROR`.
const SERVER: i32 = 2;
const ERROR: i32 = 2;

/// An `ExportTraceServiceRequest`.
pub(super) fn batch(spans: &[Span]) -> String {
    let mut services: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for span in spans {
        services.entry(&span.service).or_default().push(one(span));
    }
    let resources: Vec<Value> = services
        .into_iter()
        .map(|(service, spans)| {
            json!({
                "resource": { "attributes": [attribute("service.name", service)] },
                "scopeSpans": [{ "scope": { "name": "pagoda", "version": env!("CARGO_PKG_VERSION") }, "spans": spans }],
            })
        })
        .collect();
    json!({ "resourceSpans": resources }).to_string()
}

fn one(span: &Span) -> Value {
    let start = span.start.as_nanosecond();
    let end = start + i128::try_from(span.took.as_nanos()).unwrap_or_default();
    let attributes: Vec<Value> = span.attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    let mut encoded = json!({
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": SERVER,
        "startTimeUnixNano": start.to_string(),
        "endTimeUnixNano": end.to_string(),
        "attributes": attributes,
    });
    if let Some(parent) = &span.parent_id {
        encoded["parentSpanId"] = json!(parent);
    }
    if let Some(error) = &span.error {
        encoded["status"] = json!({ "code": ERROR, "message": error });
    }
    encoded
}

fn attribute(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}

#[cfg(test)]
pub(super) fn sample(name: &str) -> Span {
    Span {
        trace_id: "5759e988bd862e3fe1be46a994272793".into(),
        span_id: "53995c3f42cd8ad8".into(),
        parent_id: None,
        service: "pagoda".into(),
        name: name.into(),
        start: jiff::Timestamp::UNIX_EPOCH,
        took: std::time::Duration::from_millis(1),
        error: None,
        attributes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_64_bits_are_texts_and_ids_hexadecimal() {
        let failed =
            Span { error: Some("500".into()), parent_id: Some("00f067aa0ba902b7".into()), ..sample("s") };
        let encoded: Value = serde_json::from_str(&batch(&[failed])).unwrap();
        let span = &encoded["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!(span["traceId"], "5759e988bd862e3fe1be46a994272793");
        assert_eq!((&span["startTimeUnixNano"], &span["endTimeUnixNano"]), (&json!("0"), &json!("1000000")));
        assert_eq!((&span["parentSpanId"], &span["status"]["code"]), (&json!("00f067aa0ba902b7"), &json!(2)));
        let resource = &encoded["resourceSpans"][0]["resource"]["attributes"][0];
        assert_eq!(resource, &json!({ "key": "service.name", "value": { "stringValue": "pagoda" } }));
    }
}
