//! The services whose parsers are fuzzed, in process over a store in memory.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use pagoda_apigateway::{ApiGateway, Ports};
use pagoda_base::ids::RequestId;
use pagoda_base::{AccountId, Clock as _, ManualClock, SeededRandom, Timestamp};
use pagoda_cloudformation::{CloudFormation, Handle};
use pagoda_dynamodb::DynamoDb;
use pagoda_iam::Iam;
use pagoda_protocol::{ApiError, Body, Target, Trace, encode_error, route};
use pagoda_s3::S3;
use pagoda_service::ports::CallOperation as _;
use pagoda_service::{Api, Authorizer, Caller, Context, Origin, Registry, Sealer};
use pagoda_store::blob::Files;
use serde_json::Value;
use tempfile::TempDir;

use crate::stub::Nothing;

/// The services, called by their account's root.
pub(crate) struct World {
    registry: Registry,
    cx: Context,
    _blobs: TempDir,
}

impl World {
    /// A new world with an S3 bucket `bucket` and a DynamoDB table `table`.
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let random = Arc::new(SeededRandom::new(1));
        let store = pagoda_store::memory(clock.clone()).expect("a thread can be started");
        let blobs = tempfile::tempdir().expect("the temporary directory is writable");
        let files = Arc::new(Files::open(blobs.path(), random.clone()).expect("it is writable"));
        let authorizer = Authorizer::new(Arc::new(Nothing));
        let sealer = Sealer::new(&[7; 32], random.clone());
        let nothing = Arc::new(Nothing);
        let cloudformation = CloudFormation::new(
            store.clone(),
            clock.clone(),
            random.clone(),
            nothing.clone(),
            nothing.clone(),
            "localhost".into(),
        );
        let apis = [
            Api::of(&ApiGateway::new(Ports {
                store: store.clone(),
                sealer: sealer.clone(),
                random: random.clone(),
                authorizer: authorizer.clone(),
                authenticate: nothing.clone(),
                functions: nothing.clone(),
                later: nothing.clone(),
                relay: nothing.clone(),
                metrics: nothing.clone(),
                logs: nothing.clone(),
                roles: nothing.clone(),
                credentials: nothing,
            })),
            Api::of(&DynamoDb::new(store.clone(), clock.clone(), random.clone(), authorizer.clone())),
            Api::of(&Handle::of(&cloudformation)),
            Api::of(&Iam::new(store.clone(), random.clone(), sealer, Vec::new())),
            Api::of(&S3::new(store, files, clock.clone(), random.clone(), authorizer.clone())),
        ];
        let cx = context(clock.now(), &random);
        let world = Self { registry: Registry::new(apis, authorizer), cx, _blobs: blobs };
        world.furnish().await;
        world
    }

    async fn furnish(&self) {
        let table = serde_json::json!({
            "TableName": "table", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        });
        self.call("dynamodb", "CreateTable", table).await.expect("there is no such table yet");
        let bucket = serde_json::json!({"Bucket": "bucket"});
        self.call("s3", "CreateBucket", bucket).await.expect("there is no such bucket yet");
    }

    /// Calls an operation with JSON.
    pub(crate) async fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value, String> {
        let answer = self.registry.call(&self.cx, service, operation, input).await;
        answer.map_err(|error| told(&error))
    }

    /// Puts a request through all that follows its authentication, the writing of the answer included.
    pub(crate) async fn ask(&self, service: &str, parts: Parts, body: &[u8]) -> Result<(), String> {
        let api = self.registry.api(service).ok_or("no such service")?;
        let request_id = self.cx.request_id.to_string();
        let trace = Trace { request_id: &request_id, resource: parts.uri.path(), ..Trace::default() };
        let routed = route(api.spec(), &parts, body).map_err(|error| told(&error))?;
        let (Target::Operation(spec), protocol) = (routed.target, routed.protocol) else {
            return Err("not built".into());
        };
        let operation = api.operation(spec.name).ok_or("not built")?;
        let answer = async {
            let input = operation.decode(&routed, &parts, Body::from(Bytes::copy_from_slice(body)))?;
            self.registry.authorize(&self.cx, api, &operation.access(&self.cx, &input)?).await?;
            operation.call(&self.cx, input).await
        };
        match answer.await {
            Ok(output) => drop(output.encode(api.spec(), protocol, spec, &trace)),
            Err(error) => {
                let told = told(&error);
                drop(encode_error(api.spec(), protocol, &error, &trace));
                return Err(told);
            }
        }
        Ok(())
    }
}

fn told(error: &ApiError) -> String {
    format!("{}: {}", error.code, error.message)
}

fn context(now: Timestamp, random: &SeededRandom) -> Context {
    let account: AccountId = "123456789012".parse().expect("twelve digits");
    let origin = Origin {
        address: [127, 0, 0, 1].into(),
        secure: true,
        user_agent: None,
        endpoint: "https://localhost".into(),
        trace: None,
        via: None,
    };
    Context {
        account,
        region: "us-east-1".parse().expect("a region"),
        caller: Caller::root(account, None),
        request_id: RequestId::new(random),
        now,
        origin,
    }
}

/// A request as text: the request line, headers, an empty line, the body. Nothing if it is none.
pub(crate) fn request(input: &[u8]) -> Option<(Parts, &[u8])> {
    let end = input.windows(2).position(|pair| pair == b"\n\n").unwrap_or(input.len());
    let body = input.get(end + 2..).unwrap_or_default();
    let mut lines = input[..end].split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (method, uri) = first.split_once(' ')?;
    let mut request = http::Request::builder().method(method).uri(uri);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let value = http::HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        request = request.header(&line[..colon], value);
    }
    Some((request.body(()).ok()?.into_parts().0, body))
}
