//! API keys: who has one that a plan of the stage knows, and how much the plan lets it ask.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html>

use std::collections::HashMap;
use std::sync::Arc;

use pagoda_protocol::ApiError;
use pagoda_service::{Context, Remembered};

use super::Call;
use super::answer::Refusal;
use super::bucket::{Bucket, Limit};
use crate::table::{self, API_KEYS, MARKED_KEYS, Quota, Throttle};
use crate::{ApiGateway, api_key, usage_plan, usage_plan_key};

const HEADER: &str = "x-api-key";
/// Keys that are kept; the least used make room.
const ADMISSIONS_MAX: usize = 10_000;

/// A key that may ask a stage.
pub(crate) struct Admission {
    /// The key's id and value.
    pub(crate) id: String,
    pub(crate) value: String,
    pub(crate) plan: String,
    quota: Option<Quota>,
    bucket: Option<Arc<Bucket>>,
    /// Of methods that have limits of their own, by `{path}/{VERB}`.
    buckets: HashMap<String, Arc<Bucket>>,
}

/// The keys in memory, by API, stage and value.
pub(crate) struct Admissions(Remembered<String, Admission>);

impl Default for Admissions {
    fn default() -> Self {
        Self(Remembered::new(ADMISSIONS_MAX))
    }
}

impl Admissions {
    /// Makes all that is in memory stale.
    pub(crate) fn forget(&self) {
        self.0.forget();
    }
}

impl ApiGateway {
    /// Lets a request pass that bears a key, if its plan lets it.
    pub(crate) async fn admit(&self, call: &Call<'_>) -> Result<Arc<Admission>, Refusal> {
        let value = match call.deployment.api.keys_from_authorizer {
            true => call.verdict.as_ref().and_then(|verdict| verdict.usage_identifier_key.as_deref()),
            false => call.parts.headers.get(HEADER).and_then(|value| value.to_str().ok()),
        };
        let value = value.filter(|value| !value.is_empty()).ok_or(Refusal::InvalidApiKey)?;
        let admission = self.admission(call, value).await.map_err(Refusal::of_failure)?;
        let admission = admission.ok_or(Refusal::InvalidApiKey)?;
        let (resource, verb) = (call.matched.resource, call.parts.method.as_str());
        // The method that answers is the verb's own, or the one for any.
        let verb = if resource.methods.contains_key(verb) { verb } else { "ANY" };
        let method = format!("{}/{verb}", resource.path);
        let bucket = admission.buckets.get(&method).or(admission.bucket.as_ref());
        if bucket.is_some_and(|bucket| !bucket.take(call.cx.now)) {
            return Err(Refusal::Throttled);
        }
        let cx = &call.owner();
        let counted =
            self.tallies.count(self.store(), cx, &admission.plan, &admission.id, admission.quota).await;
        match counted.map_err(|error| Refusal::of_failure(error.into()))? {
            true => Ok(admission),
            false => Err(Refusal::QuotaExceeded),
        }
    }

    async fn admission(&self, call: &Call<'_>, value: &str) -> Result<Option<Arc<Admission>>, ApiError> {
        let (api, stage) = (&call.deployment.api.id, &call.deployment.stage);
        let stage = format!("{api}:{stage}");
        let asked = format!("{stage}/{value}");
        let cx = call.owner();
        self.admissions.0.get_or_read(asked.as_str(), || self.read_admission(&cx, &stage, value)).await
    }

    /// Nothing where the key is none, is switched off, or is in no plan of the stage.
    async fn read_admission(
        &self,
        cx: &Context,
        stage: &str,
        value: &str,
    ) -> Result<Option<Admission>, ApiError> {
        let Some(marked) = MARKED_KEYS.get(self.store(), &api_key::marked(self, cx, value)).await? else {
            return Ok(None);
        };
        let id = marked.record.0;
        let place = table::in_account(&API_KEYS, cx.account, &cx.region, &id);
        let key = API_KEYS.get(self.store(), &place).await?;
        if key.is_none_or(|key| !key.record.is_enabled) {
            return Ok(None);
        }
        for used in usage_plan_key::of_key(self, cx, &id).await? {
            let plan = usage_plan::load(self, cx, &used.record.plan).await?.record;
            let Some(of_stage) = plan.stages.get(stage) else { continue };
            let bucket = |what: &str, throttle: &Throttle| {
                let name = format!("plan/{}/{id}/{what}", plan.id);
                self.buckets.of(&name, Limit { rate: throttle.rate, burst: throttle.burst })
            };
            let methods = of_stage.throttle.iter();
            let methods = methods
                .map(|(method, throttle)| (method.clone(), bucket(&format!("{stage}{method}"), throttle)));
            return Ok(Some(Admission {
                bucket: plan.throttle.as_ref().map(|throttle| bucket("", throttle)),
                buckets: methods.collect(),
                quota: plan.quota,
                plan: plan.id.clone(),
                value: value.to_owned(),
                id: id.clone(),
            }));
        }
        Ok(None)
    }
}

impl Call<'_> {
    /// The circumstances of the API's own account, in which its keys and plans are.
    fn owner(&self) -> Context {
        Context {
            account: self.deployment.api.account,
            region: self.deployment.api.region.clone(),
            ..self.cx.clone()
        }
    }
}
