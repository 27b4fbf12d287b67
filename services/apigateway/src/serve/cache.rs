//! The caches of stages: answers of integrations, kept in memory for as long as a method's setting says.
//!
//! Many who ask for the same answer wait for one. An answer that cannot be kept, or a failure, frees those who
//! wait: they ask for themselves, all at once, and whoever comes later waits again.
//!
//! Invariant: what was asked for before a flush is never answered after it.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html>

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use pagoda_base::Timestamp;
use pagoda_protocol::Body;
use quick_cache::sync::{Cache, DefaultLifecycle, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, Weighter};

/// The largest body that is kept.
pub(crate) const BODY_BYTES_MAX: usize = 1_048_576;
/// What an answer takes beside its bytes, about.
const OVERHEAD_BYTES: u64 = 256;
/// Answers expected in a cache; it holds as many as fit.
const ITEMS_EXPECTED: usize = 10_000;

/// An integration's answer, as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Kept {
    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// What is in a cache.
#[derive(Debug)]
pub(crate) enum Content {
    Plain(Kept),
    /// Under the platform's key.
    Sealed(Vec<u8>),
    /// Those who waited ask for themselves.
    Nothing,
}

#[derive(Debug)]
struct Slot {
    until: Timestamp,
    generation: u64,
    content: Content,
}

#[derive(Clone)]
struct Bytewise;

impl Weighter<String, Arc<Slot>> for Bytewise {
    fn weight(&self, key: &String, slot: &Arc<Slot>) -> u64 {
        let content = match &slot.content {
            Content::Plain(kept) => {
                let headers = kept.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
                kept.body.len() + headers.sum::<usize>()
            }
            Content::Sealed(bytes) => bytes.len(),
            Content::Nothing => 0,
        };
        OVERHEAD_BYTES + (key.len() + content) as u64
    }
}

type Lifecycle = DefaultLifecycle<String, Arc<Slot>>;

/// The cache of one stage.
pub(crate) struct StageCache {
    capacity_bytes: u64,
    /// Raised by each flush.
    generation: AtomicU64,
    slots: Cache<String, Arc<Slot>, Bytewise>,
}

/// What a look into the cache has brought.
pub(crate) enum Looked<'c, T> {
    Hit(T),
    /// The answer is to be asked for, and put here.
    Miss(Place<'c>),
    /// Another has asked for it, and it was not kept.
    NotKept,
}

/// Where an answer goes. Dropped empty, it lets the next one who waits ask.
pub(crate) struct Place<'c> {
    generation: u64,
    guard: PlaceholderGuard<'c, String, Arc<Slot>, Bytewise, DefaultHashBuilder, Lifecycle>,
}

impl Place<'_> {
    /// Keeps an answer until then.
    pub(crate) fn put(self, content: Content, until: Timestamp) {
        // Fails where it was flushed meanwhile.
        let _ = self.guard.insert(Arc::new(Slot { until, generation: self.generation, content }));
    }
}

impl StageCache {
    fn new(capacity_bytes: u64) -> Self {
        Self {
            capacity_bytes,
            generation: AtomicU64::new(0),
            slots: Cache::with_weighter(ITEMS_EXPECTED, capacity_bytes, Bytewise),
        }
    }

    /// Looks for the answer of `key`; `open` makes an answer of what is kept, or nothing where it can't.
    pub(crate) async fn look<T>(
        &self,
        key: &str,
        now: Timestamp,
        open: impl FnOnce(&Content) -> Option<T>,
    ) -> Looked<'_, T> {
        let generation = self.generation.load(Ordering::SeqCst);
        self.slots.remove_if(key, |slot| slot.until <= now || slot.generation != generation);
        match self.slots.get_value_or_guard_async(key).await {
            Ok(slot) if slot.generation == generation => {
                open(&slot.content).map_or(Looked::NotKept, Looked::Hit)
            }
            Ok(_) => Looked::NotKept,
            Err(guard) => Looked::Miss(Place { generation, guard }),
        }
    }

    /// Keeps an answer in the place of the one that is there.
    pub(crate) fn replace(&self, key: String, content: Content, until: Timestamp, asked: Generation) {
        self.slots.insert(key, Arc::new(Slot { until, generation: asked.0, content }));
    }

    /// To be taken before an answer is asked for that will replace another.
    pub(crate) fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::SeqCst))
    }

    fn flush(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.slots.clear();
    }
}

/// When an answer was asked for, in flushes.
pub(crate) struct Generation(u64);

/// The caches of all stages: they outlive what is read of a stage, so that no change of an API empties them.
#[derive(Default)]
pub(crate) struct Caches(Mutex<HashMap<(String, String), Arc<StageCache>>>);

impl Caches {
    /// The cache of a stage, an empty one where its capacity is new.
    pub(crate) fn of(&self, api: &str, stage: &str, capacity_bytes: u64) -> Arc<StageCache> {
        let mut caches = self.lock();
        let place = (api.to_owned(), stage.to_owned());
        let present = caches.get(&place).filter(|cache| cache.capacity_bytes == capacity_bytes);
        if let Some(cache) = present {
            return Arc::clone(cache);
        }
        let cache = Arc::new(StageCache::new(capacity_bytes));
        caches.insert(place, Arc::clone(&cache));
        cache
    }

    /// Forgets all answers of a stage.
    pub(crate) fn flush(&self, api: &str, stage: &str) {
        let cache = self.lock().get(&(api.to_owned(), stage.to_owned())).cloned();
        cache.iter().for_each(|cache| cache.flush());
    }

    /// Gives up the cache of a stage.
    pub(crate) fn drop(&self, api: &str, stage: &str) {
        self.lock().remove(&(api.to_owned(), stage.to_owned()));
    }

    /// Gives up the caches of an API.
    pub(crate) fn drop_all(&self, api: &str) {
        self.lock().retain(|(of, _), _| of != api);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Arc<StageCache>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: &'static str) -> Content {
        let body = Bytes::from_static(body.as_bytes());
        Content::Plain(Kept { status: StatusCode::OK, headers: HeaderMap::new(), body })
    }

    fn body(content: &Content) -> Option<Bytes> {
        match content {
            Content::Plain(kept) => Some(kept.body.clone()),
            _ => None,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    async fn miss(cache: &StageCache, now: i64) -> Place<'_> {
        match cache.look("k", at(now), body).await {
            Looked::Miss(place) => place,
            _ => panic!("no miss"),
        }
    }

    async fn hit(cache: &StageCache, now: i64) -> Bytes {
        match cache.look("k", at(now), body).await {
            Looked::Hit(body) => body,
            _ => panic!("no hit"),
        }
    }

    #[tokio::test]
    async fn an_answer_is_kept_for_its_time() {
        let cache = StageCache::new(1 << 20);
        miss(&cache, 0).await.put(kept("a"), at(5));
        assert_eq!(hit(&cache, 4).await, "a");
        miss(&cache, 5).await.put(kept("b"), at(9));
        assert_eq!(hit(&cache, 5).await, "b");
    }

    #[tokio::test]
    async fn a_flush_is_for_what_was_asked_before_too() {
        let cache = StageCache::new(1 << 20);
        let place = miss(&cache, 0).await;
        let asked = cache.generation();
        cache.flush();
        place.put(kept("old"), at(5));
        miss(&cache, 0).await.put(kept("new"), at(5));
        assert_eq!(hit(&cache, 0).await, "new");
        cache.replace("k".to_owned(), kept("old"), at(5), asked);
        drop(miss(&cache, 0).await);
    }

    #[tokio::test]
    async fn who_waits_for_what_is_not_kept_asks_alone() {
        let cache = StageCache::new(1 << 20);
        let place = miss(&cache, 0).await;
        let waiting = cache.look("k", at(0), body);
        let put = async { place.put(Content::Nothing, at(0)) };
        let (looked, ()) = tokio::join!(waiting, put);
        assert!(matches!(looked, Looked::NotKept));
        drop(miss(&cache, 0).await);
    }

    #[tokio::test]
    async fn the_capacity_is_in_bytes() {
        let cache = StageCache::new(100_000);
        for number in 0..1_000 {
            let Looked::Miss(place) = cache.look(&number.to_string(), at(0), body).await else {
                panic!("no miss")
            };
            place.put(kept("0123456789"), at(5));
        }
        assert!(cache.slots.weight() <= 100_000);
        assert!(cache.slots.len() > 100, "{}", cache.slots.len());
    }

    #[test]
    fn a_cache_is_a_stages_until_its_capacity_changes() {
        let caches = Caches::default();
        let first = caches.of("a", "s", 1000);
        assert!(Arc::ptr_eq(&first, &caches.of("a", "s", 1000)));
        assert!(!Arc::ptr_eq(&first, &caches.of("a", "t", 1000)));
        assert!(!Arc::ptr_eq(&first, &caches.of("a", "s", 2000)));
    }
}
