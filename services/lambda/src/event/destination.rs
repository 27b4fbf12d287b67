//! Where an event ends: what became of it is told to the destination, and it leaves the queue.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pagoda_base::{Arn, ids};
use pagoda_protocol::ApiError;
use pagoda_service::ports::Invoked;
use pagoda_service::{Access, Context, Service as _};
use pagoda_store::{Commit, Stored};
use serde_json::{Value, json};

use crate::access::PRINCIPAL;
use crate::execution::onward;
use crate::load::Loaded;
use crate::metric::Metric;
use crate::{Lambda, name};

use super::config::Rules;
use super::dispatch::tries;
use super::queue::{self, Event, PAYLOAD_BYTES_MAX};

/// Why an event ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
}

/// An event at its end, with all that is known of it.
pub(super) struct Ending<'a> {
    pub(super) lambda: &'a Lambda,
    pub(super) cx: &'a Context,
    pub(super) loaded: &'a Loaded,
    pub(super) rules: &'a Rules,
    pub(super) stored: &'a Stored<Event>,
    pub(super) payload: &'a Bytes,
}

impl Ending<'_> {
    /// Tells the destination, if there is one, and takes the event out of the queue. `invoked` is the last try,
    /// if it came to one.
    pub(super) async fn finish(
        &self,
        condition: Condition,
        invoked: Option<&Invoked>,
    ) -> Result<(), ApiError> {
        let Self { lambda, cx, loaded, .. } = self;
        let watched = lambda.metrics.of(loaded, &self.stored.record.function_arn);
        if condition != Condition::Success {
            watched.record(Metric::AsyncEventsDropped, 1.0);
        }
        let destination = match condition {
            Condition::Success => self.rules.on_success.as_deref(),
            _ => self.rules.on_failure.as_deref(),
        };
        let commit = queue::remove(Commit::new(), &loaded.id, self.stored);
        let Some(destination) = destination else {
            lambda.store().commit(commit).await?.done()?;
            return Ok(());
        };
        let arn: Arn = destination.parse().map_err(|_| ApiError::internal())?;
        let record = Bytes::from(self.record(condition, invoked).to_string());
        let told = match arn.service.as_str() {
            "lambda" => to_function(lambda, cx, loaded, destination, record, commit.clone()).await,
            "s3" => to_bucket(lambda, cx, loaded, &arn.resource, record).await.map(|()| commit.clone()),
            _ => Err(ApiError::internal()),
        };
        // A destination that refuses loses the record, not the queue: as with AWS, there is nowhere else to go.
        let commit = told.unwrap_or_else(|error| {
            tracing::warn!(function = %loaded.id.arn(), %destination, %error, "the destination took no record");
            watched.record(Metric::DestinationDeliveryFailures, 1.0);
            commit
        });
        lambda.store().commit(commit).await?.done()?;
        if arn.service == "lambda" {
            lambda.dispatch(&name::parse(cx, destination)?.function)?;
        }
        Ok(())
    }

    fn record(&self, condition: Condition, invoked: Option<&Invoked>) -> Value {
        let (event, id, now) = (&self.stored.record, &self.loaded.id, self.lambda.ports.clock.now());
        let condition = match condition {
            Condition::Success => "Success",
            Condition::RetriesExhausted => "RetriesExhausted",
            Condition::EventAgeExceeded => "EventAgeExceeded",
        };
        let arn = match event.function_arn == id.arn() {
            true => id.qualified_arn(name::LATEST),
            false => event.function_arn.clone(),
        };
        let mut record = json!({
            "version": "1.0",
            "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            "requestContext": {
                "requestId": event.request_id,
                "functionArn": arn,
                "condition": condition,
                "approximateInvokeCount": tries(event, invoked),
            },
            "requestPayload": read(self.payload),
        });
        if let Some(invoked) = invoked {
            let mut response = json!({ "statusCode": 200, "executedVersion": invoked.executed_version });
            if let Some(error) = invoked.function_error {
                response["functionError"] = json!(error.as_str());
            }
            record["responseContext"] = response;
            record["responsePayload"] = read(&invoked.payload);
        }
        record
    }
}

/// Adds the record to the other function's queue, in the commit that takes the event out of this one.
async fn to_function(
    lambda: &Lambda,
    cx: &Context,
    loaded: &Loaded,
    destination: &str,
    record: Bytes,
    commit: Commit,
) -> Result<Commit, ApiError> {
    let named = name::parse(cx, destination)?;
    lambda.load(&named).await?;
    let as_function = as_function(lambda, cx, loaded).await?;
    let access = Access::new("lambda:InvokeFunction", named.arn());
    let ownership = lambda.ownership(&as_function, &access).await?;
    lambda.ports.authorizer.require(&crate::generated::SERVICE, &as_function, &access, &ownership).await?;
    if record.len() > PAYLOAD_BYTES_MAX {
        return Err(ApiError::new("RequestTooLargeException", 413, "The record is too large."));
    }
    let event = Event {
        request_id: ids::uuid(&*lambda.ports.random),
        function_arn: named.arn(),
        queued: lambda.ports.clock.now(),
        failures: 0,
        delays: 0,
        client_context: None,
        trace: Some(onward(cx, loaded)),
    };
    Ok(queue::add(commit, &named.function, &event, &record)?)
}

async fn to_bucket(
    lambda: &Lambda,
    cx: &Context,
    loaded: &Loaded,
    bucket: &str,
    record: Bytes,
) -> Result<(), ApiError> {
    let now = lambda.ports.clock.now();
    let key = format!(
        "aws/lambda/async/{}/{}/{}-{}",
        loaded.id.name,
        now.strftime("%Y/%m/%d"),
        now.strftime("%Y-%m-%dT%H.%M.%S"),
        ids::uuid(&*lambda.ports.random)
    );
    let input = json!({ "Bucket": bucket, "Key": key, "Body": STANDARD.encode(&record) });
    let as_function = as_function(lambda, cx, loaded).await?;
    lambda.ports.call_operation.call(&as_function, "s3", "PutObject", input).await.map(drop)
}

/// The function itself tells: its role must allow it.
async fn as_function(lambda: &Lambda, cx: &Context, loaded: &Loaded) -> Result<Context, ApiError> {
    let caller = lambda.session_caller(loaded).await?;
    let caller = caller.ok_or_else(|| ApiError::new("AccessDeniedException", 403, "The role is gone."))?;
    Ok(cx.on_behalf(caller, PRINCIPAL))
}

fn read(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(payload).into()))
}
