//! What was read from the store, kept in memory until anything that it may depend on changes.
//!
//! Invariant: what was read before a change is never answered after [`Remembered::forget`] has returned,
//! even where reading and changing crossed: each value carries the generation in which its reading began.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

/// Values by key. The least used make room.
pub struct Remembered<K, V> {
    generation: AtomicU64,
    values: Cache<K, (u64, Arc<V>)>,
}

impl<K: Eq + Hash, V> Remembered<K, V> {
    /// Keeps up to `count_max` values.
    pub fn new(count_max: usize) -> Self {
        Self { generation: AtomicU64::new(0), values: Cache::new(count_max) }
    }

    /// Makes all values stale. Called after a change is in the store and before it is acknowledged.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// The value of `key`: a fresh one from memory, or what `read` finds, which is then kept.
    ///
    /// # Errors
    /// Those of `read`; they and nothing found are not kept.
    pub async fn get_or_read<'k, Q, E, F>(
        &self,
        key: &'k Q,
        read: impl FnOnce() -> F,
    ) -> Result<Option<Arc<V>>, E>
    where
        Q: Hash + Equivalent<K> + ?Sized,
        K: From<&'k Q>,
        F: Future<Output = Result<Option<V>, E>>,
    {
        let generation = self.generation.load(Ordering::SeqCst);
        if let Some((of, value)) = self.values.get(key)
            && of == generation
        {
            return Ok(Some(value));
        }
        // In a box: finding a value does not carry the weight of reading one.
        let Some(value) = Box::pin(read()).await? else { return Ok(None) };
        let value = Arc::new(value);
        self.values.insert(K::from(key), (generation, Arc::clone(&value)));
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(remembered: &Remembered<String, u32>, stored: Option<u32>) -> Option<u32> {
        let read = || async move { Ok::<_, ()>(stored) };
        remembered.get_or_read("key", read).await.expect("reading succeeds").map(|value| *value)
    }

    #[tokio::test]
    async fn values_are_read_once_until_something_changes() {
        let remembered = Remembered::new(10);
        assert_eq!(ask(&remembered, None).await, None);
        assert_eq!(ask(&remembered, Some(1)).await, Some(1));
        assert_eq!(ask(&remembered, Some(2)).await, Some(1));
        remembered.forget();
        assert_eq!(ask(&remembered, Some(2)).await, Some(2));
    }

    #[tokio::test]
    async fn what_was_read_during_a_change_is_not_kept() {
        let remembered = Remembered::<String, u32>::new(10);
        let read = || async {
            remembered.forget();
            Ok::<_, ()>(Some(1))
        };
        assert_eq!(remembered.get_or_read("key", read).await.map(|value| value.map(|v| *v)), Ok(Some(1)));
        assert_eq!(ask(&remembered, Some(2)).await, Some(2));
    }
}
