//! Who asks: the signature is checked against the secret that belongs to its key.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Parts;
use pagoda_base::Clock;
use pagoda_protocol::sigv4::{Presented, SigningKeys};
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
    pub(crate) async fn claim(&self, spec: &ServiceSpec, parts: &Parts) -> Result<Option<Claimed>, ApiError> {
        let Some(presented) = Presented::parse(parts, spec)? else { return Ok(None) };
        let token = presented.session_token.as_deref();
        match self.credentials.find(&presented.access_key_id, token).await {
            Ok(credential) => Ok(Some(Claimed { presented, credential })),
            Err(reason) => Err(refusal(spec, reason)),
        }
    }

    /// Checks the signature over `parts` and `body`; a body that is not in memory is checked as it is read.
    pub(crate) fn verify(&self, claimed: Claimed, parts: &Parts, body: Body) -> Result<(Caller, Body), ApiError> {
        let Claimed { presented, credential } = claimed;
        let body = presented.verify(parts, body, &credential.secret, self.clock.now(), &self.keys)?;
        Ok((credential.caller, body))
    }
}

#[async_trait]
impl Authenticate for Authenticator {
    async fn caller(
        &self,
        spec: &'static ServiceSpec,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<Caller, ApiError> {
        match self.claim(spec, parts).await? {
            Some(claimed) => Ok(self.verify(claimed, parts, Body::from(body.clone()))?.0),
            None => Ok(Caller::anonymous()),
        }
    }
}

/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> and each service's common errors.
fn refusal(spec: &ServiceSpec, reason: NoCredential) -> ApiError {
    let json = matches!(spec.protocols.first(), Some(Protocol::AwsJson10 | Protocol::AwsJson11));
    let rest_json = matches!(spec.protocols.first(), Some(Protocol::RestJson1));
    match reason {
        NoCredential::Unavailable => ApiError::new("ServiceUnavailable", 503, "Please try again."),
        NoCredential::Unknown if spec.is_s3() => ApiError::new(
            "InvalidAccessKeyId",
            403,
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        NoCredential::Expired if spec.is_s3() => {
            ApiError::new("ExpiredToken", 400, "The provided token has expired.")
        }
        NoCredential::Unknown if json => {
            ApiError::new("UnrecognizedClientException", 400, reason.to_string())
        }
        NoCredential::Expired if json => ApiError::new("ExpiredTokenException", 400, reason.to_string()),
        NoCredential::Unknown if rest_json => {
            ApiError::new("UnrecognizedClientException", 403, reason.to_string())
        }
        NoCredential::Expired if rest_json => ApiError::new("ExpiredTokenException", 403, reason.to_string()),
        NoCredential::Unknown => ApiError::new("InvalidClientTokenId", 403, reason.to_string()),
        NoCredential::Expired => ApiError::new("ExpiredToken", 403, reason.to_string()),
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
