//! A batch, and what a function's answer says of it. Pure.

use pagoda_service::ports::StreamRecord;
use serde_json::{Map, Value};

/// Largest event, in bytes.
const EVENT_BYTES_MAX: usize = 6 * 1024 * 1024;
/// What an event has beside its records: window, shard, and a state of up to 1 MB.
const EVENT_BYTES_BESIDE: usize = 4 * 1024;

/// Records that are delivered together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    bytes: usize,
}

/// A record, written as the function gets it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) record: StreamRecord,
    text: String,
}

impl Entry {
    pub(super) fn new(mut record: StreamRecord, source: &str) -> Self {
        record.body["eventSourceARN"] = source.into();
        Self { text: record.body.to_string(), record }
    }
}

impl Batch {
    /// Adds a record; gives it back if the event would become too large.
    pub(super) fn push(&mut self, entry: Entry, state_bytes: usize) -> Result<(), Entry> {
        let bytes = self.bytes + entry.text.len() + 1;
        if !self.entries.is_empty() && bytes + state_bytes + EVENT_BYTES_BESIDE > EVENT_BYTES_MAX {
            return Err(entry);
        }
        self.bytes = bytes;
        self.entries.push(entry);
        Ok(())
    }
}

/// The event: the records, and what windows add.
pub(super) fn event(entries: &[Entry], more: Option<Map<String, Value>>) -> String {
    let records: Vec<_> = entries.iter().map(|entry| entry.text.as_str()).collect();
    let mut event = format!("{{\"Records\":[{}]", records.join(","));
    for (name, value) in more.into_iter().flatten() {
        event.push_str(&format!(",\"{name}\":{value}"));
    }
    event.push('}');
    event
}

/// From which record on an answer asks for another try; nothing when all went well.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
pub(super) fn failed_from(answer: &[u8], entries: &[Entry]) -> Option<usize> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let failures = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return None,
        Some(Value::Array(failures)) if failures.is_empty() => return None,
        Some(Value::Array(failures)) => failures,
        Some(_) => return Some(0),
    };
    // Whatever names no record of the batch means the whole batch.
    let place = |failure: &Value| {
        let wanted = failure.get("itemIdentifier").and_then(Value::as_str)?;
        entries.iter().position(|entry| entry.record.sequence == wanted)
    };
    failures.iter().map(|failure| place(failure).unwrap_or(0)).min()
}

#[cfg(test)]
mod tests {
    use pagoda_base::Timestamp;
    use serde_json::json;

    use super::*;

    fn entries(count: usize) -> Vec<Entry> {
        let record = |number: usize| StreamRecord {
            sequence: format!("s{number}"),
            created: Timestamp::UNIX_EPOCH,
            group: 0,
            body: json!({ "n": number }),
        };
        (0..count).map(|number| Entry::new(record(number), "arn")).collect()
    }

    #[test]
    fn answers_name_where_to_go_on() {
        let rows = [
            (r#"{"batchItemFailures":[{"itemIdentifier":"s2"},{"itemIdentifier":"s1"}]}"#, Some(1)),
            (r#"{"batchItemFailures":[]}"#, None),
            (r#"{"batchItemFailures":null}"#, None),
            ("{}", None),
            ("null", None),
            ("", None),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, Some(0)),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, Some(0)),
            (r#"{"batchItemFailures":[{"id":"s2"}]}"#, Some(0)),
            (r#"{"batchItemFailures":[{"itemIdentifier":"other"}]}"#, Some(0)),
            (r#"{"batchItemFailures":"x"}"#, Some(0)),
        ];
        for (answer, expected) in rows {
            assert_eq!(failed_from(answer.as_bytes(), &entries(3)), expected, "{answer}");
        }
    }

    #[test]
    fn events_are_json() {
        let text = event(&entries(2), Some(json!({"state": {"a": 1}}).as_object().unwrap().clone()));
        let event: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(event["Records"][1], json!({"n": 1, "eventSourceARN": "arn"}));
        assert_eq!(event["state"]["a"], 1);
        assert_eq!(super::event(&[], None), r#"{"Records":[]}"#);
    }

    #[test]
    fn a_batch_stays_within_an_event() {
        let mut large = entries(1).remove(0);
        large.text = "x".repeat(4 * 1024 * 1024);
        let mut batch = Batch::default();
        assert!(batch.push(large.clone(), 0).is_ok());
        assert!(batch.push(large, 0).is_err());
        assert!(batch.push(entries(1).remove(0), 0).is_ok());
        assert!(batch.push(entries(1).remove(0), 3 * 1024 * 1024).is_err());
    }
}
