//! A DynamoDB in memory, and callers who ask it.

use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::ids::RequestId;
use pagoda_base::{ManualClock, SeededRandom, SignedDuration, Timestamp};
use pagoda_dynamodb::DynamoDb;
use pagoda_policy::{Document, Kind, Named, Principal};
use pagoda_protocol::ApiError;
use pagoda_service::ports::{IdentityPolicies, PoliciesOf};
use pagoda_service::{Api, Authorizer, Caller, Context, Origin, Registry};
use serde_json::{Value, json};

const ACCOUNT: &str = "123456789012";

/// One server.
pub(crate) struct World {
    registry: Registry,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) dynamodb: Arc<DynamoDb>,
    random: Arc<SeededRandom>,
}

/// The policy of everybody who is not root.
struct Policies(Option<String>);

#[async_trait]
impl IdentityPolicies for Policies {
    async fn of(&self, caller: &Caller) -> Result<Arc<PoliciesOf>, ApiError> {
        let named =
            self.0.as_ref().filter(|_| matches!(caller.principal, Principal::User { .. })).map(|text| {
                let document = Arc::new(Document::parse(text, Kind::Identity).unwrap());
                Named { name: "policy".into(), document }
            });
        Ok(Arc::new(PoliciesOf { identity: named.into_iter().collect(), boundary: None }))
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_policy(None)
    }

    /// A world in which the user has this policy.
    pub(crate) fn with_policy(policy: Option<Value>) -> Self {
        let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap()));
        let random = Arc::new(SeededRandom::new(1));
        let store = pagoda_store::memory(clock.clone()).unwrap();
        let authorizer = Authorizer::new(Arc::new(Policies(policy.map(|policy| policy.to_string()))));
        let dynamodb = DynamoDb::new(store, clock.clone(), random.clone(), authorizer.clone());
        let registry = Registry::new([Api::of(&dynamodb)], authorizer);
        Self { registry, clock, dynamodb, random }
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let account = ACCOUNT.parse().unwrap();
        self.call_as(Caller::root(account, None), operation, input).await
    }

    pub(crate) async fn call_as_user(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let principal = Principal::User {
            account: ACCOUNT.parse().unwrap(),
            arn: format!("arn:aws:iam::{ACCOUNT}:user/ada"),
        };
        self.call_as(Caller::new(principal, "AIDA".into(), None), operation, input).await
    }

    async fn call_as(&self, caller: Caller, operation: &str, input: Value) -> Result<Value, ApiError> {
        use pagoda_base::Clock as _;
        use pagoda_service::ports::CallOperation as _;
        let cx = Context {
            account: ACCOUNT.parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            caller,
            request_id: RequestId::new(&*self.random),
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

    /// The answer to a call that succeeds.
    pub(crate) async fn ok(&self, operation: &str, input: Value) -> Value {
        let shown = input.to_string();
        self.call(operation, input).await.unwrap_or_else(|error| panic!("{operation} {shown}: {error}"))
    }

    /// The code and message of a call that fails.
    pub(crate) async fn refused(&self, operation: &str, input: Value) -> (String, String) {
        let shown = input.to_string();
        match self.call(operation, input).await {
            Ok(answer) => panic!("{operation} {shown} answered {answer}"),
            Err(error) => (error.code.into_owned(), error.message),
        }
    }

    /// Checks a refusal with `ValidationException`.
    pub(crate) async fn invalid(&self, operation: &str, input: Value, message: &str) {
        let refused = self.refused(operation, input).await;
        assert_eq!(refused, ("ValidationException".to_owned(), message.to_owned()));
    }

    /// Makes a table with the partition key `id` of type S and, if wanted, a sort key `at`.
    pub(crate) async fn table(&self, name: &str, range: Option<&str>) {
        let mut definitions = vec![json!({"AttributeName": "id", "AttributeType": "S"})];
        let mut schema = vec![json!({"AttributeName": "id", "KeyType": "HASH"})];
        if let Some(kind) = range {
            definitions.push(json!({"AttributeName": "at", "AttributeType": kind}));
            schema.push(json!({"AttributeName": "at", "KeyType": "RANGE"}));
        }
        let input = json!({
            "TableName": name, "KeySchema": schema, "AttributeDefinitions": definitions,
            "BillingMode": "PAY_PER_REQUEST",
        });
        self.ok("CreateTable", input).await;
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

/// Runs a test's future.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}
