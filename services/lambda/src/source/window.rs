//! Tumbling windows: the state that a function hands on from batch to batch.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html>

use pagoda_base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Largest state, in bytes of JSON. Beyond it the window ends early.
const STATE_BYTES_MAX: usize = 1024 * 1024;

/// A window that has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Window {
    /// In seconds since 1970.
    pub(super) start: i64,
    pub(super) state: Value,
    /// The state has become too large.
    pub(super) full: bool,
}

impl Window {
    /// The window that a moment falls into.
    pub(super) fn at(moment: Timestamp, seconds: u32) -> Self {
        let seconds = i64::from(seconds.max(1));
        let start = moment.as_second().div_euclid(seconds) * seconds;
        Self { start, state: json!({}), full: false }
    }

    /// Its end, in seconds since 1970.
    pub(super) fn end(&self, seconds: u32) -> i64 {
        self.start + i64::from(seconds)
    }

    /// Takes over what the function answered.
    pub(super) fn answered(&mut self, answer: &[u8]) {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        self.state = match answer.get("state") {
            Some(state) if !state.is_null() => state.clone(),
            _ => json!({}),
        };
        self.full = self.state.to_string().len() > STATE_BYTES_MAX;
        if self.full {
            self.state = json!({});
        }
    }

    /// What the event says of it.
    pub(super) fn describe(&self, seconds: u32, is_final: bool) -> Map<String, Value> {
        let time = |second| Timestamp::from_second(second).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ");
        let bounds = json!({
            "start": time(self.start).to_string(), "end": time(self.end(seconds)).to_string(),
        });
        let mut event = Map::new();
        event.insert("window".into(), bounds);
        event.insert("state".into(), self.state.clone());
        event.insert("isFinalInvokeForWindow".into(), is_final.into());
        event.insert("isWindowTerminatedEarly".into(), (is_final && self.full).into());
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_handed_on() {
        let mut window = Window::at("2026-01-01T00:02:07Z".parse().unwrap(), 60);
        let described = window.describe(60, false);
        assert_eq!(
            described["window"],
            json!({"start": "2026-01-01T00:02:00Z", "end": "2026-01-01T00:03:00Z"})
        );
        let rows = [
            (r#"{"state":{"n":1}}"#, json!({"n": 1})),
            (r#"{"state":null}"#, json!({})),
            ("null", json!({})),
            ("{", json!({})),
        ];
        for (answer, state) in rows {
            window.answered(answer.as_bytes());
            assert_eq!((window.state.clone(), window.full), (state, false), "{answer}");
        }
        window.answered(json!({"state": "x".repeat(STATE_BYTES_MAX)}).to_string().as_bytes());
        assert_eq!(window.describe(60, true)["isWindowTerminatedEarly"], true);
    }
}
