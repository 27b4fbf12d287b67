//! The account of the host's memory: what the instances of each function have of it.
//!
//! Sizes are limits that each control group enforces, and most functions stay far below theirs. With overcommitment
//! an instance has what its function is known to use, with a margin, and its whole size before anything is known.
//! What it grows to is seen after each invocation, and a host that is really short of memory gives none, so that
//! idle instances go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::name::FunctionId;

/// The least that an instance counts for.
const MB_MIN: u32 = 16;
/// What the host keeps, as a part of all its memory.
const RESERVE_PART: u32 = 16;

/// All memory that instances may have together.
pub(super) struct Memory {
    mb_max: u32,
    overcommit: bool,
    used: Mutex<Used>,
    freed: Arc<Notify>,
}

#[derive(Default)]
struct Used {
    mb: u32,
    of: HashMap<FunctionId, Account>,
}

/// What a function has, and what its next instance will need; forgotten with its last instance.
#[derive(Default)]
struct Account {
    mb: u32,
    expected_mb: Option<u32>,
    shares: u32,
}

/// The memory of one instance; given back when dropped.
pub(super) struct Share {
    memory: Arc<Memory>,
    id: FunctionId,
    size_mb: u32,
    mb: Mutex<u32>,
}

impl Memory {
    /// `freed` is told whenever some comes back.
    pub(super) fn new(mb_max: u32, overcommit: bool, freed: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self { mb_max, overcommit, used: Mutex::default(), freed })
    }

    /// Memory for an instance of that size, if there is enough; what is larger than the host gets all of it.
    pub(super) fn take(self: &Arc<Self>, id: &FunctionId, size_mb: u32) -> Option<Share> {
        if Host::read().is_some_and(|host| host.is_short()) {
            return None;
        }
        let size_mb = size_mb.min(self.mb_max);
        let mut used = self.used();
        let expected = used.of.get(id).and_then(|account| account.expected_mb);
        let mb = expected.map_or(size_mb, |expected| expected.min(size_mb));
        if mb > self.mb_max.saturating_sub(used.mb) {
            return None;
        }
        used.mb += mb;
        let account = used.of.entry(id.clone()).or_default();
        account.mb += mb;
        account.shares += 1;
        Some(Share { memory: Arc::clone(self), id: id.clone(), size_mb, mb: Mutex::new(mb) })
    }

    /// What a function's instances have together, idle ones included.
    pub(super) fn of(&self, id: &FunctionId) -> u32 {
        self.used().of.get(id).map_or(0, |account| account.mb)
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    pub(super) fn mb(&self) -> u32 {
        *self.mb.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instance has used so much: with overcommitment it has that and half as much again from now on, and
    /// others of its function are expected to need as much.
    pub(super) fn settle(&self, peak_mb: u32) {
        if !self.memory.overcommit {
            return;
        }
        let settled = peak_mb.saturating_add(peak_mb / 2).max(MB_MIN).min(self.size_mb);
        let mut mb = self.mb.lock().unwrap_or_else(PoisonError::into_inner);
        if *mb == settled {
            return;
        }
        let mut used = self.memory.used();
        used.mb = used.mb - *mb + settled;
        if let Some(account) = used.of.get_mut(&self.id) {
            account.mb = account.mb - *mb + settled;
            account.expected_mb = Some(settled);
        }
        drop(used);
        let has_freed = settled < *mb;
        *mb = settled;
        drop(mb);
        if has_freed {
            self.memory.freed.notify_one();
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mb = self.mb();
        let mut used = self.memory.used();
        used.mb -= mb;
        if let Some(account) = used.of.get_mut(&self.id) {
            account.mb -= mb;
            account.shares -= 1;
            if account.shares == 0 {
                used.of.remove(&self.id);
            }
        }
        drop(used);
        self.memory.freed.notify_one();
    }
}

/// The host's memory, in MB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Host {
    pub(crate) total_mb: u32,
    available_mb: u32,
}

impl Host {
    /// Source: proc_meminfo(5). Nothing where there is no such file.
    pub(crate) fn read() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/meminfo").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mb = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
            u32::try_from(kib / 1024).ok()
        };
        Some(Self { total_mb: mb("MemTotal:")?, available_mb: mb("MemAvailable:")? })
    }

    fn is_short(self) -> bool {
        self.available_mb < self.total_mb / RESERVE_PART
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> FunctionId {
        FunctionId {
            account: "123456789012".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            name: "f".into(),
        }
    }

    #[test]
    fn what_is_taken_comes_back() {
        let id = id();
        let memory = Memory::new(256, false, Arc::default());
        let first = memory.take(&id, 128).unwrap();
        assert!(memory.take(&id, 129).is_none());
        let second = memory.take(&id, 128).unwrap();
        assert_eq!((memory.of(&id), second.mb()), (256, 128));
        drop((first, second));
        assert_eq!(memory.of(&id), 0);
        assert_eq!(memory.take(&id, 10_240).unwrap().mb(), 256, "all there is");
    }

    #[test]
    fn what_is_not_used_is_left_to_others() {
        let (id, memory) = (id(), Memory::new(256, true, Arc::default()));
        let first = memory.take(&id, 256).unwrap();
        assert!(memory.take(&id, 256).is_none(), "nothing is known yet");
        first.settle(20);
        let second = memory.take(&id, 256).unwrap();
        assert_eq!((first.mb(), second.mb(), memory.of(&id)), (30, 30, 60));
        second.settle(1000);
        assert_eq!((second.mb(), memory.of(&id)), (256, 286), "never more than its size");
        assert!(memory.take(&id, 16).is_none());
        second.settle(1);
        assert_eq!(second.mb(), MB_MIN);
        drop((first, second));
        assert_eq!(memory.of(&id), 0);
        assert_eq!(memory.take(&id, 256).unwrap().mb(), 256, "what was known is forgotten");
    }

    #[test]
    fn the_host_keeps_some() {
        let host = |available: u32| {
            let text =
                format!("MemTotal:       16384000 kB\nMemFree: 1 kB\nMemAvailable:   {available} kB\n");
            Host::parse(&text).unwrap()
        };
        assert_eq!((host(2_048_000).is_short(), host(1_000_000).is_short()), (false, true));
        assert_eq!(host(0).total_mb, 16_000);
        assert!(Host::parse("MemTotal: what").is_none());
    }
}
