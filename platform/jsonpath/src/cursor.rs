//! A place in a text.

use crate::Malformed;

/// How deeply filters may be nested.
const DEPTH_MAX: usize = 32;

/// Where in the text the reader is: always between two characters.
pub(crate) struct Cursor<'s> {
    source: &'s str,
    at: usize,
    depth: usize,
}

impl<'s> Cursor<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Self { source, at: 0, depth: 0 }
    }

    /// Goes one level down, for as long as `inner` reads.
    pub(crate) fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        if self.depth >= DEPTH_MAX {
            return Err(self.error("it is nested too deeply"));
        }
        self.depth += 1;
        let read = inner(self);
        self.depth -= 1;
        read
    }

    pub(crate) fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Passes `bytes`, which are whole characters.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(crate) fn eat(&mut self, text: &str) -> bool {
        let is_here = self.rest().starts_with(text);
        if is_here {
            self.at += text.len();
        }
        is_here
    }

    pub(crate) fn expect(&mut self, text: &str) -> Result<(), Malformed> {
        if self.eat(text) { Ok(()) } else { Err(self.error(&format!("'{text}' is missing"))) }
    }

    pub(crate) fn space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    pub(crate) fn take_while(&mut self, of: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !of(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// A text in quotes, in which a backslash takes away the meaning of the character behind it.
    pub(crate) fn quoted(&mut self) -> Result<String, Malformed> {
        let quote = self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(self.error("a text in quotes does not end")),
                found if found == quote => return Ok(text),
                Some('\\') => text.extend(self.next()),
                Some(other) => text.push(other),
            }
        }
    }

    /// A whole number, if one is here.
    pub(crate) fn whole(&mut self) -> Result<Option<i64>, Malformed> {
        let digits = self.take_while(|c| c.is_ascii_digit() || c == '-');
        if digits.is_empty() {
            return Ok(None);
        }
        digits.parse().map(Some).map_err(|_| self.error(&format!("{digits} is no place in a list")))
    }

    pub(crate) fn error(&self, reason: &str) -> Malformed {
        let place = self.source[..self.at].chars().count();
        Malformed { path: self.source.to_owned(), reason: format!("{reason} at position {place}") }
    }
}
