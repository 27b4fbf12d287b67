//! A subscription to the Telemetry API: which events, how many at once, and where to.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html>

use std::time::Duration;

use http::Uri;
use serde::{Deserialize, Serialize};

const SCHEMAS: [&str; 3] = ["2022-07-01", "2022-12-13", "2025-01-29"];
/// The names of an instance on its own loopback.
const HOSTS: [&str; 2] = ["sandbox.localdomain", "sandbox"];

/// A kind of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Platform,
    Function,
    Extension,
}

/// What an extension wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) kinds: Vec<Kind>,
    pub(super) items_max: usize,
    pub(super) bytes_max: usize,
    pub(super) timeout: Duration,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    schema_version: String,
    types: Vec<Kind>,
    #[serde(default)]
    buffering: Buffering,
    destination: Destination,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Buffering {
    max_items: usize,
    max_bytes: usize,
    timeout_ms: u64,
}

#[derive(Deserialize)]
struct Destination {
    protocol: String,
    #[serde(alias = "URI")]
    uri: String,
}

impl Default for Buffering {
    fn default() -> Self {
        Self { max_items: 10_000, max_bytes: 262_144, timeout_ms: 1_000 }
    }
}

impl Subscription {
    /// Reads a request's body.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let request: Request = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let Request { schema_version, types, buffering, destination } = request;
        if !SCHEMAS.contains(&schema_version.as_str()) {
            return Err(format!("schemaVersion {schema_version} is not known: {} are", SCHEMAS.join(", ")));
        }
        if types.is_empty() {
            return Err("types is empty: platform, function and extension are known".to_owned());
        }
        let Buffering { max_items, max_bytes, timeout_ms } = buffering;
        within("maxItems", max_items as u64, 1_000, 10_000)?;
        within("maxBytes", max_bytes as u64, 262_144, 1_048_576)?;
        within("timeoutMs", timeout_ms, 25, 30_000)?;
        if destination.protocol != "HTTP" {
            return Err(format!("destination.protocol {} is not supported: HTTP is", destination.protocol));
        }
        let uri: Uri = destination.uri.parse().map_err(|_| format!("{} is no URI", destination.uri))?;
        let host = uri.host().unwrap_or_default().to_owned();
        if uri.scheme_str() != Some("http") || !HOSTS.contains(&host.as_str()) {
            return Err(format!("{uri} is not of the form http://sandbox.localdomain:PORT/PATH"));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let (port, timeout) = (uri.port_u16().unwrap_or(80), Duration::from_millis(timeout_ms));
        Ok(Self { kinds: types, items_max: max_items, bytes_max: max_bytes, timeout, host, port, path })
    }
}

fn within(name: &str, value: u64, min: u64, max: u64) -> Result<(), String> {
    match (min..=max).contains(&value) {
        true => Ok(()),
        false => Err(format!("buffering.{name} is {value}: it must be from {min} to {max}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn subscriptions_are_checked() {
        let whole = json!({"schemaVersion": "2022-12-13", "types": ["platform", "function"],
            "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 100},
            "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/a?b"}});
        let read = |value: &Value| Subscription::read(value.to_string().as_bytes());
        let expected = Subscription {
            kinds: vec![Kind::Platform, Kind::Function],
            items_max: 1_000,
            bytes_max: 262_144,
            timeout: Duration::from_millis(100),
            host: "sandbox.localdomain".into(),
            port: 4_243,
            path: "/a?b".into(),
        };
        assert_eq!(read(&whole), Ok(expected));
        for (pointer, value, part) in [
            ("/schemaVersion", json!("2020-08-15"), "schemaVersion 2020-08-15"),
            ("/types", json!([]), "types is empty"),
            ("/types", json!(["all"]), "all"),
            ("/buffering/maxItems", json!(999), "buffering.maxItems is 999"),
            ("/buffering/maxBytes", json!(1_048_577), "buffering.maxBytes is 1048577"),
            ("/buffering/timeoutMs", json!(24), "buffering.timeoutMs is 24"),
            ("/destination/protocol", json!("TCP"), "destination.protocol TCP"),
            ("/destination/URI", json!("http://10.0.0.1:80"), "http://10.0.0.1:80/ is not of the form"),
            ("/destination/URI", json!("https://sandbox:80"), "is not of the form"),
        ] {
            let mut wrong = whole.clone();
            *wrong.pointer_mut(pointer).unwrap() = value;
            let error = read(&wrong).unwrap_err();
            assert!(error.contains(part), "{pointer}: {error}");
        }
    }
}
