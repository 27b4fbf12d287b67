//! A Lambda service of its own for each test, over one spawner and one runtime.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use libtest_mimic::{Failed, Trial};
use pagoda_base::ids::RequestId;
use pagoda_base::{AccountId, SystemClock, SystemRandom};
use pagoda_dynamodb::DynamoDb;
use pagoda_lambda::{Config, Interpreters, Lambda, Ports};
use pagoda_policy::Principal;
use pagoda_protocol::ApiError;
use pagoda_sandbox::Spawner;
use pagoda_service::{Api, Authorizer, Caller, Context, Origin, Sealer};
use pagoda_store::Store;
use pagoda_testkit::Measured;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::stubs::{self, Lines, Objects, Platform, Policies, ROLE, Roles};

static SHARED: Mutex<Option<(Spawner, Interpreters)>> = Mutex::new(None);
static RUNTIME: OnceLock<Runtime> = OnceLock::new();
/// A test that takes longer hangs.
const TEST_SECONDS_MAX: u64 = 60;

pub(crate) fn share(spawner: Spawner, interpreters: Interpreters) {
    *SHARED.lock().unwrap() = Some((spawner, interpreters));
}

/// Ends the spawner, and so every sandbox.
pub(crate) fn end() {
    SHARED.lock().unwrap().take();
}

/// A test that runs in the shared runtime.
pub(crate) fn trial<F: Future<Output = ()> + Send + 'static>(
    name: &'static str,
    run: impl FnOnce() -> F + Send + 'static,
) -> Trial {
    Trial::test(name, move || {
        let runtime = RUNTIME.get_or_init(|| Runtime::new().unwrap());
        let limited = async move { tokio::time::timeout(Duration::from_secs(TEST_SECONDS_MAX), run()).await };
        match runtime.block_on(runtime.spawn(limited)) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Failed::from("it hangs")),
            Err(panic) => Err(Failed::from(panic.to_string())),
        }
    })
}

/// The service and what surrounds it.
pub(crate) struct Scene {
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) api: Api,
    /// DynamoDB, for the streams of its tables.
    tables: Api,
    pub(crate) lines: Arc<Lines>,
    pub(crate) objects: Arc<Objects>,
    pub(crate) measured: Arc<Measured>,
    pub(crate) data: TempDir,
    /// The trace header of the calls.
    pub(crate) trace: Mutex<Option<String>>,
    store: Arc<dyn Store>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let store = pagoda_store::memory(Arc::new(SystemClock)).unwrap();
        Self::over(tempfile::tempdir().unwrap(), store, change)
    }

    /// Another service over the same data, as after a restart.
    pub(crate) fn reopened(self) -> Self {
        Self::over(self.data, self.store, |_| {})
    }

    fn over(data: TempDir, store: Arc<dyn Store>, change: impl FnOnce(&mut Config)) -> Self {
        let (spawner, interpreters) = SHARED.lock().unwrap().clone().unwrap();
        let mut config = Config::new(data.path().to_owned(), interpreters);
        // Most tests are about other things than where an instance comes from.
        config.templates = false;
        // Few small instances don't fill a host: tests about full ones count by size.
        config.limits.overcommit = false;
        change(&mut config);
        let (lines, objects) = (Arc::new(Lines::default()), Arc::new(Objects::default()));
        let measured = Arc::new(Measured::default());
        let random = Arc::new(SystemRandom::default());
        let authorizer = Authorizer::new(Arc::new(Policies));
        let dynamodb =
            DynamoDb::new(store.clone(), Arc::new(SystemClock), random.clone(), authorizer.clone());
        let lambda = Lambda::new(
            config,
            Ports {
                store: store.clone(),
                sealer: Sealer::new(&[7; 32], random.clone()),
                clock: Arc::new(SystemClock),
                random,
                authorizer,
                assume_role: Arc::new(Roles),
                read_role: Arc::new(Roles),
                read_object: objects.clone(),
                logs: lines.clone(),
                metrics: measured.clone(),
                authenticate: Arc::new(Platform),
                streams: dynamodb.clone(),
                call_operation: objects.clone(),
                endpoint: Arc::new(Platform),
                spawner: Some(spawner),
            },
        );
        let lambda = lambda.unwrap();
        Self {
            api: Api::of(&lambda),
            tables: Api::of(&dynamodb),
            lambda,
            lines,
            objects,
            measured,
            data,
            trace: Mutex::default(),
            store,
        }
    }

    /// The circumstances of a request of a user.
    pub(crate) fn cx(&self) -> Context {
        let account: AccountId = "123456789012".parse().unwrap();
        let arn = "arn:aws:iam::123456789012:user/test".to_owned();
        Context {
            account,
            region: "us-east-1".parse().unwrap(),
            caller: Caller::new(Principal::User { account, arn }, "AIDATEST".into(), None),
            request_id: RequestId::new(&SystemRandom::default()),
            now: stubs::now(),
            origin: Origin {
                address: [127, 0, 0, 1].into(),
                secure: true,
                user_agent: None,
                endpoint: "https://localhost".into(),
                trace: self.trace.lock().unwrap().clone(),
                via: None,
            },
        }
    }

    /// Calls an operation of DynamoDB with JSON.
    pub(crate) async fn table(&self, operation: &str, input: Value) -> Value {
        self.call_of(&self.tables, operation, input).await.unwrap()
    }

    /// Calls an operation with JSON.
    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        self.call_of(&self.api, operation, input).await
    }

    async fn call_of(&self, api: &Api, operation: &str, input: Value) -> Result<Value, ApiError> {
        let operation = api.operation(operation).unwrap();
        let cx = self.cx();
        let input = operation.decode_json(&input)?;
        operation.access(&cx, &input)?;
        Ok(operation.call(&cx, input).await?.encode_json())
    }

    /// Makes a function; `more` is put over what every function has.
    pub(crate) async fn create(&self, name: &str, archive: Bytes, more: Value) -> Result<Value, ApiError> {
        let mut input = json!({
            "FunctionName": name,
            "Runtime": "python3.11",
            "Handler": "app.handler",
            "Role": ROLE,
            "Code": { "ZipFile": base64(&archive) },
        });
        for (key, value) in more.as_object().unwrap() {
            input[key] = value.clone();
        }
        self.call("CreateFunction", input).await
    }

    /// Invokes: the function's answer, and its error.
    pub(crate) async fn invoke(&self, name: &str, event: Value) -> (Value, Option<String>) {
        let invoked = self.invoke_raw(name, &event.to_string()).await.unwrap();
        let payload = unbase64(invoked["Payload"].as_str().unwrap());
        let payload = serde_json::from_slice(&payload).unwrap();
        (payload, invoked["FunctionError"].as_str().map(str::to_owned))
    }

    /// Invokes and expects an answer.
    pub(crate) async fn ask(&self, name: &str, event: Value) -> Value {
        let (answer, error) = self.invoke(name, event).await;
        assert_eq!(error, None, "{answer}");
        answer
    }

    pub(crate) async fn invoke_raw(&self, name: &str, payload: &str) -> Result<Value, ApiError> {
        let payload = base64(payload.as_bytes());
        self.call("Invoke", json!({ "FunctionName": name, "Payload": payload, "LogType": "Tail" })).await
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn unbase64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}
