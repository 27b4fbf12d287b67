//! The account of the host's memory: what the instances of each function have of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::name::FunctionId;

/// All memory that instances may have together.
pub(super) struct Memory {
    mb_max: u32,
    used: Mutex<Used>,
    freed: Arc<Notify>,
}

#[derive(Default)]
struct Used {
    mb: u32,
    of: HashMap<FunctionId, u32>,
}

/// The memory of one instance; given back when dropped.
pub(super) struct Share {
    memory: Arc<Memory>,
    id: FunctionId,
    mb: u32,
}

impl Memory {
    /// `freed` is told whenever some comes back.
    pub(super) fn new(mb_max: u32, freed: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self { mb_max, used: Mutex::default(), freed })
    }

    /// Memory for an instance, if there is enough; what is larger than the host gets all of it.
    pub(super) fn take(self: &Arc<Self>, id: &FunctionId, mb: u32) -> Option<Share> {
        let mb = mb.min(self.mb_max);
        let mut used = self.used();
        if mb > self.mb_max - used.mb {
            return None;
        }
        used.mb += mb;
        *used.of.entry(id.clone()).or_default() += mb;
        Some(Share { memory: Arc::clone(self), id: id.clone(), mb })
    }

    /// What a function's instances have together, idle ones included.
    pub(super) fn of(&self, id: &FunctionId) -> u32 {
        self.used().of.get(id).copied().unwrap_or_default()
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    pub(super) fn mb(&self) -> u32 {
        self.mb
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut used = self.memory.used();
        used.mb -= self.mb;
        if let Some(own) = used.of.get_mut(&self.id) {
            *own -= self.mb;
            if *own == 0 {
                used.of.remove(&self.id);
            }
        }
        drop(used);
        self.memory.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back() {
        let id = FunctionId {
            account: "123456789012".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            name: "f".into(),
        };
        let memory = Memory::new(256, Arc::default());
        let first = memory.take(&id, 128).unwrap();
        assert!(memory.take(&id, 129).is_none());
        let second = memory.take(&id, 128).unwrap();
        assert_eq!((memory.of(&id), second.mb()), (256, 128));
        drop((first, second));
        assert_eq!(memory.of(&id), 0);
        assert_eq!(memory.take(&id, 10_240).unwrap().mb(), 256, "all there is");
    }
}
