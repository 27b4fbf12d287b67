//! CloudFormation with two services to make resources of.

use std::future::pending;
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use pagoda_cloudformation::{CloudFormation, Handle};
use pagoda_iam::Iam;
use pagoda_logs::Logs;
use pagoda_protocol::{ApiError, ByteStream};
use pagoda_service::ports::{CallOperation, ReadObject};
use pagoda_service::{Api, Authorizer, Context, Registry};
use pagoda_testkit::{Client, World};
use serde_json::{Value, json};

use crate::functions::Functions;

/// The registry, once it is there: CloudFormation is in it, and calls it.
#[derive(Default)]
struct Late {
    registry: OnceLock<Arc<Registry>>,
    functions: Functions,
    cut: Mutex<Cut>,
}

/// Where the process is killed, as CloudFormation sees it: a call that is never answered.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Cut {
    /// Nowhere.
    #[default]
    Never,
    /// So many calls are answered; the next one does nothing.
    Before(usize),
    /// So many calls are answered; the next one does its work.
    After(usize),
    /// The process is gone.
    Happened,
}

impl Late {
    /// Whether the next call does its work, and whether it is answered.
    fn next(&self) -> (bool, bool) {
        let mut cut = self.cut.lock().unwrap();
        let (next, effect, answer) = match *cut {
            Cut::Never => (Cut::Never, true, true),
            Cut::Before(0) => (Cut::Happened, false, false),
            Cut::After(0) => (Cut::Happened, true, false),
            Cut::Before(calls) => (Cut::Before(calls - 1), true, true),
            Cut::After(calls) => (Cut::After(calls - 1), true, true),
            Cut::Happened => (Cut::Happened, false, false),
        };
        *cut = next;
        (effect, answer)
    }
}

#[async_trait]
impl CallOperation for Late {
    async fn call(
        &self,
        cx: &Context,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, ApiError> {
        let (effect, answer) = self.next();
        if effect {
            let done = match service {
                "lambda" => self.functions.call(operation, input),
                _ => self.registry.get().unwrap().call(cx, service, operation, input).await,
            };
            if answer {
                return done;
            }
        }
        pending().await
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
    late: Arc<Late>,
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
        late.registry.set(client.registry()).ok().unwrap();
        Self { client, cloudformation, late }
    }

    /// The stand-in for Lambda.
    pub(crate) fn functions(&self) -> &Functions {
        &self.late.functions
    }

    /// The process is killed at this point of what comes next.
    pub(crate) fn cut(&self, cut: Cut) {
        *self.late.cut.lock().unwrap() = cut;
    }

    /// Whether it was.
    pub(crate) fn is_cut(&self) -> bool {
        *self.late.cut.lock().unwrap() == Cut::Happened
    }

    /// Waits until the process is gone or the stack has come to an end.
    pub(crate) async fn cut_or_settled(&self) {
        for _ in 0..1_000_000 {
            let stacks =
                self.client.call("cloudformation", "DescribeStacks", json!({ "StackName": "s" })).await;
            let goes_on = stacks.is_ok_and(|stacks| {
                stacks["Stacks"][0]["StackStatus"].as_str().unwrap().ends_with("_IN_PROGRESS")
            });
            if self.is_cut() || !goes_on {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("the stack neither settled nor was its process cut");
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
