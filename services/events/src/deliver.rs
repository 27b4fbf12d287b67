//! Deliveries: written with what causes them, and kept until their target has them.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html>

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use pagoda_base::ids::{self, RequestId};
use pagoda_base::{SignedDuration, Timestamp};
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_service::ports::{Invocation, MetricName};
use pagoda_store::limits::RANGE_BYTES_MAX;
use pagoda_store::{Commit, Read, Record, StoreError, Stored};
use serde_json::Value;

use crate::input::Surroundings;
use crate::table::{self, DELIVERIES, Delivery, Rule};
use crate::{Events, Scope};

/// As whom functions are invoked.
const SERVICE: &str = "events.amazonaws.com";
const RETRIES_DEFAULT: i32 = 185;
const AGE_SECONDS_DEFAULT: i32 = 86_400;
/// Deliveries that are under way at the same time.
const AT_ONCE: usize = 32;
const DELIVERIES_A_READ: u32 = 200;
/// What one commit holds: half of what it may, since payloads are escaped in their records.
const DELIVERIES_A_COMMIT: usize = 1_000;
const COMMIT_BYTES: usize = 2_000_000;
/// How long a delivery waits after its first failure, and at most.
const DELAY_SECONDS_MIN: i64 = 2;
const DELAY_SECONDS_MAX: i64 = 600;

/// An event that a rule is to tell its targets.
pub(crate) struct Matched<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) rule: &'a Rule,
    pub(crate) rule_arn: &'a str,
    pub(crate) event: &'a Value,
    pub(crate) now: Timestamp,
}

/// A delivery for each target of the rule.
pub(crate) fn of(events: &Events, matched: &Matched<'_>) -> Vec<Delivery> {
    let Matched { scope, rule, rule_arn, event, now } = matched;
    events.count(scope, &rule.name, "MatchedEvents");
    events.count(scope, &rule.name, "TriggeredRules");
    let surroundings = Surroundings { rule: &rule.name, rule_arn, now: *now };
    let mut deliveries = Vec::new();
    for target in &rule.targets {
        let Some(payload) = target.input.payload(event, &surroundings) else {
            tracing::warn!(rule = rule_arn, target = target.id, "the target's input would be no JSON");
            events.count(scope, &rule.name, "FailedInvocations");
            continue;
        };
        let age = SignedDuration::from_secs(target.age_seconds.unwrap_or(AGE_SECONDS_DEFAULT).into());
        deliveries.push(Delivery {
            id: ids::uuid(&*events.random),
            account: scope.account,
            region: scope.region.clone(),
            rule: rule.name.clone(),
            rule_arn: (*rule_arn).to_owned(),
            target_arn: target.arn.clone(),
            payload,
            tries: 0,
            retries_max: target.retries.unwrap_or(RETRIES_DEFAULT).unsigned_abs(),
            expires: *now + age,
        });
    }
    deliveries
}

/// Adds a delivery, due now.
pub(crate) fn add(commit: Commit, delivery: &Delivery, now: Timestamp) -> Result<Commit, StoreError> {
    DELIVERIES.put(commit, &table::delivery(now, &delivery.id), delivery)
}

impl Events {
    /// Makes deliveries durable, in as many commits as they need.
    pub(crate) async fn keep(&self, deliveries: &[Delivery], now: Timestamp) -> Result<(), ApiError> {
        let mut rest = deliveries;
        while !rest.is_empty() {
            let (mut commit, mut bytes, mut count) = (Commit::new(), 0, 0);
            for delivery in rest.iter().take(DELIVERIES_A_COMMIT) {
                bytes += delivery.payload.len();
                // One of them is always below the store's limit.
                if count > 0 && bytes > COMMIT_BYTES {
                    break;
                }
                commit = add(commit, delivery, now)?;
                count += 1;
            }
            self.store().commit(commit).await?.done()?;
            rest = &rest[count..];
        }
        if !deliveries.is_empty() {
            self.deliver.now();
        }
        Ok(())
    }
}

impl Events {
    /// Delivers all that is due.
    pub(crate) async fn deliver_all(&self) {
        // What fails now is tried again by the next run.
        while let Ok(true) = self.deliver_some().await {}
    }

    /// Whether there may be more.
    async fn deliver_some(&self) -> Result<bool, ApiError> {
        let now = self.clock.now();
        let (lo, _) = DELIVERIES.key().done().prefix_range();
        let hi = DELIVERIES.key().i64(now.as_millisecond() + 1).done();
        let read = Read::Range { lo, hi, limit: DELIVERIES_A_READ, bytes: RANGE_BYTES_MAX, reverse: false };
        let found = self.store().rows(read).await?;
        let mut due = Vec::new();
        for row in found.rows {
            due.push(Stored { record: Delivery::decode(&row.value)?, key: row.key, stamp: row.stamp });
        }
        let is_whole = &std::sync::atomic::AtomicBool::new(true);
        stream::iter(due)
            .for_each_concurrent(AT_ONCE, |stored| async move {
                if let Err(error) = self.deliver(&stored, now).await {
                    tracing::warn!(rule = stored.record.rule_arn, %error, "a delivery could not be noted");
                    is_whole.store(false, std::sync::atomic::Ordering::Relaxed);
                }
            })
            .await;
        Ok(found.more && is_whole.load(std::sync::atomic::Ordering::Relaxed))
    }

    async fn deliver(&self, stored: &Stored<Delivery>, now: Timestamp) -> Result<(), ApiError> {
        let delivery = &stored.record;
        let scope = Scope { account: delivery.account, region: delivery.region.clone() };
        self.count(&scope, &delivery.rule, "InvocationAttempts");
        let invocation = Invocation {
            function_arn: delivery.target_arn.clone(),
            payload: Bytes::from(delivery.payload.clone()),
            source_arn: Some(delivery.rule_arn.clone()),
        };
        let commit = DELIVERIES.remove(Commit::new(), stored);
        let commit = match self.functions.enqueue(&self.context(&scope, now), invocation).await {
            Ok(()) => {
                self.count(&scope, &delivery.rule, "Invocations");
                commit
            }
            Err(error) => match again(delivery, &error, now) {
                Some((later, due)) => DELIVERIES.put(commit, &table::delivery(due, &later.id), &later)?,
                None => {
                    let (rule, target) = (&delivery.rule_arn, &delivery.target_arn);
                    tracing::warn!(%rule, %target, %error, "an event was not delivered");
                    self.count(&scope, &delivery.rule, "FailedInvocations");
                    commit
                }
            },
        };
        self.store().commit(commit).await?.done()?;
        Ok(())
    }

    /// EventBridge itself, at work for an account.
    fn context(&self, scope: &Scope, now: Timestamp) -> Context {
        let request_id = RequestId::new(&*self.random);
        Context::of_service(SERVICE, (scope.account, scope.region.clone()), request_id, now)
    }

    pub(crate) fn count(&self, scope: &Scope, rule: &str, name: &'static str) {
        let metric = MetricName {
            account: scope.account,
            region: scope.region.clone(),
            namespace: "AWS/Events",
            name,
            dimensions: vec![vec![], vec![("RuleName", rule.to_owned())]],
            unit: "Count",
        };
        self.metrics.meter(metric).record(1.0);
    }
}

/// The delivery after a failure that may pass, and when it is tried again.
fn again(delivery: &Delivery, error: &ApiError, now: Timestamp) -> Option<(Delivery, Timestamp)> {
    let may_pass = error.status.is_server_error() || error.status.as_u16() == 429;
    let delay = DELAY_SECONDS_MIN.checked_shl(delivery.tries).unwrap_or(DELAY_SECONDS_MAX);
    let due = now + SignedDuration::from_secs(delay.clamp(DELAY_SECONDS_MIN, DELAY_SECONDS_MAX));
    let is_over = delivery.tries >= delivery.retries_max || due > delivery.expires;
    (may_pass && !is_over).then(|| (Delivery { tries: delivery.tries + 1, ..delivery.clone() }, due))
}
