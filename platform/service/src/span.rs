//! Spans: what was done for a request, by whom, from when to when; and the header that joins them to a trace.
//!
//! Source: <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>,
//! <https://opentelemetry.io/docs/specs/otel/trace/api/>

use std::time::Duration;

use pagoda_base::Timestamp;

/// The name of the header.
pub const TRACE_HEADER: &str = "x-amzn-trace-id";

/// A finished piece of work.
#[derive(Debug, Clone)]
pub struct Span {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// The span that led to this one.
    pub parent_id: Option<String>,
    /// Who did it: `pagoda`, or a function's name.
    pub service: String,
    /// What was done.
    pub name: String,
    /// When it began.
    pub start: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What went wrong.
    pub error: Option<String>,
    /// By the names of OpenTelemetry's semantic conventions.
    pub attributes: Vec<(&'static str, String)>,
}

/// What a trace header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceHeader<'h> {
    /// `1-{8 digits}-{24 digits}`, hexadecimal.
    pub root: &'h str,
    /// 16 hexadecimal digits.
    pub parent: Option<&'h str>,
    /// Whether the trace is recorded; nothing where that is left to us.
    pub is_sampled: Option<bool>,
}

impl<'h> TraceHeader<'h> {
    /// Reads a header; `None` without a root of the right form.
    pub fn parse(header: &'h str) -> Option<Self> {
        let field = |name: &str| header.split(';').find_map(|field| field.trim().strip_prefix(name));
        let root = field("Root=")?;
        let (time, rest) = root.strip_prefix("1-")?.split_once('-')?;
        (is_hexadecimal(time, 8) && is_hexadecimal(rest, 24)).then_some(())?;
        let is_sampled = match field("Sampled=") {
            Some("1") => Some(true),
            Some("0") => Some(false),
            _ => None,
        };
        Some(Self { root, parent: field("Parent=").filter(|id| is_hexadecimal(id, 16)), is_sampled })
    }

    /// The trace's id as OpenTelemetry has it.
    pub fn trace_id(&self) -> String {
        trace_id(self.root)
    }
}

/// The id, as OpenTelemetry has it, of the trace with this root.
pub fn trace_id(root: &str) -> String {
    root.trim_start_matches("1-").replace('-', "").to_ascii_lowercase()
}

fn is_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_the_right_form_are_read() {
        let root = "1-5759e988-bd862e3fe1be46a994272793";
        let parse = |header: &str| {
            TraceHeader::parse(header)
                .map(|read| (read.trace_id(), read.parent.map(str::to_owned), read.is_sampled))
        };
        let id = "5759e988bd862e3fe1be46a994272793".to_owned();
        let parent = Some("53995c3f42cd8ad8".to_owned());
        let full = format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1");
        assert_eq!(parse(&full), Some((id.clone(), parent, Some(true))));
        assert_eq!(parse(&format!("Self=1-2-3; Root={root};Sampled=?")), Some((id.clone(), None, None)));
        assert_eq!(parse(&format!("Root={root};Parent=\r\n;Sampled=0")), Some((id, None, Some(false))));
        assert_eq!(parse("Root=1-2-3"), None);
        assert_eq!(parse(""), None);
    }
}
