//! Sealing: secrets are kept only encrypted, under a root key that lies apart from the data.
//!
//! AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce in front. What is sealed for one purpose does
//! not open for another: the purpose is authenticated with it.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use pagoda_base::Random;
use zeroize::Zeroizing;

/// The length of the root key, in bytes.
pub const ROOT_KEY_BYTES: usize = 32;

/// Seals and opens under the root key.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<LessSafeKey>,
    marks: Arc<hmac::Key>,
    random: Arc<dyn Random>,
}

/// The bytes were not sealed under this key for this purpose, or were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was sealed does not open")]
pub struct Unsealable;

impl Sealer {
    /// A sealer under `root_key`.
    pub fn new(root_key: &[u8; ROOT_KEY_BYTES], random: Arc<dyn Random>) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, root_key).expect("the key has the length the cipher wants");
        // A key of its own, so that no mark tells anything of what is sealed.
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, root_key), b"marks");
        let marks = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()));
        Self { key: Arc::new(LessSafeKey::new(key)), marks, random }
    }

    /// Seals `secret` for `purpose`: nonce, ciphertext, tag.
    pub fn seal(&self, purpose: &str, secret: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce);
        let mut sealed = secret.to_vec();
        let aad = Aad::from(purpose.as_bytes());
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .expect("sealing fails only beyond 64 GiB");
        [&nonce, sealed.as_slice()].concat()
    }

    /// What stands for a secret where it is looked for: equal secrets of one purpose have equal marks, and
    /// nobody without the root key finds the secret behind one (HMAC-SHA-256).
    pub fn mark(&self, purpose: &str, secret: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.marks);
        context.update(&(purpose.len() as u64).to_le_bytes());
        context.update(purpose.as_bytes());
        context.update(secret);
        let mut mark = [0; 32];
        mark.copy_from_slice(context.sign().as_ref());
        mark
    }

    /// Opens what [`Sealer::seal`] made for the same `purpose`.
    ///
    /// # Errors
    /// [`Unsealable`], and nothing about why.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unsealable> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Unsealable)?;
        let mut bytes = Zeroizing::new(ciphertext.to_vec());
        let aad = Aad::from(purpose.as_bytes());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.key.open_in_place(nonce, aad, &mut bytes).map_err(|_| Unsealable)?.len();
        bytes.truncate(length);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pagoda_base::SeededRandom;

    #[test]
    fn marks_differ_by_secret_purpose_and_key() {
        let sealer = |key| Sealer::new(&[key; ROOT_KEY_BYTES], Arc::new(SeededRandom::new(1)));
        let mark = sealer(7).mark("a", b"secret");
        assert_eq!(mark, sealer(7).mark("a", b"secret"));
        for other in
            [sealer(7).mark("a", b"secrets"), sealer(7).mark("as", b"ecret"), sealer(8).mark("a", b"secret")]
        {
            assert_ne!(mark, other);
        }
    }

    #[test]
    fn opens_only_what_was_sealed_for_the_same_purpose() {
        let sealer = Sealer::new(&[7; ROOT_KEY_BYTES], Arc::new(SeededRandom::new(1)));
        let sealed = sealer.seal("a", b"secret");
        assert_eq!(sealer.open("a", &sealed).unwrap().as_slice(), b"secret");
        assert!(sealer.open("b", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(sealer.open("a", &changed).is_err(), "byte {at}");
        }
        assert!(sealer.open("a", b"short").is_err());
    }
}
