//! Signs requests: the client's side, for our own deployer and for tests.

use std::borrow::Cow;

use http::HeaderValue;
use http::request::Parts;
use pagoda_base::Timestamp;

use super::canonical::{self, PathForm};
use super::presented::amz_date;
use super::{ALGORITHM, Credential, PayloadHash, key, sha256_hex};
use crate::ApiError;

/// What a client signs with.
#[derive(Clone)]
pub struct Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
    /// The token of a session.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.access_key_id)
    }
}

/// Signs the request `parts` for `service` in `region` at the time `now`, in its `Authorization` header.
/// `payload` says what stands for the body; [`PayloadHash::OfBody`] is not possible here and signs an
/// empty one. Fails if a credential cannot be in a header.
pub fn sign(
    parts: &mut Parts,
    credentials: &Credentials,
    region: &str,
    service: &str,
    payload: &PayloadHash,
    now: Timestamp,
) -> Result<(), ApiError> {
    let date = amz_date(now);
    let hash = payload.as_str().map_or_else(|| sha256_hex(b""), str::to_owned);
    set(parts, "x-amz-date", &date)?;
    if let Some(token) = &credentials.session_token {
        set(parts, "x-amz-security-token", token)?;
    }
    if service == "s3" {
        set(parts, "x-amz-content-sha256", &hash)?;
    }
    if !parts.headers.contains_key("host") {
        let host = parts.uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
        set(parts, "host", &host)?;
    }
    let credential = Credential {
        access_key_id: credentials.access_key_id.clone(),
        date: date[..8].to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
    };
    let (scope, headers) = (credential.scope(), signed_headers(parts));
    let form = if service == "s3" { PathForm::Exact } else { PathForm::Normalized };
    let path = canonical::path(parts.uri.path(), form);
    let query = canonical::query(parts.uri.query().unwrap_or_default(), |_| false);
    let request = canonical::request(parts.method.as_str(), &path, &query, &headers, &hash);
    let string_to_sign = canonical::string_to_sign(&date, &scope, &request);
    let key = key::derive(&credential, &credentials.secret_access_key);
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let authorization = format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={}",
        credential.access_key_id,
        names.join(";"),
        key::signature(&key, &string_to_sign)
    );
    set(parts, "authorization", &authorization)
}

/// The host, the content type and all of AWS's own headers; others may be changed on the way.
fn signed_headers(parts: &Parts) -> Vec<(&str, Cow<'_, str>)> {
    let is_signed =
        |name: &&str| matches!(*name, "host" | "content-type" | "content-md5") || name.starts_with("x-amz-");
    let names = parts.headers.keys().map(http::HeaderName::as_str).filter(is_signed);
    let mut headers: Vec<_> =
        names.map(|name| (name, canonical::header(parts, name).unwrap_or_default())).collect();
    headers.sort_unstable();
    headers
}

fn set(parts: &mut Parts, name: &'static str, value: &str) -> Result<(), ApiError> {
    let value = HeaderValue::from_str(value).map_err(|_| {
        ApiError::validation(format!("The value of the header {name} can not be in a header"))
    })?;
    parts.headers.insert(name, value);
    Ok(())
}
