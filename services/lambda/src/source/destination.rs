//! Where records go that are given up: an object in S3 with all of the batch.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pagoda_base::ids::{self, RequestId};
use pagoda_base::{Arn, Timestamp};
use pagoda_protocol::ApiError;
use serde_json::{Value, json};

use super::batch::{Entry, event};
use super::deliver::Tried;
use super::poller::Runner;
use crate::access::PRINCIPAL;

/// Why records are given up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

/// Records that will not be tried again.
pub(super) struct GivenUp<'a> {
    pub(super) condition: Condition,
    pub(super) entries: &'a [Entry],
    pub(super) tries: u32,
    pub(super) tried: Option<&'a Tried>,
}

impl Runner {
    /// Writes the record of what is given up, as the function's role.
    ///
    /// # Errors
    /// Those of the destination.
    pub(super) async fn tell(&self, given_up: &GivenUp<'_>) -> Result<(), ApiError> {
        let Some(destination) = &self.settings().on_failure else { return Ok(()) };
        let bucket = destination.parse::<Arn>().map_err(|_| ApiError::internal())?.resource;
        let lambda = &self.lambda;
        let now = lambda.ports.clock.now();
        let random = &*lambda.ports.random;
        let key = format!(
            "aws/lambda/{}/{}/{}/{}-{}",
            self.mapping().uuid,
            self.shard,
            now.strftime("%Y/%m/%d"),
            now.strftime("%Y-%m-%dT%H.%M.%S"),
            ids::uuid(random)
        );
        let body = STANDARD.encode(self.told(given_up, now).to_string());
        let cx = lambda.own_context(&self.named.function, RequestId::new(random));
        let loaded = lambda.load(&self.named).await?;
        let caller = lambda.session_caller(&loaded).await?;
        let caller =
            caller.ok_or_else(|| ApiError::new("AccessDeniedException", 403, "The role is gone."))?;
        let input = json!({ "Bucket": bucket, "Key": key, "Body": body });
        let cx = cx.on_behalf(caller, PRINCIPAL);
        lambda.ports.call_operation.call(&cx, "s3", "PutObject", input).await.map(drop)
    }

    fn told(&self, given_up: &GivenUp<'_>, now: Timestamp) -> Value {
        let GivenUp { condition, entries, tries, tried } = given_up;
        let condition = match condition {
            Condition::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Condition::RecordAgeExceeded => "RecordAgeExceeded",
        };
        let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let of = |entry: Option<&Entry>| {
            entry.map(|entry| (entry.record.sequence.clone(), time(entry.record.created)))
        };
        let (first, last) = (of(entries.first()).unwrap_or_default(), of(entries.last()).unwrap_or_default());
        let mut told = json!({
            "requestContext": {
                "requestId": tried.map(|tried| tried.request_id.as_str()),
                "functionArn": self.named.arn(),
                "condition": condition,
                "approximateInvokeCount": tries,
            },
            "version": "1.0",
            "timestamp": time(now),
            "DDBStreamBatchInfo": {
                "shardId": self.shard,
                "startSequenceNumber": first.0,
                "endSequenceNumber": last.0,
                "approximateArrivalOfFirstRecord": first.1,
                "approximateArrivalOfLastRecord": last.1,
                "batchSize": entries.len(),
                "streamArn": self.mapping().source,
            },
            "payload": event(entries, None),
        });
        if let Some(tried) = tried {
            let error = tried.invoked.function_error.map(|error| error.as_str());
            told["responseContext"] = json!({
                "statusCode": 200, "executedVersion": tried.invoked.executed_version, "functionError": error,
            });
        }
        told
    }
}
