//! Randomness, handed in.

use std::cell::RefCell;
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

/// The size of a request's id. What is larger may be a secret and is never drawn ahead.
const SMALL_BYTES: usize = 16;
const AHEAD_BYTES: usize = 64 * SMALL_BYTES;

thread_local! {
    /// Random bytes drawn ahead, since a draw costs more than most requests' work; and how many are used.
    static AHEAD: RefCell<([u8; AHEAD_BYTES], usize)> = const { RefCell::new(([0; AHEAD_BYTES], AHEAD_BYTES)) };
}

impl SystemRandom {
    fn draw(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).expect("the operating system's random source has never failed once seeded");
    }
}

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > SMALL_BYTES {
            return self.draw(bytes);
        }
        AHEAD.with_borrow_mut(|(ahead, used)| {
            if *used + bytes.len() > ahead.len() {
                self.draw(ahead);
                *used = 0;
            }
            bytes.copy_from_slice(&ahead[*used..*used + bytes.len()]);
            *used += bytes.len();
        });
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_drawn_ahead_is_given_twice() {
        let random = SystemRandom::default();
        let mut seen = HashSet::new();
        for length in [16, 15, 16, 9].into_iter().cycle().take(1_000) {
            let mut bytes = [0; 16];
            random.fill(&mut bytes[..length]);
            assert!(seen.insert(bytes), "{length} bytes again");
        }
    }
}
