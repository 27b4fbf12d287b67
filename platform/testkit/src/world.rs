//! What a service stands on.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use pagoda_base::ids::RequestId;
use pagoda_base::{AccountId, Clock, ManualClock, Random, SeededRandom, SignedDuration};
use pagoda_service::{Caller, Context, Origin, ROOT_KEY_BYTES, Sealer};
use pagoda_store::Store;

/// The account of tests.
pub const ACCOUNT: &str = "123456789012";
/// Another one.
pub const OTHER_ACCOUNT: &str = "210987654321";
/// The region of tests.
pub const REGION: &str = "us-east-1";

/// A world of its own for each test: it always begins at the same time, with the same randomness.
pub struct World {
    /// The store, in memory.
    pub store: Arc<dyn Store>,
    /// Stands until it is moved.
    pub clock: Arc<ManualClock>,
    /// The same sequence in every run.
    pub random: Arc<dyn Random>,
    /// Under a key of all sevens.
    pub sealer: Sealer,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A fresh world. Must be made inside a Tokio runtime.
    pub fn new() -> Self {
        let start = "2026-01-15T12:00:00Z".parse().expect("a literal timestamp");
        let clock = Arc::new(ManualClock::at(start));
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
        let store = pagoda_store::memory(clock.clone()).expect("the store in memory needs a thread");
        let sealer = Sealer::new(&[7; ROOT_KEY_BYTES], random.clone());
        Self { store, clock, random, sealer }
    }

    /// Milliseconds since 1970.
    pub fn now_millis(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Moves the clock.
    pub fn advance_hours(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    /// The account's root.
    pub fn root(&self) -> Caller {
        Caller::root(account(ACCOUNT), None)
    }

    /// The circumstances of a request by `caller`.
    pub fn context(&self, caller: Caller) -> Context {
        Context {
            account: caller.principal.account().unwrap_or_else(|| account(ACCOUNT)),
            region: REGION.parse().expect("a literal region"),
            caller,
            request_id: RequestId::new(&*self.random),
            now: self.clock.now(),
            origin: Origin {
                address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                secure: true,
                user_agent: None,
                endpoint: "https://127.0.0.1:4566".into(),
                trace: None,
                via: None,
            },
        }
    }
}

fn account(id: &str) -> AccountId {
    id.parse().expect("a literal account")
}
