//! How failures of functions read to their callers and in their logs.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html>

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use pagoda_base::Timestamp;
use pagoda_sandbox::{End, Exit};
use serde_json::json;

/// A failed invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The error document for the caller.
    pub(crate) document: Bytes,
    /// What the REPORT line says behind its figures.
    pub(crate) status: Status,
    /// A line for the log, where the guest has not written one itself.
    pub(crate) line: Option<String>,
}

/// In which way an invocation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    Timeout,
    /// An error of this type.
    Error(String),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("Status: timeout"),
            Self::Error(kind) => write!(f, "Status: error\tError Type: {kind}"),
        }
    }
}

/// The guest said itself that it failed.
pub(crate) fn reported(document: Bytes, kind: Option<&str>) -> Failure {
    let status = Status::Error(kind.unwrap_or("Unhandled").to_owned());
    Failure { document, status, line: None }
}

/// The guest's processes ended.
pub(crate) fn exited(request_id: &str, exit: &Exit) -> Failure {
    let what = match exit.end {
        End::Code(0) => "Runtime exited without providing a reason".to_owned(),
        End::Code(code) => format!("Runtime exited with error: exit status {code}"),
        End::Signal(signal) => format!("Runtime exited with error: signal: {}", signal_name(signal)),
        End::Beside => {
            return extension_failed(request_id, "Extension.Crash", "an extension exited with an error");
        }
    };
    of("Runtime.ExitError", &format!("RequestId: {request_id} Error: {what}"))
}

/// One of the guest's extensions said that it failed, or ended with an error.
pub(crate) fn extension_failed(request_id: &str, kind: &str, detail: &str) -> Failure {
    of(kind, &format!("RequestId: {request_id} Error: {detail}"))
}

/// The guest did not answer in time.
pub(crate) fn timed_out(request_id: &str, now: Timestamp, timeout: Duration) -> Failure {
    let now = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let message = format!("{now} {request_id} Task timed out after {:.2} seconds", timeout.as_secs_f64());
    let document = json!({ "errorType": "Sandbox.Timedout", "errorMessage": message });
    Failure { document: document.to_string().into(), status: Status::Timeout, line: Some(message) }
}

/// The guest answered with more than an answer may have.
pub(crate) fn too_large(bytes: u64, bytes_max: usize) -> Failure {
    let message = format!(
        "Response payload size ({bytes} bytes) exceeded maximum allowed payload size ({bytes_max} bytes)."
    );
    of("Function.ResponseSizeTooLarge", &message)
}

/// The package has no program that could be started.
pub(crate) fn no_entrypoint(request_id: &str, detail: &str) -> Failure {
    let message = format!(
        "RequestId: {request_id} Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap] ({detail})"
    );
    of("Runtime.InvalidEntrypoint", &message)
}

/// The image's program could not be started: it, or its directory, isn't there, or nobody may execute it.
pub(crate) fn not_executed(request_id: &str, step: &str, detail: &str) -> Failure {
    let kind =
        if step.starts_with("entering") { "Runtime.InvalidWorkingDir" } else { "Runtime.InvalidEntrypoint" };
    of(kind, &format!("RequestId: {request_id} Error: {step}: {detail}"))
}

fn of(kind: &str, message: &str) -> Failure {
    Failure {
        document: json!({ "errorType": kind, "errorMessage": message }).to_string().into(),
        status: Status::Error(kind.to_owned()),
        line: Some(format!("{message}\r{kind}")),
    }
}

fn signal_name(signal: i32) -> String {
    match signal {
        2 => "interrupt".into(),
        4 => "illegal instruction".into(),
        6 => "aborted".into(),
        8 => "floating point exception".into(),
        9 => "killed".into(),
        11 => "segmentation fault".into(),
        15 => "terminated".into(),
        31 => "bad system call".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(failure: &Failure, document: &str, status: &str) {
        assert_eq!(failure.document, document);
        assert_eq!(failure.status.to_string(), status);
    }

    #[test]
    fn documents_have_the_forms_of_aws() {
        let exit = |end| Exit { end, oom_killed: false, memory_peak_bytes: 0, cpu_micros: 0 };
        let status = "Status: error\tError Type: Runtime.ExitError";
        for (end, text) in [
            (End::Code(1), "Runtime exited with error: exit status 1"),
            (End::Code(0), "Runtime exited without providing a reason"),
            (End::Signal(9), "Runtime exited with error: signal: killed"),
        ] {
            let document =
                format!(r#"{{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r Error: {text}"}}"#);
            check(&exited("r", &exit(end)), &document, status);
        }
        let now = "2026-11-22T16:00:00.5Z".parse().unwrap();
        check(
            &timed_out("r", now, Duration::from_secs(3)),
            r#"{"errorType":"Sandbox.Timedout","errorMessage":"2026-11-22T16:00:00.500Z r Task timed out after 3.00 seconds"}"#,
            "Status: timeout",
        );
    }
}
