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

use crate::lineage;
use crate::load::Loaded;

/// A trace, and the segment that is the invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trace {
    root: String,
    segment: String,
    /// Which functions have led to this, and how often.
    lineage: String,
    pub(super) is_sampled: bool,
}

/// The trace header of what comes of an invocation of this version in these circumstances.
pub(crate) fn onward(cx: &Context, loaded: &Loaded) -> String {
    Trace::of(cx, cx.now, loaded).header()
}

impl Trace {
    /// The trace of a request to a function: the one that it came with, or a new one.
    pub(super) fn of(cx: &Context, now: Timestamp, loaded: &Loaded) -> Self {
        let given = cx.origin.trace.as_deref();
        let digits = cx.request_id.to_string().replace('-', "");
        let (new, segment) = (digits.get(..24).unwrap_or_default(), digits.get(16..32).unwrap_or_default());
        let root = given.and_then(root_in).map(str::to_owned);
        Self {
            root: root.unwrap_or_else(|| format!("1-{:08x}-{new}", now.as_second())),
            segment: segment.to_owned(),
            lineage: lineage::with(given, &loaded.id.arn()),
            is_sampled: loaded.version.settings.tracing,
        }
    }

    /// The header's value.
    pub(super) fn header(&self) -> String {
        let Self { root, segment, lineage, .. } = self;
        format!("Root={root};Parent={segment};Sampled={};{lineage}", u8::from(self.is_sampled))
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

/// The trace's identifier in a header, if it has the form of one.
fn root_in(header: &str) -> Option<&str> {
    let root = header.split(';').find_map(|field| field.trim().strip_prefix("Root="))?;
    let is_hexadecimal =
        |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    let (time, rest) = root.strip_prefix("1-")?.split_once('-')?;
    (is_hexadecimal(time, 8) && is_hexadecimal(rest, 24)).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_identifiers_are_taken_over() {
        let root = "1-5759e988-bd862e3fe1be46a994272793";
        for (header, expected) in [
            (format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1"), Some(root)),
            (format!("Self=1-2-3; Root={root}"), Some(root)),
            ("Root=1-5759e988-bd862e3fe1be46a99427279\r;".to_owned(), None),
            ("Root=2".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(root_in(&header), expected, "{header}");
        }
    }
}
