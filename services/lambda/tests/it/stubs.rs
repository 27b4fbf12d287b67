//! The rest of the platform, as small as the tests need it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use pagoda_base::{AccountId, Region, SignedDuration, Timestamp};
use pagoda_policy::{Document, Keys, Kind, Named, Principal};
use pagoda_protocol::{ApiError, Body, ByteStream};
use pagoda_service::ports::{
    AssumeRole, Authenticate, CallOperation, Endpoint, IdentityPolicies, LogLine, PoliciesOf, PutLogEvents,
    ReadObject, ReadRole, Role, ServeEndpoint, SessionCredentials,
};
use pagoda_service::{Caller, Context};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/worker";
/// Trusts Lambda too, and may do nothing.
pub(crate) const MUTE_ROLE: &str = "arn:aws:iam::123456789012:role/mute";

fn policy(text: &str, kind: Kind) -> Named {
    Named { name: "test".into(), document: Arc::new(Document::parse(text, kind).unwrap()) }
}

/// Lets functions of [`ROLE`] write logs and invoke, users of the account do everything, and nobody else anything.
pub(crate) struct Policies;

#[async_trait]
impl IdentityPolicies for Policies {
    async fn of(&self, caller: &Caller) -> Result<Arc<PoliciesOf>, ApiError> {
        let action = match caller.keys.single("aws:PrincipalArn") {
            Some(ROLE) => r#"["logs:*","lambda:InvokeFunction","dynamodb:*"]"#,
            Some(arn) if arn.contains(":user/") => r#""*""#,
            _ => return Ok(Arc::default()),
        };
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":{action},"Resource":"*"}}}}"#
        );
        Ok(Arc::new(PoliciesOf { identity: vec![policy(&text, Kind::Identity)], boundary: None }))
    }
}

/// The two roles.
pub(crate) struct Roles;

#[async_trait]
impl ReadRole for Roles {
    async fn role(&self, arn: &str) -> Result<Option<Arc<Role>>, ApiError> {
        if ![ROLE, MUTE_ROLE].contains(&arn) {
            return Ok(None);
        }
        let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
            "Principal":{"Service":"lambda.amazonaws.com"}}}"#;
        Ok(Some(Arc::new(Role {
            arn: arn.into(),
            id: "AROATEST".into(),
            name: arn.rsplit('/').next().unwrap().into(),
            trust: policy(trust, Kind::Trust),
            max_session_duration_seconds: 3_600,
            tags: Keys::new(),
        })))
    }
}

#[async_trait]
impl AssumeRole for Roles {
    async fn assume(
        &self,
        cx: &Context,
        service: &str,
        role: &str,
        name: &str,
        _seconds: i32,
    ) -> Result<SessionCredentials, ApiError> {
        if self.role(role).await?.is_none() || service != "lambda.amazonaws.com" {
            return Err(ApiError::new("AccessDenied", 403, "no"));
        }
        Ok(SessionCredentials {
            access_key_id: format!("ASIA{name}"),
            secret_access_key: "secret".to_owned().into(),
            session_token: "token".into(),
            expiration: cx.now + SignedDuration::from_hours(1),
        })
    }
}

/// One bucket, `code`, whose objects are set by the tests.
#[derive(Default)]
pub(crate) struct Objects(pub(crate) Mutex<HashMap<String, Bytes>>);

#[async_trait]
impl ReadObject for Objects {
    async fn read(
        &self,
        _cx: &Context,
        _bucket: &str,
        key: &str,
        _version: Option<&str>,
    ) -> Result<(u64, ByteStream), ApiError> {
        let found = self.0.lock().unwrap().get(key).cloned();
        let missing = || ApiError::new("NoSuchKey", 404, "The specified key does not exist.");
        let bytes = found.ok_or_else(missing)?;
        Ok((bytes.len() as u64, Body::from(bytes)))
    }
}

#[async_trait]
impl CallOperation for Objects {
    async fn call(
        &self,
        _cx: &Context,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<Value, ApiError> {
        assert_eq!((service, operation), ("s3", "PutObject"));
        let key = format!("{}/{}", input["Bucket"].as_str().unwrap(), input["Key"].as_str().unwrap());
        let body = crate::scene::unbase64(input["Body"].as_str().unwrap());
        self.0.lock().unwrap().insert(key, body.into());
        Ok(Value::Null)
    }
}

/// A line with its group and stream.
pub(crate) type Written = (String, String, LogLine);

/// Keeps all lines.
pub(crate) struct Lines(pub(crate) watch::Sender<Vec<Written>>);

impl Default for Lines {
    fn default() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }
}

impl Lines {
    /// The lines of a group once one of them contains `text`.
    pub(crate) async fn of(&self, group: &str, text: &str) -> Vec<String> {
        let there =
            |lines: &Vec<Written>| lines.iter().any(|line| line.0 == group && line.2.message.contains(text));
        let mut lines = self.0.subscribe();
        let lines = lines.wait_for(there).await.unwrap();
        lines.iter().filter(|line| line.0 == group).map(|line| line.2.message.clone()).collect()
    }
}

#[async_trait]
impl PutLogEvents for Lines {
    async fn put(
        &self,
        _account: AccountId,
        _region: &Region,
        group: &str,
        stream: &str,
        lines: Vec<LogLine>,
    ) -> Result<(), ApiError> {
        let new = lines.into_iter().map(|line| (group.to_owned(), stream.to_owned(), line));
        self.0.send_modify(|written| written.extend(new));
        Ok(())
    }
}

/// Answers every connection with one word.
pub(crate) struct Platform;

impl ServeEndpoint for Platform {
    fn serve(&self, endpoint: Endpoint) {
        tokio::spawn(async move {
            let Endpoint { listener, closed } = endpoint;
            tokio::select! {
                _ = closed => {}
                () = greet(listener) => {}
            }
        });
    }
}

/// Knows one user by a header.
#[async_trait]
impl Authenticate for Platform {
    async fn caller(
        &self,
        service: &'static str,
        parts: &http::request::Parts,
        _body: &Bytes,
    ) -> Result<Caller, ApiError> {
        assert_eq!(service, "lambda");
        match parts.headers.get("authorization").map(|value| value.as_bytes()) {
            None => Ok(Caller::anonymous()),
            Some(b"user") => {
                let account: AccountId = "123456789012".parse().unwrap();
                let arn = "arn:aws:iam::123456789012:user/test".to_owned();
                Ok(Caller::new(Principal::User { account, arn }, "AIDATEST".into(), None))
            }
            Some(_) => Err(ApiError::new("InvalidSignatureException", 403, "The signature is wrong.")),
        }
    }
}

async fn greet(listener: tokio::net::TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\npagoda")
            .await;
    }
}

/// The present.
pub(crate) fn now() -> Timestamp {
    use pagoda_base::Clock;
    pagoda_base::SystemClock.now()
}
