//! What stands around the services here: nothing but refusals.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use pagoda_base::{AccountId, Region};
use pagoda_protocol::{ApiError, Body, ByteStream};
use pagoda_service::ports::{
    AssumeRole, Authenticate, CallOperation, Credential, FindCredential, IdentityPolicies, Invocation,
    InvokeFunction, InvokeLater, Invoked, LogLine, Meter, MetricName, NoCredential, PoliciesOf, PutLogEvents,
    ReadObject, RecordMetric, RelayRequest, SessionCredentials,
};
use pagoda_service::{Caller, Context};
use serde_json::Value;

/// Every port.
pub(crate) struct Nothing;

#[async_trait]
impl IdentityPolicies for Nothing {
    async fn of(&self, _caller: &Caller) -> Result<Arc<PoliciesOf>, ApiError> {
        Ok(Arc::new(PoliciesOf { identity: Vec::new(), boundary: None }))
    }
}

#[async_trait]
impl CallOperation for Nothing {
    async fn call(&self, _: &Context, service: &str, _: &str, _: Value) -> Result<Value, ApiError> {
        Err(ApiError::unavailable(service))
    }
}

#[async_trait]
impl ReadObject for Nothing {
    async fn read(
        &self,
        _: &Context,
        _: &str,
        _: &str,
        _: Option<&str>,
    ) -> Result<(u64, ByteStream), ApiError> {
        Err(ApiError::new("NoSuchBucket", 404, "The specified bucket does not exist"))
    }
}

#[async_trait]
impl Authenticate for Nothing {
    async fn caller(&self, _: &'static str, _: &http::request::Parts, _: &Bytes) -> Result<Caller, ApiError> {
        Ok(Caller::anonymous())
    }
}

#[async_trait]
impl InvokeFunction for Nothing {
    async fn invoke(&self, _: &Context, _: Invocation) -> Result<Invoked, ApiError> {
        Err(ApiError::new("ResourceNotFoundException", 404, "Function not found"))
    }
}

#[async_trait]
impl InvokeLater for Nothing {
    async fn enqueue(&self, _: &Context, _: Invocation) -> Result<(), ApiError> {
        Err(ApiError::new("ResourceNotFoundException", 404, "Function not found"))
    }
}

#[async_trait]
impl RelayRequest for Nothing {
    async fn relay(
        &self,
        _: &Context,
        _: &str,
        _: Option<&str>,
        _: http::request::Parts,
        _: Bytes,
    ) -> http::Response<Body> {
        http::Response::new(Body::empty())
    }
}

impl RecordMetric for Nothing {
    fn meter(&self, _metric: MetricName) -> Arc<dyn Meter> {
        Arc::new(Nothing)
    }
}

#[async_trait]
impl PutLogEvents for Nothing {
    async fn put(&self, _: AccountId, _: &Region, _: &str, _: &str, _: Vec<LogLine>) -> Result<(), ApiError> {
        Ok(())
    }
}

impl Meter for Nothing {
    fn record(&self, _value: f64) {}
}

#[async_trait]
impl AssumeRole for Nothing {
    async fn assume(
        &self,
        _cx: &Context,
        _service: &str,
        _role_arn: &str,
        _session_name: &str,
        _duration_seconds: i32,
    ) -> Result<SessionCredentials, ApiError> {
        Err(ApiError::internal())
    }
}

#[async_trait]
impl FindCredential for Nothing {
    async fn find(&self, _id: &str, _session_token: Option<&str>) -> Result<Credential, NoCredential> {
        Err(NoCredential::Unknown)
    }
}
