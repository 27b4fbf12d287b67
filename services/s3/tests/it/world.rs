//! S3 over a store in memory and blobs in a temporary folder, and requests to it as the gateway makes them.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http::request::Parts;
use pagoda_base::ids::RequestId;
use pagoda_base::{AccountId, Clock, ManualClock, Random, SeededRandom, SignedDuration, Timestamp};
use pagoda_policy::{Document, Kind, Named, Principal};
use pagoda_protocol::{ApiError, Body, Protocol, Target, Trace, encode_error, route};
use pagoda_s3::S3;
use pagoda_s3::generated::SERVICE;
use pagoda_service::ports::{IdentityPolicies, PoliciesOf};
use pagoda_service::{Api, Arrival, Authorizer, Caller, Context, DataPlane, Origin, Registry};
use pagoda_store::blob::Files;
use pagoda_store::{Blob, Store};
use tempfile::TempDir;

pub(crate) const OWNER: &str = "111111111111";
pub(crate) const OTHER: &str = "222222222222";

pub(crate) struct World {
    pub(crate) s3: Arc<S3>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) blobs: Files,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) dir: TempDir,
    registry: Arc<Registry>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

/// Users have the policy that is their name.
struct NameIsPolicy;

#[async_trait]
impl IdentityPolicies for NameIsPolicy {
    async fn of(&self, caller: &Caller) -> Result<Arc<PoliciesOf>, ApiError> {
        let mut policies = PoliciesOf::default();
        if let Principal::User { arn, .. } = &caller.principal {
            let action = arn.rsplit('/').next().unwrap();
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{}","Resource":"*"}}]}}"#,
                if action == "all" { "s3:*".to_owned() } else { format!("s3:{action}") }
            );
            let document = Arc::new(Document::parse(&text, Kind::Identity).unwrap());
            policies.identity.push(Named { name: "own".into(), document });
        }
        Ok(Arc::new(policies))
    }
}

pub(crate) fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

pub(crate) fn root(id: &str) -> Caller {
    Caller::root(account(id), Some("AKIA".into()))
}

/// A user who may do one action of S3, or `all`.
pub(crate) fn user(id: &str, action: &str) -> Caller {
    let arn = format!("arn:aws:iam::{id}:user/{action}");
    Caller::new(Principal::User { account: account(id), arn }, "AIDA".into(), Some("AKIA".into()))
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_second(1_767_225_600).unwrap()));
        let store = pagoda_store::memory(clock.clone()).unwrap();
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(7));
        let dir = TempDir::new().unwrap();
        let blobs = Files::open(dir.path(), random.clone()).unwrap();
        let authorizer = Authorizer::new(Arc::new(NameIsPolicy));
        let s3 = S3::new(
            store.clone(),
            Arc::new(blobs.clone()),
            clock.clone(),
            random.clone(),
            authorizer.clone(),
        );
        let registry = Arc::new(Registry::new([Api::of(&s3)], authorizer));
        Self { s3, clock, blobs, store, random, dir, registry }
    }

    /// A world with the bucket `b` of the account [`OWNER`].
    pub(crate) async fn with_bucket() -> Self {
        let world = Self::new().await;
        assert_eq!(world.send("PUT", "/bucket", &[], "").await.status, 200);
        world
    }

    /// S3 again, as after a restart with the clock moved on.
    pub(crate) fn restarted(&self) -> Arc<S3> {
        self.clock.advance(SignedDuration::from_hours(24 * 365 * 100));
        let authorizer = Authorizer::new(Arc::new(NameIsPolicy));
        S3::new(
            self.store.clone(),
            Arc::new(self.blobs.clone()),
            self.clock.clone(),
            self.random.clone(),
            authorizer,
        )
    }

    pub(crate) fn context(&self, caller: Caller) -> Context {
        Context {
            account: caller.principal.account().unwrap_or_else(|| account(OWNER)),
            region: "us-east-1".parse().unwrap(),
            caller,
            request_id: RequestId::new(&*self.random),
            now: self.clock.now(),
            origin: Origin {
                address: "127.0.0.1".parse().unwrap(),
                secure: true,
                user_agent: None,
                endpoint: "https://pagoda.test".into(),
                trace: None,
                via: None,
            },
        }
    }

    /// A request of the owner's root user.
    pub(crate) async fn send(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.send_as(root(OWNER), method, uri, headers, Body::from(body.into())).await
    }

    pub(crate) async fn send_as(
        &self,
        caller: Caller,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        collect(self.open(caller, method, uri, headers, body).await).await
    }

    /// The response with its body unread.
    pub(crate) async fn open(
        &self,
        caller: Caller,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> http::Response<Body> {
        let parts = parts(method, uri, headers);
        let trace = Trace { request_id: "R", host_id: "H", resource: uri, head: method == "HEAD" };
        match self.call(caller, &parts, body, &trace).await {
            Ok(response) => response,
            Err(error) => encode_error(&SERVICE, Protocol::RestXml, &error, &trace),
        }
    }

    async fn call(
        &self,
        caller: Caller,
        parts: &Parts,
        body: Body,
        trace: &Trace<'_>,
    ) -> Result<http::Response<Body>, ApiError> {
        let api = self.registry.api("s3").unwrap();
        let routed = route(&SERVICE, parts, b"")?;
        let spec = match routed.target {
            Target::Unavailable(name) => return Err(ApiError::unavailable(name)),
            Target::Operation(spec) => spec,
        };
        let operation = api.operation(spec.name).unwrap();
        let body =
            if spec.streams_input { body } else { Body::from(body.collect(api.body_bytes_max()).await?) };
        let input = operation.decode(&routed, parts, body)?;
        let cx = self.context(caller);
        let needed = operation.access(&cx, &input)?;
        self.registry.authorize(&cx, api, &needed).await?;
        let output = operation.call(&cx, input).await?;
        Ok(output.encode(&SERVICE, routed.protocol, spec, trace))
    }

    /// A request to the website of `bucket`.
    pub(crate) async fn browse(
        &self,
        bucket: &str,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let parts = parts(method, uri, headers);
        let path = parts.uri.path().to_owned();
        let cx = self.context(Caller::anonymous());
        let arrival = Arrival { parts, body: Body::empty(), cx, name: bucket.into(), path };
        collect(self.s3.serve(arrival).await).await
    }

    /// All blobs that there are.
    pub(crate) async fn blob_count(&self) -> usize {
        let mut count = 0;
        for shard in 0..pagoda_store::blob::SHARDS {
            count += self.blobs.list(shard).await.unwrap().len();
        }
        count
    }
}

pub(crate) fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

async fn collect(response: http::Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect(256 << 20).await.unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The text of the first element called `name`.
    pub(crate) fn element(&self, name: &str) -> &str {
        self.elements(name).into_iter().next().unwrap_or_default()
    }

    /// The texts of all elements called `name`.
    pub(crate) fn elements(&self, name: &str) -> Vec<&str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let after = self.text().split(open.as_str()).skip(1);
        after.map(|rest| rest.split(close.as_str()).next().unwrap()).collect()
    }

    /// Asserts a refusal.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.element("Code")), (status, code), "{}", self.text());
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text());
        self
    }
}
