//! What is told of a request once it is answered: a line of the stage's access log, and lines of the execution log.
//!
//! Nothing of this is worked out for stages that have no logs.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html>

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use pagoda_base::Timestamp;
use pagoda_protocol::Body;
use pagoda_service::ports::LogLine;
use serde_json::{Value, json};

use super::access_log::Format;
use super::answer::Refusal;
use super::deployed::Deployment;
use super::journal::{Journal, Stream};
use crate::method_setting::LogLevel;
use crate::table::IntegrationKind;

/// The logs of a stage.
pub(crate) struct Logs {
    pub(crate) access: Option<(Stream, Format)>,
    /// Of methods that have a level.
    pub(crate) execution: Option<Stream>,
}

/// What an integration answered; beside its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Integrated {
    pub(crate) kind: IntegrationKind,
    pub(crate) status: u16,
    pub(crate) latency: Duration,
}

/// A request of a stage with logs.
pub(crate) struct Observed {
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) now: Timestamp,
    pub(crate) context: Value,
    /// The method's, once it is known.
    pub(crate) level: Option<LogLevel>,
    /// The gateway response's type, and what was said.
    error: Option<(&'static str, Option<String>)>,
}

impl Observed {
    pub(crate) fn new(deployment: Arc<Deployment>, now: Timestamp, context: Value) -> Self {
        Self { deployment, now, context, level: None, error: None }
    }

    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        self.error = Some((refusal.kind(), refusal.message()));
    }

    /// Tells of the request, now that it is answered.
    pub(crate) fn tell(mut self, response: &Response<Body>, took: Duration, journal: &Journal) {
        let Some(logs) = &self.deployment.logs else { return };
        let integrated = response.extensions().get::<Integrated>().copied();
        complete(&mut self.context, response, took, integrated, self.error.as_ref());
        let line = |message: String| LogLine { timestamp: self.now, message };
        if let Some((stream, format)) = &logs.access {
            journal.add(stream, [line(format.line(&self.context))]);
        }
        if let (Some(stream), Some(level)) = (&logs.execution, self.level) {
            let id = self.text("requestId");
            let lines = self.execution(level, response, integrated);
            journal.add(stream, lines.into_iter().map(|text| line(format!("({id}) {text}"))));
        }
    }

    /// What the execution log has of the request, without the request's id that each line there begins with.
    pub(crate) fn execution(
        &self,
        level: LogLevel,
        response: &Response<Body>,
        integrated: Option<Integrated>,
    ) -> Vec<String> {
        let (id, status) = (self.text("requestId"), response.status().as_u16());
        let (mut steps, mut failures) = (Vec::new(), Vec::new());
        steps.push(format!("Extended Request Id: {id}"));
        steps.push(format!("Starting execution for request: {id}"));
        let (verb, path) = (self.text("httpMethod"), self.text("resourcePath"));
        steps.push(format!("HTTP Method: {verb}, Resource Path: {path}"));
        if let Some(Integrated { status, latency, .. }) = integrated {
            let millis = latency.as_millis();
            steps.push(format!("Received response. Status: {status}, Integration latency: {millis} ms"));
        }
        match &self.error {
            None => steps.push("Successfully completed execution".to_owned()),
            Some((kind, message)) => {
                let message = message.as_deref().unwrap_or("-");
                failures.push(format!("Execution failed: {message}"));
                failures.push(format!("Gateway response type: {kind} with status code: {status}"));
            }
        }
        failures.push(format!("Method completed with status: {status}"));
        let lines = match level {
            LogLevel::Info => [steps, failures].concat(),
            LogLevel::Error if self.error.is_some() => failures,
            LogLevel::Error | LogLevel::Off => Vec::new(),
        };
        lines.into_iter().map(|line| line.replace(char::is_control, " ")).collect()
    }

    /// A text of the context.
    fn text(&self, name: &str) -> &str {
        self.context[name].as_str().unwrap_or("-")
    }
}

/// Adds to the context what is known only now.
fn complete(
    context: &mut Value,
    response: &Response<Body>,
    took: Duration,
    integrated: Option<Integrated>,
    error: Option<&(&'static str, Option<String>)>,
) {
    context["status"] = json!(response.status().as_u16());
    context["responseLength"] = json!(response.body().len());
    context["responseLatency"] = json!(millis(took));
    if let Some(Integrated { kind, status, latency }) = integrated {
        // That of Lambda, whatever the function says.
        let own = if kind == IntegrationKind::AwsProxy { 200 } else { status };
        context["integrationStatus"] = json!(own);
        context["integrationLatency"] = json!(millis(latency));
        context["integration"] = json!({
            "status": status, "integrationStatus": own, "latency": millis(latency), "requestId": null,
        });
    }
    if let Some((kind, message)) = error {
        context["error"] = json!({
            "message": message, "messageString": json!(message).to_string(), "responseType": kind,
        });
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
