//! Who waits for something scarce: first come, first served in each function.
//!
//! Which function is next is for whoever gives to say; a function with a thousand waiters stands in the line as
//! one with a single waiter does.

use std::collections::{HashMap, VecDeque};

use tokio::sync::oneshot;

use crate::name::FunctionId;

/// Those who wait for a `T`; each has said by a `W` what it needs.
pub(super) struct Line<W, T> {
    waiting: HashMap<FunctionId, VecDeque<Waiter<W, T>>>,
    arrivals: u64,
}

struct Waiter<W, T> {
    arrival: u64,
    want: W,
    give: oneshot::Sender<T>,
}

impl<W, T> Default for Line<W, T> {
    fn default() -> Self {
        Self { waiting: HashMap::new(), arrivals: 0 }
    }
}

impl<W, T> Line<W, T> {
    /// Stands at the end of the function's own line. Whoever drops what this answers has left.
    pub(super) fn join(&mut self, id: &FunctionId, want: W) -> oneshot::Receiver<T> {
        let (give, given) = oneshot::channel();
        self.arrivals += 1;
        let waiter = Waiter { arrival: self.arrivals, want, give };
        self.waiting.entry(id.clone()).or_default().push_back(waiter);
        given
    }

    /// The functions that wait: when the first of each came, and what it wants.
    pub(super) fn firsts(&mut self) -> impl Iterator<Item = (&FunctionId, u64, &W)> {
        self.waiting.retain(|_, line| {
            while line.front().is_some_and(|first| first.give.is_closed()) {
                line.pop_front();
            }
            !line.is_empty()
        });
        let firsts = self.waiting.iter();
        firsts.filter_map(|(id, line)| line.front().map(|first| (id, first.arrival, &first.want)))
    }

    /// Takes the function's first out of the line: where its answer goes.
    pub(super) fn take(&mut self, id: &FunctionId) -> Option<oneshot::Sender<T>> {
        let line = self.waiting.get_mut(id)?;
        let first = line.pop_front();
        if line.is_empty() {
            self.waiting.remove(id);
        }
        first.map(|first| first.give)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_function_has_its_own_order_and_who_left_is_passed_over() {
        let id = |name: &str| FunctionId {
            account: "123456789012".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            name: name.into(),
        };
        let mut line = Line::<u8, u8>::default();
        let left = line.join(&id("a"), 1);
        let (second, other) = (line.join(&id("a"), 2), line.join(&id("b"), 3));
        drop(left);
        let mut firsts: Vec<_> = line.firsts().map(|(id, at, want)| (id.name.clone(), at, *want)).collect();
        firsts.sort();
        assert_eq!(firsts, [("a".to_owned(), 2, 2), ("b".to_owned(), 3, 3)]);
        line.take(&id("a")).unwrap().send(20).unwrap();
        line.take(&id("b")).unwrap().send(30).unwrap();
        assert_eq!((second.await, other.await), (Ok(20), Ok(30)));
        assert!(line.firsts().next().is_none() && line.take(&id("a")).is_none());
    }
}
