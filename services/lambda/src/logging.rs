//! How a function's log reads: as text, or as JSON from certain levels on.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>

use pagoda_protocol::ApiError;
use serde::{Deserialize, Serialize};

use crate::generated as g;

/// The form of a function's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Logging {
    #[default]
    Text,
    /// What is below its level is left out: of the function's own lines, and of Lambda's.
    Json { application: Level, system: Level },
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl Level {
    const ALL: [(Self, &str); 6] = [
        (Self::Trace, "TRACE"),
        (Self::Debug, "DEBUG"),
        (Self::Info, "INFO"),
        (Self::Warn, "WARN"),
        (Self::Error, "ERROR"),
        (Self::Fatal, "FATAL"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(level, _)| *level == self).map_or("INFO", |(_, name)| name)
    }

    /// The level of that name, or of the names that Python and others have for it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = match name.to_ascii_uppercase().as_str() {
            "WARNING" => "WARN".to_owned(),
            "CRITICAL" => "FATAL".to_owned(),
            other => other.to_owned(),
        };
        Self::ALL.iter().find(|(_, one)| *one == name).map(|(level, _)| *level)
    }
}

/// What a request sets.
///
/// # Errors
/// `InvalidParameterValueException` for levels of a log that is text.
pub(crate) fn read(config: &g::LoggingConfig) -> Result<Logging, ApiError> {
    let level = |name: Option<&str>| name.and_then(Level::named).unwrap_or(Level::Info);
    let application = config.application_log_level.map(|level| level.as_str());
    let system = config.system_log_level.map(|level| level.as_str());
    if config.log_format == Some(g::LogFormat::Json) {
        return Ok(Logging::Json { application: level(application), system: level(system) });
    }
    if application.is_some() || system.is_some() {
        let message = "ApplicationLogLevel and SystemLogLevel can only be set if LogFormat is JSON.";
        return Err(g::InvalidParameterValueException::new(message).into());
    }
    Ok(Logging::Text)
}

impl Logging {
    /// As configurations have it.
    pub(crate) fn describe(self, group: String) -> g::LoggingConfig {
        let (log_format, application, system) = match self {
            Self::Text => (g::LogFormat::Text, None, None),
            Self::Json { application, system } => (g::LogFormat::Json, Some(application), Some(system)),
        };
        g::LoggingConfig {
            log_format: Some(log_format),
            application_log_level: application.and_then(|level| level.name().parse().ok()),
            system_log_level: system.and_then(|level| level.name().parse().ok()),
            log_group: Some(group),
        }
    }

    /// What runtimes are told: `AWS_LAMBDA_LOG_FORMAT`, and `AWS_LAMBDA_LOG_LEVEL` where there is one.
    pub(crate) fn variables(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Text => ("Text", None),
            Self::Json { application, .. } => ("JSON", Some(application.name())),
        }
    }

    /// A line as the Telemetry API tells it: in a log of objects, one that is an object.
    pub(crate) fn record(self, line: &str) -> serde_json::Value {
        let object = match self {
            Self::Json { .. } if line.starts_with('{') => serde_json::from_str(line).ok(),
            _ => None,
        };
        object.unwrap_or_else(|| serde_json::Value::String(line.to_owned()))
    }

    /// Whether a line that the function wrote is kept. JSON objects are of the level that they name, unless
    /// that or their time is unknown; what is no object is kept.
    pub(crate) fn keeps(self, line: &str) -> bool {
        let Self::Json { application, .. } = self else { return true };
        if application == Level::Trace || !line.starts_with('{') {
            return true;
        }
        let Ok(object) = serde_json::from_str::<Object>(line) else { return true };
        let is_timed = object.timestamp.is_some_and(|time| time.parse::<pagoda_base::Timestamp>().is_ok());
        let level = object.level.as_deref().and_then(Level::named).filter(|_| is_timed);
        level.unwrap_or(Level::Info) >= application
    }
}

#[derive(Deserialize)]
struct Object {
    level: Option<String>,
    #[serde(alias = "time")]
    timestamp: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_from_their_level_on() {
        let json = |application| Logging::Json { application, system: Level::Info };
        for (logging, line, kept) in [
            (Logging::Text, r#"{"level":"TRACE","timestamp":"2026-11-22T16:00:00Z"}"#, true),
            (json(Level::Trace), r#"{"level":"TRACE","timestamp":"2026-11-22T16:00:00Z"}"#, true),
            (json(Level::Warn), r#"{"level":"info","timestamp":"2026-11-22T16:00:00Z"}"#, false),
            (json(Level::Warn), r#"{"level":"WARNING","timestamp":"2026-11-22T16:00:00.123Z"}"#, true),
            (json(Level::Info), r#"{"level":"debug","time":"2026-11-22T16:00:00Z"}"#, false),
            (json(Level::Info), r#"{"level":"debug","timestamp":"yesterday"}"#, true),
            (json(Level::Error), r#"{"level":"error"}"#, false),
            (json(Level::Error), r#"{"level":7}"#, true),
            (json(Level::Error), "not an object", true),
            (json(Level::Fatal), r#"{"level":"critical","time":"2026-11-22T16:00:00Z"}"#, true),
        ] {
            assert_eq!(logging.keeps(line), kept, "{logging:?} {line}");
        }
    }
}
