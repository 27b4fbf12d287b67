//! Rolls keys up into a listing: pure, so that every page of every listing can be tested.

use crate::list::Entry;

/// What to list.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) prefix: String,
    pub(crate) delimiter: Option<String>,
    /// List behind this key, or behind all keys that begin with it if it is a common prefix.
    pub(crate) after: Option<String>,
    pub(crate) max: usize,
}

/// A listing being made, fed with all keys in order from [`Rollup::start`] on.
pub(crate) struct Rollup<'q, T> {
    question: &'q Question,
    pub(crate) entries: Vec<Entry<T>>,
    pub(crate) is_truncated: bool,
}

/// What to feed next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next key.
    Key,
    /// The first key from these bytes on.
    From(Vec<u8>),
    /// Nothing: the page is full, or the prefix is over.
    Nothing,
}

impl Question {
    /// The first bytes that a listed key can have.
    pub(crate) fn start(&self) -> Option<Vec<u8>> {
        let prefix = self.prefix.as_bytes().to_vec();
        let Some(after) = &self.after else { return Some(prefix) };
        let behind = match self.common(after) {
            Some(common) if common == after => successor(common.as_bytes())?,
            _ => [after.as_bytes(), &[0]].concat(),
        };
        Some(behind.max(prefix))
    }

    /// The common prefix that `key` is rolled up into.
    fn common<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(&self.prefix)?;
        let at = rest.find(delimiter)?;
        Some(&key[..self.prefix.len() + at + delimiter.len()])
    }
}

impl<'q, T> Rollup<'q, T> {
    pub(crate) fn new(question: &'q Question) -> Self {
        Self { question, entries: Vec::new(), is_truncated: false }
    }

    /// Takes the next key.
    pub(crate) fn take(&mut self, key: String, value: impl FnOnce() -> T) -> Next {
        if !key.starts_with(&self.question.prefix) {
            return Next::Nothing;
        }
        if self.entries.len() >= self.question.max {
            self.is_truncated = self.question.max > 0;
            return Next::Nothing;
        }
        let Some(common) = self.question.common(&key) else {
            self.entries.push(Entry::Key(key, value()));
            return Next::Key;
        };
        let behind = successor(common.as_bytes());
        self.entries.push(Entry::Common(common.to_owned()));
        behind.map_or(Next::Nothing, Next::From)
    }

    /// Where the next page goes on.
    pub(crate) fn marker(&self) -> Option<String> {
        let last = self.entries.last().filter(|_| self.is_truncated)?;
        Some(last.name().to_owned())
    }
}

/// The first bytes behind everything that begins with `prefix`.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = prefix.to_vec();
    while let Some(last) = bytes.pop() {
        if last < 0xff {
            bytes.push(last + 1);
            return Some(bytes);
        }
    }
    None
}
