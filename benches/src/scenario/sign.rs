//! Signed requests, prepared ahead: a signature is good for minutes, so a round may repeat it.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use pagoda_base::{Clock as _, SystemClock};
use pagoda_protocol::sigv4::{Credentials, PayloadHash, sign};
use serde_json::Value;

use crate::Outcome;
use crate::connection::Prepared;

/// Signs with one key.
pub(crate) struct Signer(Credentials);

impl Signer {
    /// With a key.
    pub(crate) fn new(access_key_id: &str, secret_access_key: &str) -> Self {
        Self(Credentials {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: secret_access_key.to_owned(),
            session_token: None,
        })
    }

    /// With the root key that a data folder keeps.
    pub(crate) fn of_data_folder(folder: &Path) -> Outcome<Self> {
        let kept: Value = serde_json::from_slice(&std::fs::read(folder.join("credentials.json"))?)?;
        let text = |name: &str| kept[name].as_str().unwrap_or_default();
        Ok(Self::new(text("access_key_id"), text("secret_access_key")))
    }

    /// A signed request; the body's hash is signed too.
    pub(crate) fn request(
        &self,
        service: &str,
        (method, path): (Method, &str),
        headers: &[(&str, &str)],
        body: &Bytes,
    ) -> Outcome<Prepared> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(())?.into_parts();
        let hash = PayloadHash::Sha256(hex::encode(digest(&SHA256, body)));
        sign(&mut parts, &self.0, "us-east-1", service, &hash, SystemClock.now())?;
        Ok(Request::from_parts(parts, Full::new(body.clone())))
    }
}
