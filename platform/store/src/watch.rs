//! Hints that something may have changed.
//!
//! Invariant: a hint carries nothing. It may be spurious, and several become one, so a watcher re-reads
//! what it cares about; per topic only a counter is kept, however slow its watchers are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;

/// What hints are about, such as a queue's or a shard's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Arc<str>);

impl Topic {
    /// The topic of that name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }
}

/// Waits for hints on one topic.
#[derive(Debug)]
pub struct Watch(watch::Receiver<u64>);

impl Watch {
    /// Returns once a hint came since the last call (or since the watch began); at once if one has.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // The store is closed: there is nothing left to wait for, and a loop around this must not spin.
            std::future::pending::<()>().await;
        }
    }
}

/// The topics that somebody watches.
#[derive(Debug, Default)]
pub(crate) struct Hub(Mutex<HashMap<Topic, watch::Sender<u64>>>);

impl Hub {
    pub(crate) fn watch(&self, topic: Topic) -> Watch {
        let mut topics = self.topics();
        topics.retain(|_, sender| sender.receiver_count() > 0);
        Watch(topics.entry(topic).or_insert_with(|| watch::Sender::new(0)).subscribe())
    }

    pub(crate) fn tell(&self, topic: &Topic) {
        if let Some(sender) = self.topics().get(topic) {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<Topic, watch::Sender<u64>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) // a map of counters is always whole
    }
}
