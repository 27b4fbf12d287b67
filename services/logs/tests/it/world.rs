//! The service with a clock that the test moves.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use pagoda_base::ids::RequestId;
use pagoda_base::{Clock, ManualClock, SeededRandom, SignedDuration};
use pagoda_logs::Logs;
use pagoda_protocol::ApiError;
use pagoda_service::{Api, Caller, Context, Origin};
use serde_json::{Value, json};

pub(crate) struct World {
    pub(crate) logs: Arc<Logs>,
    pub(crate) clock: Arc<ManualClock>,
    api: Api,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
        let store = pagoda_store::memory(clock.clone()).unwrap();
        let logs = Logs::new(store, clock.clone(), Arc::new(SeededRandom::new(1)));
        Self { api: Api::of(&logs), logs, clock }
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    pub(crate) fn advance(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let account = "123456789012".parse().unwrap();
        let cx = Context {
            account,
            region: "us-east-1".parse().unwrap(),
            caller: Caller::root(account, None),
            request_id: RequestId::new(&SeededRandom::new(2)),
            now: self.clock.now(),
            origin: Origin {
                address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                secure: true,
                user_agent: None,
                endpoint: String::new(),
                via: None,
            },
        };
        let operation = self.api.operation(operation).unwrap();
        let input = operation.decode_json(&input)?;
        Ok(operation.call(&cx, input).await?.encode_json())
    }

    pub(crate) async fn stream(&self, group: &str, name: &str) {
        let _ = self.call("CreateLogGroup", json!({ "logGroupName": group })).await;
        let names = json!({ "logGroupName": group, "logStreamName": name });
        self.call("CreateLogStream", names).await.unwrap();
    }

    pub(crate) async fn put(&self, group: &str, stream: &str, events: &[(i64, &str)]) -> Value {
        let events: Vec<Value> = events.iter().map(|(at, text)| json!({ "timestamp": at, "message": text })).collect();
        let input = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": events });
        self.call("PutLogEvents", input).await.unwrap()
    }

    /// The messages of all pages of a filter.
    pub(crate) async fn filtered(&self, mut input: Value) -> Vec<String> {
        let mut messages = Vec::new();
        loop {
            let page = self.call("FilterLogEvents", input.clone()).await.unwrap();
            let events = page["events"].as_array().unwrap();
            messages.extend(events.iter().map(|event| event["message"].as_str().unwrap().to_owned()));
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => return messages,
            }
        }
    }
}
