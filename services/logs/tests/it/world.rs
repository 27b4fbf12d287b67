//! The service in a world of its own.

use pagoda_logs::Logs;
use pagoda_protocol::ApiError;
use pagoda_service::{Api, Context};
use pagoda_testkit::World;
use serde_json::{Value, json};

pub(crate) struct LogsWorld {
    pub(crate) world: World,
    api: Api,
}

impl LogsWorld {
    pub(crate) fn new() -> Self {
        let world = World::new();
        let logs = Logs::new(world.store.clone(), world.clock.clone(), world.random.clone());
        Self { world, api: Api::of(&logs) }
    }

    pub(crate) fn now(&self) -> i64 {
        self.world.now_millis()
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let cx: Context = self.world.context(self.world.root());
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
        let events: Vec<Value> =
            events.iter().map(|(at, text)| json!({ "timestamp": at, "message": text })).collect();
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
