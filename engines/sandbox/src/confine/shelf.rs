//! Ready clones: which images are kept ready, how many clones of each wait, and under which ids.
//!
//! A clone that waits has its sandbox, its process and its user already; what it lacks is its function. Each
//! has a user of its own, so that two never share one, whosever functions they are given.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::message::{Keep, Wait};
use crate::spec::Ids;

/// After so many failures in a row no more are made until the image is asked for again.
const FAILURES_MAX: u32 = 3;

#[derive(Default)]
pub(crate) struct Shelf {
    kinds: HashMap<u64, Kind>,
    /// Ids of clones that wait or run.
    used: BTreeSet<u32>,
}

struct Kind {
    image: OwnedFd,
    keep: Keep,
    next: u32,
    ready: VecDeque<u64>,
    making: usize,
    failures: u32,
}

impl Shelf {
    /// Keeps image `key` ready as asked, and answers which clones are now too many.
    pub(crate) fn keep(&mut self, key: u64, keep: Keep, image: OwnedFd) -> Vec<u64> {
        let count = keep.count;
        let next = keep.first_id;
        let (ready, making) =
            self.kinds.remove(&key).map(|kind| (kind.ready, kind.making)).unwrap_or_default();
        let mut kind = Kind { image, keep, next, ready, making, failures: 0 };
        let kept = count.min(kind.ready.len());
        let surplus = kind.ready.split_off(kept);
        if count > 0 || kind.making > 0 {
            self.kinds.insert(key, kind);
        }
        surplus.into()
    }

    /// The clone of image `key` that has waited longest.
    pub(crate) fn take(&mut self, key: u64) -> Option<u64> {
        let kind = self.kinds.get_mut(&key)?;
        kind.failures = 0;
        kind.ready.pop_front()
    }

    /// An image of which there are too few, unless a clone is being made already: they are made one by one,
    /// so that whoever needs an instance now is not behind them.
    pub(crate) fn wanted(&self) -> Option<u64> {
        if self.kinds.values().any(|kind| kind.making > 0) {
            return None;
        }
        let few =
            |kind: &Kind| kind.ready.len() + kind.making < kind.keep.count && kind.failures < FAILURES_MAX;
        self.kinds.iter().find(|(_, kind)| few(kind)).map(|(key, _)| *key)
    }

    pub(crate) fn begin(&mut self, key: u64) {
        if let Some(kind) = self.kinds.get_mut(&key) {
            kind.making += 1;
        }
    }

    /// What a new clone of image `key` is to become, and the id that is its own from now on; `None` if it is
    /// not wanted any more or no id is left.
    pub(crate) fn order(&mut self, key: u64) -> Option<(Wait, u32, BorrowedFd<'_>)> {
        let kind = self.kinds.get_mut(&key)?;
        let (first, last) = (kind.keep.first_id, kind.keep.last_id);
        let all = (kind.next..=last).chain(first..kind.next);
        let id = all.into_iter().find(|id| !self.used.contains(id))?;
        kind.next = if id == last { first } else { id + 1 };
        self.used.insert(id);
        let wait = Wait { ids: Ids { uid: id, gid: id }, bindings: kind.keep.bindings.clone() };
        Some((wait, id, kind.image.as_fd()))
    }

    /// Clone `instance` of image `key` waits; `false` if there are enough without it.
    pub(crate) fn put(&mut self, key: u64, instance: u64) -> bool {
        let Some(kind) = self.kinds.get_mut(&key) else { return false };
        kind.making = kind.making.saturating_sub(1);
        kind.failures = 0;
        let wanted = kind.ready.len() < kind.keep.count;
        if wanted {
            kind.ready.push_back(instance);
        }
        self.forget(key);
        wanted
    }

    /// Lets go of an image that nobody wants any more.
    fn forget(&mut self, key: u64) {
        if self.kinds.get(&key).is_some_and(|kind| kind.keep.count == 0 && kind.making == 0) {
            self.kinds.remove(&key);
        }
    }

    /// A clone of image `key` that was being made has failed.
    pub(crate) fn fail(&mut self, key: u64) {
        if let Some(kind) = self.kinds.get_mut(&key) {
            kind.making = kind.making.saturating_sub(1);
            kind.failures += 1;
        }
        self.forget(key);
    }

    /// Clone `instance` of image `key`, which waited, is gone.
    pub(crate) fn lose(&mut self, key: u64, instance: u64) {
        if let Some(kind) = self.kinds.get_mut(&key) {
            kind.ready.retain(|ready| *ready != instance);
        }
    }

    /// Nobody has this id any more.
    pub(crate) fn release(&mut self, id: u32) {
        self.used.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(count: usize) -> (Shelf, Keep) {
        let keep = Keep { count, first_id: 10, last_id: 12, bindings: Vec::new() };
        let mut shelf = Shelf::default();
        assert!(shelf.keep(1, keep.clone(), image()).is_empty());
        (shelf, keep)
    }

    fn image() -> OwnedFd {
        std::fs::File::open("/dev/null").unwrap().into()
    }

    #[test]
    fn as_many_as_wanted_are_made() {
        let (mut shelf, _) = shelf(2);
        for instance in [100, 101] {
            assert_eq!(shelf.wanted(), Some(1));
            shelf.begin(1);
            assert!(shelf.put(1, instance));
        }
        assert_eq!(shelf.wanted(), None);
        assert_eq!((shelf.take(1), shelf.take(7)), (Some(100), None));
        assert_eq!(shelf.wanted(), Some(1));
    }

    #[test]
    fn failures_end_the_trying_until_asked() {
        let (mut shelf, _) = shelf(1);
        for _ in 0..FAILURES_MAX {
            assert_eq!(shelf.wanted(), Some(1));
            shelf.begin(1);
            shelf.fail(1);
        }
        assert_eq!(shelf.wanted(), None);
        assert_eq!(shelf.take(1), None);
        assert_eq!(shelf.wanted(), Some(1));
    }

    #[test]
    fn no_id_is_used_twice_at_a_time() {
        let (mut shelf, _) = shelf(9);
        let mut next = || shelf.order(1).map(|(_, id, _)| id);
        assert_eq!([next(), next(), next(), next()], [Some(10), Some(11), Some(12), None]);
        shelf.release(11);
        assert_eq!(shelf.order(1).map(|(_, id, _)| id), Some(11));
    }

    #[test]
    fn what_is_too_many_is_told() {
        let (mut shelf, keep) = shelf(3);
        for instance in [1, 2, 3] {
            shelf.begin(1);
            shelf.put(1, instance);
        }
        assert_eq!(shelf.keep(1, Keep { count: 1, ..keep.clone() }, image()), [2, 3]);
        shelf.begin(1);
        assert_eq!(shelf.keep(1, Keep { count: 0, ..keep }, image()), [1]);
        assert!(!shelf.put(1, 4));
    }
}
