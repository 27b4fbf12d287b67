//! Who asks: the signature is checked against the secret that belongs to its key.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Parts;
use pagoda_base::Clock;
use pagoda_protocol::sigv4::{self, Dialect, Presented, SigningKeys};
use pagoda_protocol::{ApiError, Body, Protocol, ServiceSpec};
use pagoda_service::Caller;
use pagoda_service::ports::{Authenticate, Credential, FindCredential, NoCredential};

/// Derived signing keys that are kept; the least used make room.
const KEYS_MAX: usize = 10_000;

/// Checks signatures.
pub struct Authenticator {
    credentials: Arc<dyn FindCredential>,
    clock: Arc<dyn Clock>,
    keys: SigningKeys,
}

/// A request whose key is known and whose signature is yet to be checked.
pub(crate) struct Claimed {
    presented: Presented,
    credential: Credential,
}

impl Authenticator {
    /// An authenticator over the known credentials.
    pub fn new(credentials: Arc<dyn FindCredential>, clock: Arc<dyn Clock>) -> Self {
        Self { credentials, clock, keys: SigningKeys::new(KEYS_MAX) }
    }

    /// Looks the signature's key up; `None` when the request is not signed. A key that nobody has is
    /// refused before a byte of the body is read.
    pub(crate) async fn claim(
        &self,
        service: &str,
        dialect: Dialect,
        parts: &Parts,
    ) -> Result<Option<Claimed>, ApiError> {
        let Some(presented) = sigv4::parse(parts, service, dialect)? else { return Ok(None) };
        let token = presented.session_token.as_deref();
        match self.credentials.find(&presented.credential.access_key_id, token).await {
            Ok(credential) => Ok(Some(Claimed { presented, credential })),
            Err(NoCredential::Unknown) if token.is_some() && dialect == Dialect::S3 => {
                let message = "The provided token is malformed or otherwise invalid.";
                Err(ApiError::new("InvalidToken", 400, message))
            }
            Err(reason) => Err(refusal(dialect, reason)),
        }
    }

    /// Checks the signature over `parts` and `body`; a body that is not in memory is checked as it is read.
    pub(crate) fn verify(
        &self,
        claimed: Claimed,
        parts: &Parts,
        body: Body,
    ) -> Result<(Caller, Body), ApiError> {
        let Claimed { presented, credential } = claimed;
        let body = presented.verify(parts, body, &credential.secret, self.clock.now(), &self.keys)?;
        Ok((credential.caller, body))
    }
}

#[async_trait]
impl Authenticate for Authenticator {
    async fn caller(&self, service: &'static str, parts: &Parts, body: &Bytes) -> Result<Caller, ApiError> {
        match self.claim(service, Dialect::Rest, parts).await? {
            Some(claimed) => Ok(self.verify(claimed, parts, Body::from(body.clone()))?.0),
            None => Ok(Caller::anonymous()),
        }
    }
}

/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> and each service's common errors.
fn refusal(dialect: Dialect, reason: NoCredential) -> ApiError {
    let (unknown, expired) = match dialect {
        Dialect::S3 => (("InvalidAccessKeyId", 403), ("ExpiredToken", 400)),
        Dialect::Query => (("InvalidClientTokenId", 403), ("ExpiredToken", 403)),
        Dialect::Json => (("UnrecognizedClientException", 400), ("ExpiredTokenException", 400)),
        Dialect::Rest => (("UnrecognizedClientException", 403), ("ExpiredTokenException", 403)),
    };
    let refused = |(code, status): (&'static str, u16), s3: &str| {
        let message = if dialect == Dialect::S3 { s3.to_owned() } else { reason.to_string() };
        ApiError::new(code, status, message)
    };
    match reason {
        NoCredential::Unknown => {
            refused(unknown, "The AWS Access Key Id you provided does not exist in our records.")
        }
        NoCredential::Expired => refused(expired, "The provided token has expired."),
        NoCredential::Unavailable => ApiError::new("ServiceUnavailable", 503, "Please try again."),
    }
}

/// What a service that knows no anonymous callers says to one.
pub(crate) fn missing_token(spec: &ServiceSpec) -> ApiError {
    match spec.protocols.first() {
        Some(Protocol::AwsJson10 | Protocol::AwsJson11) => ApiError::new(
            "MissingAuthenticationTokenException",
            400,
            "Request is missing Authentication Token",
        ),
        Some(Protocol::RestJson1) => {
            ApiError::new("MissingAuthenticationTokenException", 403, "Missing Authentication Token")
        }
        _ => ApiError::new("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
    }
}
