//! The outbox: what functions are to be told, written with the change itself, and told in the background.
//!
//! Invariants: a notification is there exactly when its change is; it leaves the outbox once the function's queue
//! has it, so that it is told at least once; nobody who changes an object waits for a function.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use futures_util::future::join_all;
use pagoda_base::ids::RequestId;
use pagoda_base::{AccountId, Region, Timestamp};
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_service::ports::Invocation;
use pagoda_store::tuple::{self, Element};
use pagoda_store::{Commit, Key, KeyBuilder, Record, Space, StoreError, Stored, Table};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::S3;
use crate::notification::PRINCIPAL;
use crate::table::{Bucket, Object};

/// Notifications that are told at the same time.
const AT_ONCE: u32 = 32;
/// What stays as it is in the keys of events.
const KEPT: AsciiSet =
    NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

/// Why an object is changed.
pub(crate) struct Cause<'a> {
    pub(crate) cx: &'a Context,
    /// Such as `ObjectCreated:Put`.
    pub(crate) event: &'static str,
}

/// What a function is to be told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Told {
    function: String,
    rule: String,
    event: String,
    bucket: String,
    account: AccountId,
    region: Region,
    key: String,
    /// Size and ETag, where there still is an object.
    object: Option<(u64, String)>,
    time: Timestamp,
    principal: String,
    address: String,
    request_id: String,
    /// The trace of the change, by which functions that lead to their own invocation are found.
    trace: Option<String>,
}

pub(crate) const OUTBOX: Table<Told> = Table::new(Space::Queue);

impl Record for Told {
    const KIND: &str = "s3.outbox";
    const VERSION: u8 = 1;
}

/// Adds to the commit of a change what is to be told of it.
pub(crate) fn tell(
    mut commit: Commit,
    bucket: &Bucket,
    cause: &Cause<'_>,
    key: &str,
    object: Option<&Object>,
    now: Timestamp,
) -> Result<Commit, StoreError> {
    let rules = bucket.notifications.iter().filter(|rule| rule.is_for(cause.event, key));
    for (number, rule) in rules.enumerate() {
        let told = Told {
            function: rule.function.clone(),
            rule: rule.id.clone(),
            event: cause.event.to_owned(),
            bucket: bucket.name.clone(),
            account: bucket.account,
            region: bucket.region.clone(),
            key: key.to_owned(),
            object: object.map(|object| (object.size, object.etag.clone())),
            time: now,
            principal: format!("AWS:{}", cause.cx.caller.user_id),
            address: cause.cx.origin.address.to_string(),
            request_id: cause.cx.request_id.to_string(),
            trace: cause.cx.origin.trace.clone(),
        };
        let tail = KeyBuilder::new(Space::Queue).u64(number as u64).done().bytes;
        commit = commit.append(OUTBOX.key().done(), tail, told.encode()?);
    }
    Ok(commit)
}

impl S3 {
    /// Tells all that is in the outbox. What can't be told now waits for the next run.
    pub(crate) async fn empty_outbox(&self) {
        let mut after: Option<Key> = None;
        loop {
            match self.tell_some(after.as_ref()).await {
                Ok(Some(next)) => after = Some(next),
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "notifications could not be told");
                    return;
                }
            }
        }
    }

    /// Tells some of the notifications behind `after`; where to go on, if there are more.
    async fn tell_some(&self, after: Option<&Key>) -> Result<Option<Key>, ApiError> {
        let page = OUTBOX.scan(self.store(), &OUTBOX.key().done(), after, AT_ONCE).await?;
        let each = join_all(page.items.iter().map(|stored| self.tell_one(stored))).await;
        let done = page.items.iter().zip(each).filter(|(_, done)| *done);
        let commit = done.fold(Commit::new(), |commit, (stored, _)| commit.delete(stored.key.clone()));
        if !commit.ops.is_empty() {
            self.store().commit(commit).await?.done()?;
        }
        Ok(page.next)
    }

    /// Whether the notification is told, or never can be.
    async fn tell_one(&self, stored: &Stored<Told>) -> bool {
        let told = &stored.record;
        let Some(functions) = self.functions.get() else { return false };
        let (place, request_id) = ((told.account, told.region.clone()), RequestId::new(&*self.random));
        let mut cx = Context::of_service(PRINCIPAL, place, request_id, self.clock.now());
        cx.origin.trace.clone_from(&told.trace);
        let invocation = Invocation {
            function_arn: told.function.clone(),
            payload: told.event(&sequencer(&stored.key)).to_string().into(),
            source_arn: Some(format!("arn:aws:s3:::{}", told.bucket)),
        };
        match functions.later.enqueue(&cx, invocation).await {
            Ok(()) => true,
            Err(error) => {
                let gone = !error.status.is_server_error() && error.status.as_u16() != 429;
                tracing::warn!(function = told.function, bucket = told.bucket, %error, gone, "a function was not told");
                gone
            }
        }
    }
}

impl Told {
    fn event(&self, sequencer: &str) -> Value {
        let key = percent_encode(self.key.as_bytes(), &KEPT).to_string().replace(' ', "+");
        let mut object = json!({ "key": key });
        if let Some((size, etag)) = &self.object {
            object["size"] = json!(size);
            object["eTag"] = json!(etag);
        }
        object["sequencer"] = json!(sequencer);
        json!({ "Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self.region.as_str(),
            "eventTime": self.time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            "eventName": self.event,
            "userIdentity": { "principalId": self.principal },
            "requestParameters": { "sourceIPAddress": self.address },
            "responseElements": { "x-amz-request-id": self.request_id, "x-amz-id-2": self.request_id },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": self.rule,
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": { "principalId": self.account.as_str() },
                    "arn": format!("arn:aws:s3:::{}", self.bucket),
                },
                "object": object,
            },
        }] })
    }
}

/// Later changes of a key have larger ones.
fn sequencer(key: &Key) -> String {
    let elements = tuple::decode(&key.bytes).unwrap_or_default();
    let stamp = elements.iter().find_map(|element| match element {
        Element::Stamp(stamp) => Some(stamp.to_string().to_uppercase()),
        _ => None,
    });
    stamp.unwrap_or_default()
}
