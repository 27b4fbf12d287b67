//! The tokens of RFC 8259, read straight from the text.
//!
//! Invariants: the text is valid UTF-8 before it comes here; nothing recurses without a limit; what is
//! not exactly JSON is refused.

use std::borrow::Cow;

use crate::check::DEPTH_MAX;

/// The text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A place in a JSON text.
pub(crate) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

/// What a value begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// What the next value begins with; nothing is consumed but space.
    pub(crate) fn start(&mut self) -> Result<Start, Malformed> {
        self.skip_space();
        match self.byte() {
            Some(b'{') => Ok(Start::Object),
            Some(b'[') => Ok(Start::Array),
            Some(b'"') => Ok(Start::String),
            Some(b'-' | b'0'..=b'9') => Ok(Start::Number),
            Some(b't') => Ok(Start::True),
            Some(b'f') => Ok(Start::False),
            Some(b'n') => Ok(Start::Null),
            _ => Err(Malformed),
        }
    }

    /// Consumes `byte` after space, if it is next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_next = self.byte() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Consumes `byte` after space.
    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { Err(Malformed) }
    }

    /// After an element or member: whether another follows, or `end` closes the container.
    pub(crate) fn another(&mut self, end: u8) -> Result<bool, Malformed> {
        if self.take(b',') {
            return Ok(true);
        }
        self.expect(end).map(|()| false)
    }

    /// Nothing but space is left.
    pub(crate) fn finish(&mut self) -> Result<(), Malformed> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(Malformed) }
    }

    /// Consumes `true`, `false` or `null`.
    pub(crate) fn word(&mut self, word: &str) -> Result<(), Malformed> {
        let rest = self.text.get(self.at..).ok_or(Malformed)?;
        if !rest.starts_with(word) {
            return Err(Malformed);
        }
        self.at += word.len();
        Ok(())
    }

    /// Consumes a number and gives its text.
    pub(crate) fn number(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at;
        self.at += usize::from(self.byte() == Some(b'-'));
        match self.byte() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Malformed) }
    }

    /// Consumes a string; without escapes it is borrowed from the text.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.expect(b'"')?;
        let start = self.at;
        self.plain_run()?;
        if self.byte() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        let mut owned = self.text[start..self.at].to_owned();
        loop {
            self.at += 1; // the backslash, at which the run ended
            owned.push(self.escaped()?);
            let start = self.at;
            self.plain_run()?;
            owned.push_str(&self.text[start..self.at]);
            if self.byte() == Some(b'"') {
                self.at += 1;
                return Ok(Cow::Owned(owned));
            }
        }
    }

    /// Goes to the next quote or backslash.
    fn plain_run(&mut self) -> Result<(), Malformed> {
        loop {
            match self.byte() {
                None | Some(0..0x20) => return Err(Malformed),
                Some(b'"' | b'\\') => return Ok(()),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Malformed> {
        let letter = self.byte().ok_or(Malformed)?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return Err(Malformed),
        })
    }

    /// The character of `XXXX` or of a surrogate pair; a lone surrogate is no character.
    fn code_point(&mut self) -> Result<char, Malformed> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(Malformed);
        }
        self.word("\\u")?;
        let second = self.hex4()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(Malformed);
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(Malformed)
    }

    fn hex4(&mut self) -> Result<u32, Malformed> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Malformed)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Malformed);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| Malformed)
    }

    /// Consumes any value and gives its text.
    pub(crate) fn any(&mut self) -> Result<&'a str, Malformed> {
        self.skip_space();
        let start = self.at;
        self.skip(0)?;
        Ok(&self.text[start..self.at])
    }

    fn skip(&mut self, depth: usize) -> Result<(), Malformed> {
        if depth > DEPTH_MAX {
            return Err(Malformed);
        }
        match self.start()? {
            Start::String => self.string().map(drop),
            Start::Number => self.number().map(drop),
            Start::True => self.word("true"),
            Start::False => self.word("false"),
            Start::Null => self.word("null"),
            Start::Array => {
                self.expect(b'[')?;
                let mut more = !self.take(b']');
                while more {
                    self.skip(depth + 1)?;
                    more = self.another(b']')?;
                }
                Ok(())
            }
            Start::Object => {
                self.expect(b'{')?;
                let mut more = !self.take(b'}');
                while more {
                    self.skip_space();
                    self.string()?;
                    self.expect(b':')?;
                    self.skip(depth + 1)?;
                    more = self.another(b'}')?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, lawful: bool) {
        let mut tokens = Tokens::new(text);
        let outcome = tokens.any().map(drop).and_then(|()| tokens.finish());
        assert_eq!(outcome.is_ok(), lawful, "{text}");
        let oracle = serde_json::from_str::<serde_json::Value>(text);
        assert_eq!(oracle.is_ok(), lawful, "serde_json differs on {text}");
    }

    #[test]
    fn exactly_json_is_read() {
        for text in [
            "{}",
            " [1, -2.5e+3 ,\"a\\u00e9\\ud83d\\ude00\\n\"] ",
            "0",
            "-0",
            "\"\"",
            "null",
            "{\"a\":{\"a\":[[]]}}",
        ] {
            check(text, true);
        }
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "1.",
            "-",
            "+1",
            "\"\t\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "tru",
            "{a:1}",
            "[] []",
            "nan",
            "1e",
            "\"\\u12\"",
            "\"a",
            "{\"a\" 1}",
            "'a'",
        ] {
            check(text, false);
        }
        let deep = "[".repeat(100_000);
        assert_eq!(Tokens::new(&deep).any(), Err(Malformed));
    }

    #[test]
    fn escapes_become_characters() {
        let text = r#""a\"\\\/\b\f\n\r\tA\ud83d\ude00z""#;
        assert_eq!(Tokens::new(text).string().unwrap(), "a\"\\/\u{8}\u{c}\n\r\tA😀z");
    }
}
