//! Randomness, handed in.

use std::sync::Mutex;

use aws_lc_rs::rand::{SecureRandom, SystemRandom as Source};

/// Where random bytes come from.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes` with random values.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's cryptographically secure source.
#[derive(Default)]
pub struct SystemRandom(Source);

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).expect("the operating system's random source has never failed once seeded");
    }
}

/// A repeatable source for tests (SplitMix64, Steele et al. 2014); never for secrets.
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
