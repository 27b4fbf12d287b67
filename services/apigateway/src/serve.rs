//! The data plane: how a request to a deployed API is answered. The phases, in their order: find the
//! stage, route, authorize, find the API key and its plan, throttle, validate, answer from the stage's cache, integrate (map the request, send it, map the response), answer.
//!
//! Invariants: only what is deployed is served; every failure is answered as a gateway response, and tells
//! the caller no more than AWS does.

mod access_log;
mod answer;
mod ask;
mod authorize;
mod authorizer;
mod bucket;
mod cache;
mod caching;
mod compression;
mod deployed;
mod event;
mod expression;
mod gateway_response;
mod identity;
mod journal;
mod key;
mod mapped;
mod metric;
mod mock;
mod observed;
mod outgoing;
mod passing;
mod proxy;
mod ready;
mod response;
mod route;
mod tally;
mod target;
mod template;
mod trial;
mod upstream;
mod validate;
mod verdict;

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use http::Response;
use http::request::Parts;
use pagoda_protocol::Body;
use pagoda_service::{Arrival, Context, DataPlane};

pub(crate) use answer::Refusal;
pub(crate) use authorize::complete;
pub(crate) use authorizer::{Authorizer, Question, check as check_authorizer};
pub(crate) use bucket::Buckets;
pub(crate) use cache::Caches;
pub(crate) use deployed::{Served, Variant, assemble};
pub(crate) use event::fields as request_fields;
pub(crate) use expression::{maps_request, maps_response};
pub(crate) use gateway_response::check as check_gateway_response;
pub(crate) use journal::{Journal, PERIOD as JOURNAL_PERIOD};
pub(crate) use key::Admissions;
pub(crate) use tally::{DAYS_MAX, Tallies, day, start as period_start};
pub(crate) use target::AwsTarget;
pub(crate) use trial::Tried;
pub(crate) use upstream::Upstreams;
pub(crate) use verdict::Verdicts;

use crate::ApiGateway;
use crate::table::{IntegrationKind, Method};
use deployed::Deployment;
use gateway_response::Scene;
use key::Admission;
use metric::Gauges;
use observed::{Integrated, Observed};
use ready::Plan;
use route::Matched;
use verdict::Verdict;

/// A request's body, in bytes: the quota of REST APIs.
const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// A request on its way through the phases.
pub(crate) struct Call<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) matched: Matched<'a>,
    pub(crate) method: &'a Method,
    pub(crate) cx: Context,
    pub(crate) parts: &'a Parts,
    pub(crate) body: Bytes,
    /// The path below the stage, percent-encoded.
    pub(crate) path: &'a str,
    /// What the method's authorizer said, if it has one.
    pub(crate) verdict: Option<Arc<Verdict>>,
    /// The key that it bears, if the method wants one.
    pub(crate) key: Option<Arc<Admission>>,
}

/// What is to be told of a request, by whoever answers it.
#[derive(Default)]
struct Witness {
    /// Those of the stage, and of the method once it is known.
    gauges: Option<Arc<Gauges>>,
    /// Nothing where the stage has no logs.
    observed: Option<Observed>,
}

#[async_trait]
impl DataPlane for ApiGateway {
    async fn serve(&self, arrival: Arrival) -> Response<Body> {
        let (request_id, began) = (arrival.cx.request_id, Instant::now());
        let mut witness = Witness::default();
        let answered = self.phases(arrival, &mut witness).await;
        let response = answered.unwrap_or_else(Refusal::into_response);
        if let Some(gauges) = witness.gauges {
            gauges.answered(response.status(), began.elapsed());
        }
        if let Some(observed) = witness.observed {
            observed.tell(&response, began.elapsed(), &self.journal);
        }
        answer::finish(response, request_id)
    }
}

impl ApiGateway {
    async fn phases(&self, arrival: Arrival, witness: &mut Witness) -> Result<Response<Body>, Refusal> {
        let Arrival { parts, body, cx, name, path } = arrival;
        let (stage, path) = split_stage(&path);
        let deployment = self.deployment(&cx, &name, stage).await?.ok_or(Refusal::Forbidden)?;
        witness.gauges = Some(Arc::clone(&deployment.gauges));
        let cx = Context { account: deployment.api.account, region: deployment.api.region.clone(), ..cx };

        let responses = deployment.responses.as_ref();
        let is_shown = responses.is_some() || deployment.logs.is_some();
        let scene = is_shown.then(|| Scene { deployment: &deployment, cx: cx.clone(), parts: &parts, path });
        if let Some(scene) = scene.as_ref().filter(|_| deployment.logs.is_some()) {
            witness.observed = Some(Observed::new(Arc::clone(&deployment), cx.now, scene.circumstances()));
        }
        let mut answered = self.within(&deployment, &parts, body, cx, path, witness).await;
        if let Some(bytes_min) = deployment.api.compression_bytes_min {
            answered = match answered {
                Ok(response) => Box::pin(compression::deflated(response, &parts.headers, bytes_min)).await,
                refused => refused,
            };
        }
        if let (Err(refusal), Some(observed)) = (&answered, &mut witness.observed) {
            observed.refused(refusal);
        }
        match (answered, responses.zip(scene)) {
            (Err(refusal), Some((responses, scene))) => Ok(responses.answer(refusal, &scene)),
            (answered, _) => answered,
        }
    }

    /// The phases behind a stage that exists.
    async fn within(
        &self,
        deployment: &Deployment,
        parts: &Parts,
        body: Body,
        cx: Context,
        path: &str,
        witness: &mut Witness,
    ) -> Result<Response<Body>, Refusal> {
        let matched = deployment.routes.find(path).ok_or(Refusal::MissingAuthenticationToken)?;
        let (method, ready) =
            matched.method(parts.method.as_str()).ok_or(Refusal::MissingAuthenticationToken)?;
        witness.gauges = Some(Arc::clone(&ready.gauges));
        if let Some(observed) = &mut witness.observed {
            observed.level = ready.log_level;
        }
        let body = body.collect(BODY_BYTES_MAX).await.map_err(Refusal::of_body)?;

        let plain;
        let mut call = Call { deployment, matched, method, cx, parts, body, path, verdict: None, key: None };
        if call.is_guarded() {
            Box::pin(self.authorize(&mut call)).await?;
        }

        if let Some((inflated, body)) = compression::inflated(parts, &call.body)? {
            plain = inflated;
            (call.parts, call.body) = (&plain, body);
        }

        if method.api_key_required {
            call.key = Some(Box::pin(self.admit(&call)).await?);
        }

        if let Some(observed) = &mut witness.observed {
            observed.context = event::context(&call);
        }

        if let Some(bucket) = &ready.bucket
            && !bucket.take(call.cx.now)
        {
            return Err(Refusal::Throttled);
        }

        if let Some(validation) = &ready.validation {
            validation.check(&call.origin())?;
        }

        let plan = ready.plan.as_ref().ok_or(Refusal::InternalError)?;
        if let Some(caching) = ready.caching.as_ref().filter(|caching| caching.is_for(&parts.method)) {
            return Box::pin(self.cached(&call, ready, caching, plan)).await;
        }

        match plan {
            Plan::Mock(mock) => mock.answer(&parts.headers, &call.body),
            // In a box of its own, so that mocks do not carry its weight.
            plan => Box::pin(self.integrate(&call, plan, &ready.gauges)).await,
        }
    }

    /// Asks what stands behind the method.
    async fn integrate(
        &self,
        call: &Call<'_>,
        plan: &Plan,
        gauges: &Gauges,
    ) -> Result<Response<Body>, Refusal> {
        let integration = call.method.integration.as_ref().ok_or(Refusal::InternalError)?;
        let began = Instant::now();
        let answered = match plan {
            Plan::Mock(mock) => return mock.answer(&call.parts.headers, &call.body),
            Plan::Mapped(mapped) => self.map(call, mapped).await,
            Plan::Function => self.proxy(call, integration).await,
            Plan::Passing(parameters) => self.pass(call, integration, parameters).await,
        };
        let latency = began.elapsed();
        if integration.kind != IntegrationKind::Mock {
            gauges.integrated(latency);
        }
        let mut response = answered?;
        if call.deployment.logs.is_some() {
            let (kind, status) = (integration.kind, response.status().as_u16());
            response.extensions_mut().insert(Integrated { kind, status, latency });
        }
        Ok(response)
    }

    async fn deployment(
        &self,
        cx: &Context,
        api: &str,
        stage: &str,
    ) -> Result<Option<Arc<Deployment>>, Refusal> {
        let find = async |variant| {
            self.served.find(self, cx, api, stage, variant).await.map_err(Refusal::of_failure)
        };
        let Some(found) = find(Variant::Stage).await? else { return Ok(None) };
        match found.canary_percent {
            // One that has gone meanwhile takes nothing.
            Some(percent) if self.draws(percent) => Ok(find(Variant::Canary).await?.or(Some(found))),
            _ => Ok(Some(found)),
        }
    }

    /// True so many times of a hundred.
    fn draws(&self, percent: f64) -> bool {
        let mut bytes = [0; 4];
        self.ports.random.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / 4_294_967_296.0 * 100.0 < percent
    }
}

/// `/{stage}/…`: the stage, and the path below it.
fn split_stage(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix('/').unwrap_or(path);
    match rest.find('/') {
        Some(at) => (&rest[..at], &rest[at..]),
        None => (rest, "/"),
    }
}

/// The `Content-Type` of a request or answer, without its parameters.
pub(crate) fn media_type(headers: &http::HeaderMap) -> Option<&str> {
    let value = headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or(value).trim())
}
