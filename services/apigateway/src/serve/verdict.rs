//! What an authorizer's function answers, and how long that holds.
//!
//! Invariants: an answer that is not exactly of the documented form lets nobody in; one that holds is never
//! used for another API, stage, deployment or identity.

use std::collections::BTreeMap;
use std::sync::Arc;

use pagoda_base::Timestamp;
use pagoda_policy::{Document, Kind, Named};
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::Value;

use super::answer::Refusal;

/// Answers that are kept; the least used make room.
const VERDICTS_MAX: usize = 4_096;
/// An answer in bytes, so that those kept take at most 128 MB.
const ANSWER_BYTES_MAX: usize = 32 * 1024;

/// A function's answer, checked.
pub(crate) struct Verdict {
    pub(crate) principal_id: String,
    pub(crate) policy: Named,
    /// The policy as the function wrote it.
    pub(crate) policy_text: String,
    /// Numbers and flags are texts here, as integrations see them.
    pub(crate) context: BTreeMap<String, String>,
    pub(crate) latency_millis: u64,
    /// The API key of the caller, where keys are the authorizer's to tell.
    pub(crate) usage_identifier_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    principal_id: String,
    policy_document: Value,
    #[serde(default)]
    usage_identifier_key: Option<String>,
    #[serde(default)]
    context: Option<BTreeMap<String, Value>>,
}

impl Verdict {
    /// Reads an answer; nothing where it is not of the documented form.
    ///
    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>
    pub(crate) fn read(payload: &[u8], latency_millis: u64) -> Option<Self> {
        if payload.len() > ANSWER_BYTES_MAX {
            return None;
        }
        let answer: Answer = serde_json::from_slice(payload).ok()?;
        let policy_text = answer.policy_document.to_string();
        let document = Document::parse(&policy_text, Kind::Identity).ok()?;
        let context = answer.context.unwrap_or_default().into_iter();
        let context = context.filter(|(_, value)| !value.is_null()).map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            Value::Number(_) | Value::Bool(_) => Some((name, value.to_string())),
            _ => None,
        });
        Some(Self {
            principal_id: answer.principal_id,
            usage_identifier_key: answer.usage_identifier_key,
            policy: Named { name: "of the authorizer".into(), document: Arc::new(document) },
            policy_text,
            context: context.collect::<Option<_>>()?,
            latency_millis,
        })
    }
}

/// For whom an answer holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) api: String,
    pub(crate) stage: String,
    pub(crate) deployment: String,
    pub(crate) authorizer: String,
    pub(crate) values: Vec<String>,
}

/// The answers that still hold. Many who ask for the same one wait for one invocation.
pub(crate) struct Verdicts(Cache<Identity, (Timestamp, Arc<Verdict>)>);

impl Default for Verdicts {
    fn default() -> Self {
        Self(Cache::new(VERDICTS_MAX))
    }
}

impl Verdicts {
    /// The answer for `identity` if it holds at `now`, or what `ask` finds, which then holds until `until`.
    pub(crate) async fn get_or_ask(
        &self,
        identity: &Identity,
        now: Timestamp,
        until: Timestamp,
        ask: impl Future<Output = Result<Verdict, Refusal>>,
    ) -> Result<Arc<Verdict>, Refusal> {
        self.0.remove_if(identity, |(until, _)| *until <= now);
        let asked = async { ask.await.map(|verdict| (until, Arc::new(verdict))) };
        Ok(self.0.get_or_insert_async(identity, asked).await?.1)
    }

    /// Forgets the answers for a stage.
    pub(crate) fn flush(&self, api: &str, stage: &str) {
        self.0.retain(|identity, _| identity.api != api || identity.stage != stage);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(answer: Value, expected: Option<&[(&str, &str)]>) {
        let read = Verdict::read(answer.to_string().as_bytes(), 1);
        let read = read.map(|verdict| verdict.context.into_iter().collect::<Vec<_>>());
        let owned = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(read, expected.map(owned), "{answer}");
    }

    #[test]
    fn only_documented_answers_are_answers() {
        let statement = json!({ "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*" });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
        let with =
            |context: Value| json!({ "principalId": "u", "policyDocument": policy, "context": context });
        check(json!({ "principalId": "u", "policyDocument": policy }), Some(&[]));
        check(
            with(json!({ "t": "x", "n": 1, "b": true, "z": null })),
            Some(&[("b", "true"), ("n", "1"), ("t", "x")]),
        );
        check(with(json!({ "t": {} })), None);
        check(with(json!({ "t": [1] })), None);
        check(with(json!("t")), None);
        check(json!({ "policyDocument": policy }), None);
        check(json!({ "principalId": "u" }), None);
        check(json!({ "principalId": "u", "policyDocument": {} }), None);
        check(json!(null), None);
        check(with(json!({ "t": "x".repeat(ANSWER_BYTES_MAX) })), None);
    }
}
