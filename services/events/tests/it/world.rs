//! The service in a world of its own, before functions that take what they are told to.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use pagoda_base::SignedDuration;
use pagoda_events::Events;
use pagoda_policy::Principal;
use pagoda_protocol::ApiError;
use pagoda_service::ports::{Invocation, InvokeLater};
use pagoda_service::{Api, Context};
use pagoda_testkit::{Measured, World};
use serde_json::{Value, json};

pub(crate) const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

/// Remembers what it was told, or refuses with an error.
#[derive(Default)]
pub(crate) struct Functions {
    pub(crate) taken: Mutex<Vec<(String, Value)>>,
    pub(crate) refuses: Mutex<Option<ApiError>>,
}

#[async_trait]
impl InvokeLater for Functions {
    async fn enqueue(&self, cx: &Context, invocation: Invocation) -> Result<(), ApiError> {
        assert_eq!(cx.caller.principal, Principal::Service("events.amazonaws.com".into()));
        if let Some(error) = self.refuses.lock().unwrap().clone() {
            return Err(error);
        }
        let event = serde_json::from_slice(&invocation.payload).unwrap();
        self.taken.lock().unwrap().push((invocation.source_arn.unwrap(), event));
        Ok(())
    }
}

pub(crate) struct EventsWorld {
    pub(crate) world: World,
    pub(crate) events: Arc<Events>,
    pub(crate) functions: Arc<Functions>,
    pub(crate) measured: Arc<Measured>,
    api: Api,
}

impl EventsWorld {
    pub(crate) fn new() -> Self {
        Self::over(World::new())
    }

    /// Another process over the same store.
    pub(crate) fn restarted(self) -> Self {
        Self::over(self.world)
    }

    fn over(world: World) -> Self {
        let (functions, measured) = (Arc::new(Functions::default()), Arc::new(Measured::default()));
        let events = Events::new(
            world.store.clone(),
            world.clock.clone(),
            world.random.clone(),
            functions.clone(),
            measured.clone(),
        );
        Self { api: Api::of(&events), world, events, functions, measured }
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let cx = self.world.context(self.world.root());
        let operation = self.api.operation(operation).unwrap();
        let input = operation.decode_json(&input)?;
        Ok(operation.call(&cx, input).await?.encode_json())
    }

    pub(crate) async fn must(&self, operation: &str, input: Value) -> Value {
        self.call(operation, input.clone())
            .await
            .unwrap_or_else(|error| panic!("{operation} {input}: {error}"))
    }

    pub(crate) async fn refused(&self, operation: &str, input: Value) -> (String, String) {
        let error = self.call(operation, input.clone()).await.expect_err(&input.to_string());
        (error.code.into_owned(), error.message)
    }

    /// A rule on the default bus with one target.
    pub(crate) async fn rule(&self, rule: Value, target: Value) {
        let name = rule["Name"].clone();
        self.must("PutRule", rule).await;
        let mut one = json!({ "Id": "t", "Arn": FUNCTION });
        one.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
        self.must("PutTargets", json!({ "Rule": name, "Targets": [one] })).await;
    }

    pub(crate) async fn put(&self, source: &str, detail: Value) -> Value {
        let entry = json!({ "Source": source, "DetailType": "T", "Detail": detail.to_string() });
        self.must("PutEvents", json!({ "Entries": [entry] })).await
    }

    /// Moves the clock, works, and takes what the functions were told.
    pub(crate) async fn after(&self, seconds: i64) -> Vec<(String, Value)> {
        self.world.clock.advance(SignedDuration::from_secs(seconds));
        self.events.work().await;
        std::mem::take(&mut *self.functions.taken.lock().unwrap())
    }
}
