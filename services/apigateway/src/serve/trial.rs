//! A method that is tried as it is, without a deployment: nobody is authorized or throttled, and no plan counts it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use pagoda_protocol::Body;
use pagoda_service::Context;

use super::answer::Refusal;
use super::deployed::Deployment;
use super::observed::{Integrated, Observed};
use super::ready::Ready;
use super::{Call, event};
use crate::ApiGateway;
use crate::method_setting::LogLevel;

/// What came of it.
pub(crate) struct Tried {
    pub(crate) response: Response<Body>,
    pub(crate) took: Duration,
    /// What an execution log would have.
    pub(crate) steps: Vec<String>,
}

impl ApiGateway {
    /// Has a request answered by the method of the resource that its path leads to; nothing where it leads elsewhere.
    pub(crate) async fn try_method(
        &self,
        cx: Context,
        deployment: &Arc<Deployment>,
        resource: &str,
        parts: &Parts,
        body: Bytes,
    ) -> Option<Tried> {
        let path = parts.uri.path();
        let matched = deployment.routes.find(path).filter(|matched| matched.resource.id == resource)?;
        let (method, ready) = matched.method(parts.method.as_str())?;
        let now = cx.now;
        let call = Call { deployment, matched, method, cx, parts, body, path, verdict: None, key: None };
        let mut observed = Observed::new(Arc::clone(deployment), now, event::context(&call));
        let began = Instant::now();
        let answered = Box::pin(self.answer_of(&call, ready)).await;
        let took = began.elapsed();
        let kind = method.integration.as_ref().map(|integration| integration.kind);
        let integrated = answered.as_ref().ok().zip(kind).map(|(response, kind)| Integrated {
            kind,
            status: response.status().as_u16(),
            latency: took,
        });
        if let Err(refusal) = &answered {
            observed.refused(refusal);
        }
        let response = answered.unwrap_or_else(Refusal::into_response);
        let steps = observed.execution(LogLevel::Info, &response, integrated);
        Some(Tried { response, took, steps })
    }

    async fn answer_of(&self, call: &Call<'_>, ready: &Ready) -> Result<Response<Body>, Refusal> {
        if let Some(validation) = &ready.validation {
            validation.check(&call.origin())?;
        }
        let plan = ready.plan.as_ref().ok_or(Refusal::InternalError)?;
        self.integrate(call, plan, &ready.gauges).await
    }
}
