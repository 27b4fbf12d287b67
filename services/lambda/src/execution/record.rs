//! What Lambda itself says of an instance: lines of text, or records in JSON.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html>

use std::time::Duration;

use pagoda_base::Timestamp;
use serde_json::{Value, json};

use crate::logging::{Level, Logging};

use super::failure::{Failure, Status};
use super::trace::Trace;

/// Something that Lambda says.
pub(super) enum Record<'a> {
    /// Init code begins, or the restoration of what an earlier one left.
    InitStart {
        is_restored: bool,
        runtime: String,
        function: &'a str,
        version: &'a str,
    },
    /// Init code has ended.
    InitDone {
        is_restored: bool,
        took: Duration,
        failure: Option<&'a Failure>,
    },
    Start {
        request_id: &'a str,
        version: &'a str,
        /// The trace, if it is sampled.
        trace: Option<&'a Trace>,
    },
    /// The runtime has answered, or will not.
    RuntimeDone {
        request_id: &'a str,
        took: Duration,
        bytes: usize,
        failure: Option<&'a Failure>,
    },
    Report(Report<'a>),
}

/// The figures of an invocation.
pub(super) struct Report<'a> {
    pub(super) request_id: &'a str,
    pub(super) took: Duration,
    pub(super) init: Option<Duration>,
    /// Whether the init was a restoration.
    pub(super) is_restored: bool,
    pub(super) memory_mb: u32,
    pub(super) peak_mb: u64,
    pub(super) failure: Option<&'a Failure>,
    /// The trace, if it is sampled.
    pub(super) trace: Option<&'a Trace>,
}

impl Record<'_> {
    /// The lines of it in a log of this form.
    pub(super) fn lines(&self, logging: Logging, now: Timestamp) -> Vec<String> {
        let Logging::Json { system, .. } = logging else { return self.text() };
        let wanted = self.events().into_iter().filter(|event| event.level >= system);
        wanted.map(|event| event.json(now).to_string()).collect()
    }

    fn text(&self) -> Vec<String> {
        match self {
            Self::InitStart { is_restored, runtime, .. } => {
                let what = if *is_restored { "RESTORE_START" } else { "INIT_START" };
                vec![format!("{what} Runtime Version: {runtime}")]
            }
            Self::InitDone { took, failure: Some(failure), .. } => {
                let took = millis(*took);
                vec![format!("INIT_REPORT Init Duration: {took:.2} ms\tPhase: init\t{}", failure.status)]
            }
            Self::Start { request_id, version, .. } => {
                vec![format!("START RequestId: {request_id} Version: {version}")]
            }
            Self::Report(report) => report.text(),
            Self::InitDone { .. } | Self::RuntimeDone { .. } => Vec::new(),
        }
    }

    /// The events of the Telemetry API that it consists of.
    pub(super) fn events(&self) -> Vec<Event> {
        match self {
            Self::InitStart { is_restored, runtime, function, version } => {
                let (kind, start) = phase(*is_restored);
                let record = json!({
                    "initializationType": start, "phase": "init", "runtimeVersion": runtime,
                    "functionName": function, "functionVersion": version,
                });
                vec![Event::new(format!("platform.{kind}Start"), Level::Info, record)]
            }
            Self::InitDone { is_restored, took, failure } => init_done(*is_restored, *took, *failure),
            Self::Start { request_id, version, trace } => {
                let record = json!({ "requestId": request_id, "version": version });
                let record = with_trace(record, *trace);
                vec![Event::new("platform.start", Level::Info, record)]
            }
            Self::RuntimeDone { request_id, took, bytes, failure } => {
                let metrics = json!({ "durationMs": rounded(*took), "producedBytes": bytes });
                let record = json!({ "requestId": request_id, "metrics": metrics });
                let level = level(*failure, Level::Debug);
                vec![Event::new("platform.runtimeDone", level, with_status(record, *failure))]
            }
            Self::Report(report) => vec![report.event()],
        }
    }
}

/// An event as the Telemetry API has it.
pub(super) struct Event {
    pub(super) kind: String,
    /// The level that AWS gives it.
    pub(super) level: Level,
    pub(super) record: Value,
}

impl Event {
    fn new(kind: impl Into<String>, level: Level, record: Value) -> Self {
        Self { kind: kind.into(), level, record }
    }

    pub(super) fn json(&self, now: Timestamp) -> Value {
        let time = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        json!({ "time": time, "type": self.kind, "record": self.record })
    }
}

fn phase(is_restored: bool) -> (&'static str, &'static str) {
    if is_restored { ("restore", "snap-start") } else { ("init", "on-demand") }
}

fn init_done(is_restored: bool, took: Duration, failure: Option<&Failure>) -> Vec<Event> {
    let (kind, start) = phase(is_restored);
    let record = || with_status(json!({ "initializationType": start, "phase": "init" }), failure);
    let mut report = record();
    report["metrics"] = json!({ "durationMs": rounded(took) });
    let reported = if is_restored { Level::Info } else { Level::Debug };
    vec![
        Event::new(format!("platform.{kind}RuntimeDone"), level(failure, Level::Debug), record()),
        Event::new(format!("platform.{kind}Report"), level(failure, reported), report),
    ]
}

/// Failures are warnings.
fn level(failure: Option<&Failure>, otherwise: Level) -> Level {
    if failure.is_some() { Level::Warn } else { otherwise }
}

fn with_status(mut record: Value, failure: Option<&Failure>) -> Value {
    let (status, kind) = match failure.map(|failure| &failure.status) {
        None => ("success", None),
        Some(Status::Timeout) => ("timeout", None),
        Some(Status::Error(kind)) => ("error", Some(kind)),
    };
    record["status"] = json!(status);
    if let Some(kind) = kind {
        record["errorType"] = json!(kind);
    }
    record
}

fn with_trace(mut record: Value, trace: Option<&Trace>) -> Value {
    if let Some(trace) = trace {
        record["tracing"] = trace.json();
    }
    record
}

impl Report<'_> {
    fn text(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.failure.and_then(|failure| failure.line.clone()).into_iter().collect();
        lines.push(format!("END RequestId: {}", self.request_id));
        lines.push(self.line());
        lines
    }

    fn line(&self) -> String {
        let took = millis(self.took);
        let billed = took.ceil();
        let (request_id, memory_mb, peak_mb) = (self.request_id, self.memory_mb, self.peak_mb());
        let mut line = format!(
            "REPORT RequestId: {request_id}\tDuration: {took:.2} ms\tBilled Duration: {billed:.0} ms\t\
             Memory Size: {memory_mb} MB\tMax Memory Used: {peak_mb} MB\t"
        );
        if let (Some(init), true) = (self.init, self.is_restored) {
            let took = millis(init);
            line.push_str(&format!(
                "Restore Duration: {took:.2} ms\tBilled Restore Duration: {:.0} ms\t",
                took.ceil()
            ));
        } else if let Some(init) = self.init {
            line.push_str(&format!("Init Duration: {:.2} ms\t", millis(init)));
        }
        if let Some(failure) = self.failure {
            line.push_str(&failure.status.to_string());
        }
        if let Some(trace) = self.trace {
            line.push('\n');
            line.push_str(&trace.line());
        }
        line
    }

    fn event(&self) -> Event {
        let mut metrics = json!({
            "durationMs": rounded(self.took), "billedDurationMs": millis(self.took).ceil() as u64,
            "memorySizeMB": self.memory_mb, "maxMemoryUsedMB": self.peak_mb(),
        });
        if let (Some(init), true) = (self.init, self.is_restored) {
            metrics["restoreDurationMs"] = json!(rounded(init));
            metrics["billedRestoreDurationMs"] = json!(millis(init).ceil() as u64);
        } else if let Some(init) = self.init {
            metrics["initDurationMs"] = json!(rounded(init));
        }
        let record = json!({ "requestId": self.request_id, "metrics": metrics });
        let record = with_trace(record, self.trace);
        Event::new("platform.report", level(self.failure, Level::Info), with_status(record, self.failure))
    }

    fn peak_mb(&self) -> u64 {
        self.peak_mb.min(self.memory_mb.into())
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Milliseconds with three places.
fn rounded(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(failure: Option<&Failure>) -> Record<'_> {
        Record::Report(Report {
            request_id: "r",
            took: Duration::from_micros(2_115),
            init: Some(Duration::from_micros(120_250)),
            is_restored: false,
            memory_mb: 128,
            peak_mb: 40,
            failure,
            trace: None,
        })
    }

    fn json(system: Level) -> Logging {
        Logging::Json { application: Level::Info, system }
    }

    #[test]
    fn the_report_has_the_form_of_aws() {
        let now = "2026-11-22T16:00:00.5Z".parse().unwrap();
        assert_eq!(
            report(None).lines(Logging::Text, now)[1],
            "REPORT RequestId: r\tDuration: 2.12 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\t\
             Max Memory Used: 40 MB\tInit Duration: 120.25 ms\t"
        );
        assert_eq!(
            report(None).lines(json(Level::Info), now),
            [concat!(
                r#"{"time":"2026-11-22T16:00:00.500Z","type":"platform.report","record":{"requestId":"r","#,
                r#""metrics":{"durationMs":2.115,"billedDurationMs":3,"memorySizeMB":128,"maxMemoryUsedMB":40,"#,
                r#""initDurationMs":120.25},"status":"success"}}"#
            )]
        );
        assert!(report(None).lines(json(Level::Warn), now).is_empty());
        let failure = super::super::failure::too_large(7, 6);
        let line = report(Some(&failure)).lines(json(Level::Warn), now).join("");
        assert!(
            line.ends_with(r#""status":"error","errorType":"Function.ResponseSizeTooLarge"}}"#),
            "{line}"
        );
    }
}
