//! Signing keys, derived from secrets and kept.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use quick_cache::sync::Cache;

use super::Credential;

/// Derived keys by access key id, day, region and service. A derivation costs four HMACs; a look-up
/// about 0.1 us.
pub struct SigningKeys(Cache<String, Derived>);

#[derive(Clone)]
struct Derived {
    secret: Arc<str>,
    key: Arc<Key>,
}

impl SigningKeys {
    /// Keeps up to `count_max` keys.
    pub fn new(count_max: usize) -> Self {
        Self(Cache::new(count_max))
    }

    /// The key for `credential`, whose text `name` is and of which `secret` is the secret access key.
    pub(crate) fn get(&self, name: &str, credential: &Credential, secret: &str) -> Arc<Key> {
        if let Some(kept) = self.0.get(name) {
            // A key id whose secret has changed must not be served from memory.
            if verify_slices_are_equal(kept.secret.as_bytes(), secret.as_bytes()).is_ok() {
                return kept.key;
            }
        }
        let key = Arc::new(derive(credential, secret));
        self.0.insert(name.to_owned(), Derived { secret: secret.into(), key: Arc::clone(&key) });
        key
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKeys({} kept)", self.0.len())
    }
}

/// The signing key of a day, region and service.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
pub(crate) fn derive(credential: &Credential, secret: &str) -> Key {
    let mut key = Key::new(HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    for part in [&credential.date, &credential.region, &credential.service, "aws4_request"] {
        key = Key::new(HMAC_SHA256, sign(&key, part.as_bytes()).as_ref());
    }
    key
}

/// The signature of `text` in hexadecimal.
pub(crate) fn signature(key: &Key, text: &str) -> String {
    hex::encode(sign(key, text.as_bytes()))
}

/// Whether `signature` (hexadecimal) is `text`'s; takes the same time wherever it differs.
pub(crate) fn is_signed(key: &Key, text: &str, signature: &str) -> bool {
    let mut bytes = [0; 32];
    hex::decode_to_slice(signature, &mut bytes).is_ok()
        && aws_lc_rs::hmac::verify(key, text.as_bytes(), &bytes).is_ok()
}
