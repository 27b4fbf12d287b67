//! A DynamoDB in memory with its streams, and callers who ask them.

use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::ids::RequestId;
use pagoda_base::{Clock as _, ManualClock, SeededRandom, SignedDuration, Timestamp};
use pagoda_dynamodb::DynamoDb;
use pagoda_dynamodbstreams::DynamoDbStreams;
use pagoda_policy::{Document, Kind, Named, Principal};
use pagoda_protocol::ApiError;
use pagoda_service::ports::{CallOperation as _, IdentityPolicies, PoliciesOf};
use pagoda_service::{Api, Authorizer, Background, Caller, Context, Origin, Registry};
use serde_json::{Value, json};

const ACCOUNT: &str = "123456789012";

pub(crate) struct World {
    registry: Registry,
    clock: Arc<ManualClock>,
    pub(crate) dynamodb: Arc<DynamoDb>,
}

/// The policy of everybody who is not root.
struct Policies(Value);

#[async_trait]
impl IdentityPolicies for Policies {
    async fn of(&self, caller: &Caller) -> Result<Arc<PoliciesOf>, ApiError> {
        let text = self.0.to_string();
        let document = || Arc::new(Document::parse(&text, Kind::Identity).unwrap());
        let is_user = matches!(caller.principal, Principal::User { .. });
        let identity = is_user.then(|| Named { name: "policy".into(), document: document() });
        Ok(Arc::new(PoliciesOf { identity: identity.into_iter().collect(), boundary: None }))
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Resource": "*",
            "Action": ["dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
        }] });
        let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap()));
        let store = pagoda_store::memory(clock.clone()).unwrap();
        let authorizer = Authorizer::new(Arc::new(Policies(policy)));
        let random = Arc::new(SeededRandom::new(1));
        let dynamodb = DynamoDb::new(store, clock.clone(), random, authorizer.clone());
        let streams = DynamoDbStreams::new(dynamodb.clone());
        let registry = Registry::new([Api::of(&dynamodb), Api::of(&streams)], authorizer);
        Self { registry, clock, dynamodb }
    }

    async fn call_as(&self, caller: Caller, operation: &str, input: Value) -> Result<Value, ApiError> {
        let cx = Context {
            account: ACCOUNT.parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            caller,
            request_id: RequestId::new(&SeededRandom::new(2)),
            now: self.clock.now(),
            origin: Origin {
                address: [127, 0, 0, 1].into(),
                secure: true,
                user_agent: None,
                endpoint: "https://localhost:4566".into(),
                trace: None,
                via: None,
            },
        };
        self.registry.call(&cx, "dynamodb", operation, input).await
    }

    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        let caller = Caller::root(ACCOUNT.parse().unwrap(), None);
        self.call_as(caller, operation, input).await.unwrap()
    }

    pub(crate) async fn refused(&self, operation: &str, input: Value) -> String {
        let caller = Caller::root(ACCOUNT.parse().unwrap(), None);
        self.call_as(caller, operation, input).await.unwrap_err().code.into_owned()
    }

    pub(crate) async fn as_user(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/ada");
        let principal = Principal::User { account: ACCOUNT.parse().unwrap(), arn };
        self.call_as(Caller::new(principal, "AIDA".into(), None), operation, input).await
    }

    /// Makes a table with a stream; the stream's ARN.
    pub(crate) async fn table(&self, name: &str, view: &str) -> String {
        let made = self
            .ok(
                "CreateTable",
                json!({
                    "TableName": name, "BillingMode": "PAY_PER_REQUEST",
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                    "StreamSpecification": {"StreamEnabled": true, "StreamViewType": view},
                }),
            )
            .await;
        made["TableDescription"]["LatestStreamArn"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn put(&self, table: &str, id: &str, n: u32) {
        let item = json!({"id": {"S": id}, "n": {"N": n.to_string()}});
        self.ok("PutItem", json!({"TableName": table, "Item": item})).await;
    }

    pub(crate) async fn shards(&self, arn: &str) -> Vec<String> {
        let described = self.ok("DescribeStream", json!({"StreamArn": arn})).await;
        let shards = described["StreamDescription"]["Shards"].as_array().unwrap();
        shards.iter().map(|shard| shard["ShardId"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn iterator(&self, arn: &str, shard: &str, mut input: Value) -> String {
        input["StreamArn"] = json!(arn);
        input["ShardId"] = json!(shard);
        let made = self.ok("GetShardIterator", input).await;
        made["ShardIterator"].as_str().unwrap().to_owned()
    }

    /// All records of all shards, each shard's in its order.
    pub(crate) async fn records(&self, arn: &str) -> Vec<Value> {
        let mut records = Vec::new();
        for shard in self.shards(arn).await {
            let oldest = json!({"ShardIteratorType": "TRIM_HORIZON"});
            let iterator = self.iterator(arn, &shard, oldest).await;
            let page = self.ok("GetRecords", json!({"ShardIterator": iterator})).await;
            records.extend(page["Records"].as_array().unwrap().iter().cloned());
        }
        records
    }

    pub(crate) fn advance(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    /// Runs the background work until `done` says that its effect is there.
    pub(crate) async fn sweep<F: Future<Output = bool>>(&self, done: impl Fn() -> F) {
        let mut background = Background::default();
        self.dynamodb.run(&mut background);
        while !done().await {
            tokio::task::yield_now().await;
        }
        background.stop().await;
    }
}
