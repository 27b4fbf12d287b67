//! CloudFormation with two services to make resources of.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use pagoda_cloudformation::{CloudFormation, Handle};
use pagoda_iam::Iam;
use pagoda_logs::Logs;
use pagoda_protocol::{ApiError, ByteStream};
use pagoda_service::ports::{CallOperation, ReadObject};
use pagoda_service::{Api, Authorizer, Context, Registry};
use pagoda_testkit::{Client, World};
use serde_json::{Value, json};

/// The registry, once it is there: CloudFormation is in it, and calls it.
#[derive(Default)]
struct Late(OnceLock<Arc<Registry>>);

#[async_trait]
impl CallOperation for Late {
    async fn call(
        &self,
        cx: &Context,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, ApiError> {
        self.0.get().unwrap().call(cx, service, operation, input).await
    }
}

/// No templates come from S3 here.
struct NoObjects;

#[async_trait]
impl ReadObject for NoObjects {
    async fn read(
        &self,
        _cx: &Context,
        _bucket: &str,
        _key: &str,
        _version: Option<&str>,
    ) -> Result<(u64, ByteStream), ApiError> {
        Err(ApiError::new("NoSuchBucket", 404, "The specified bucket does not exist"))
    }
}

pub(crate) struct Stacks<'w> {
    pub(crate) client: Client<'w>,
    pub(crate) cloudformation: Arc<CloudFormation>,
}

impl<'w> Stacks<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let iam = Iam::new(world.store.clone(), world.random.clone(), world.sealer.clone(), Vec::new());
        let logs = Logs::new(world.store.clone(), world.clock.clone(), world.random.clone());
        let late = Arc::new(Late::default());
        let cloudformation = CloudFormation::new(
            world.store.clone(),
            world.clock.clone(),
            world.random.clone(),
            late.clone(),
            Arc::new(NoObjects),
            "localhost:4566".into(),
        );
        let apis = [Api::of(&iam), Api::of(&logs), Api::of(&Handle::of(&cloudformation))];
        let client = Client::new(world, apis, Authorizer::new(iam));
        late.0.set(client.registry()).ok().unwrap();
        Self { client, cloudformation }
    }

    pub(crate) async fn must(&self, operation: &str, input: Value) -> Value {
        self.client.must("cloudformation", operation, input).await
    }

    pub(crate) async fn refused(&self, operation: &str, input: Value) -> String {
        self.client.call("cloudformation", operation, input).await.unwrap_err().message
    }

    /// Creates or updates the stack `s`, and waits for its end.
    pub(crate) async fn change(&self, operation: &str, template: &Value) -> Value {
        let input = json!({
            "StackName": "s",
            "TemplateBody": template.to_string(),
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
        });
        self.must(operation, input).await;
        self.settled("s").await
    }

    /// The stack when nothing goes on with it.
    pub(crate) async fn settled(&self, name: &str) -> Value {
        for _ in 0..1_000_000 {
            let stacks = self.must("DescribeStacks", json!({ "StackName": name })).await;
            let stack = stacks["Stacks"][0].clone();
            if !stack["StackStatus"].as_str().unwrap().ends_with("_IN_PROGRESS") {
                return stack;
            }
            tokio::task::yield_now().await;
        }
        panic!("the stack never settled");
    }

    pub(crate) async fn groups(&self) -> Vec<String> {
        let groups = self.client.must("logs", "DescribeLogGroups", json!({})).await;
        let groups = groups["logGroups"].as_array().unwrap().iter();
        groups.map(|group| group["logGroupName"].as_str().unwrap().to_owned()).collect()
    }
}

/// A log group with this name and retention.
pub(crate) fn group(name: &str, days: i32) -> Value {
    json!({ "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": name, "RetentionInDays": days } })
}
