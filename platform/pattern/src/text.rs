//! Rules for text: how it begins or ends, wildcards, and all of them without regard to case.

use memchr::memmem;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Text {
    Prefix(Folded),
    Suffix(Folded),
    Equal(Folded),
    Wildcard(Vec<String>),
}

/// A text to compare with, and whether case matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folded {
    text: String,
    ignore_case: bool,
}

impl Folded {
    pub(crate) fn exactly(text: &str) -> Self {
        Self { text: text.to_owned(), ignore_case: false }
    }

    pub(crate) fn ignoring_case(text: &str) -> Self {
        Self { text: fold(text), ignore_case: true }
    }

    fn compare(&self, text: &str, test: impl Fn(&str, &str) -> bool) -> bool {
        if self.ignore_case { test(&fold(text), &self.text) } else { test(text, &self.text) }
    }
}

impl Text {
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Prefix(wanted) => wanted.compare(text, |text, prefix| text.starts_with(prefix)),
            Self::Suffix(wanted) => wanted.compare(text, |text, suffix| text.ends_with(suffix)),
            Self::Equal(wanted) => wanted.compare(text, |text, other| text == other),
            Self::Wildcard(pieces) => glob(pieces, text),
        }
    }

    /// A wildcard text: `*` stands for any characters, `\*` and `\\` for themselves.
    ///
    /// # Errors
    /// For two wildcards in a row, and for a backslash before anything else.
    pub(crate) fn wildcard(pattern: &str) -> Result<Self, String> {
        let mut pieces = vec![String::new()];
        let mut characters = pattern.chars().enumerate();
        let mut after_star = false;
        while let Some((at, character)) = characters.next() {
            let star = character == '*';
            let literal = match character {
                '*' if after_star => {
                    return Err(format!("Consecutive wildcard characters at pos {}", at - 1));
                }
                '*' => None,
                '\\' => match characters.next() {
                    Some((_, escaped @ ('*' | '\\'))) => Some(escaped),
                    _ => return Err(format!("Invalid escape character at pos {at}")),
                },
                other => Some(other),
            };
            after_star = star;
            match (literal, pieces.last_mut()) {
                (Some(literal), Some(piece)) => piece.push(literal),
                _ => pieces.push(String::new()),
            }
        }
        Ok(Self::Wildcard(pieces))
    }
}

/// Whether the pieces are in the text in their order, the first at its start and the last at its end.
///
/// The leftmost place of a piece leaves the most to those behind it, so nothing is ever tried twice.
fn glob(pieces: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = pieces else {
        return pieces.first().is_some_and(|piece| piece == text);
    };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for piece in middle {
        let Some(at) = memmem::find(rest.as_bytes(), piece.as_bytes()) else { return false };
        // A match of whole characters begins and ends between characters.
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last.as_str())
}

fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}
