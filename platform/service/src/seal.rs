//! Sealing: secrets are kept only encrypted, under a root key that lies apart from the data.
//!
//! AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce in front. What is sealed for one purpose does
//! not open for another: the purpose is authenticated with it.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use pagoda_base::Random;
use zeroize::Zeroizing;

/// The length of the root key, in bytes.
pub const ROOT_KEY_BYTES: usize = 32;

/// Seals and opens under the root key.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<LessSafeKey>,
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
        Self { key: Arc::new(LessSafeKey::new(key)), random }
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
