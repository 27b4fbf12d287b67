//! A place in a text.

use crate::SyntaxError;

/// Where in the text the parser is: always between two characters.
#[derive(Clone)]
pub(super) struct Cursor<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Back to a place where the cursor was.
    pub(super) fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    /// The text from a place where the cursor was.
    pub(super) fn since(&self, at: usize) -> &'s str {
        &self.source[at..self.at]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn is_at(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    /// Passes `text`, if it is here.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let is_here = self.is_at(text);
        if is_here {
            self.at += text.len();
        }
        is_here
    }

    pub(super) fn expect(&mut self, text: &str) -> Result<(), SyntaxError> {
        if self.eat(text) {
            return Ok(());
        }
        let found = self.peek().map_or_else(|| "the end".into(), |found| format!("'{found}'"));
        Err(self.error(format!("Expected '{text}', found {found}")))
    }

    /// Passes all characters for which `of` holds.
    pub(super) fn take_while(&mut self, of: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !of(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// Passes everything up to and with `end`; what stood before it.
    pub(super) fn take_until(&mut self, end: &str) -> Option<&'s str> {
        let taken = &self.rest()[..self.rest().find(end)?];
        self.at += taken.len() + end.len();
        Some(taken)
    }

    /// Passes white space, line ends too.
    pub(super) fn space(&mut self) {
        self.take_while(|c| c.is_ascii_whitespace());
    }

    /// Passes blanks and the line end behind them, or nothing.
    pub(super) fn line_end(&mut self) {
        let at = self.at;
        self.take_while(|c| c == ' ' || c == '\t');
        if !(self.eat("\r\n") || self.eat("\n") || self.eat("\r")) {
            self.at = at;
        }
    }

    /// A name: a letter or `_`, then letters, digits, `_` and, where `hyphens` may be, `-`.
    pub(super) fn name(&mut self, hyphens: bool) -> Option<&'s str> {
        let starts = self.peek().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_' || (hyphens && c == '-');
        starts.then(|| self.take_while(goes_on))
    }

    pub(super) fn error(&self, message: impl Into<String>) -> SyntaxError {
        let before = &self.source[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        SyntaxError { message: message.into(), line, column }
    }
}
