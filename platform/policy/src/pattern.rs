//! Text with wildcards and policy variables, compiled once and matched in one pass a segment.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use std::borrow::Cow;

use crate::Keys;

/// One piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    AnyOne,
    AnyMany,
    Variable { key: String, default: Option<String> },
}

/// A compiled pattern: literal text, `?`, `*`, and `${key}` or `${key, 'default'}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Piece>);

/// What a pattern said of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    /// A variable has no value in this request and no default.
    Unresolved,
}

impl Pattern {
    /// Compiles `source`; variables are read only where the policy's version knows them.
    pub(crate) fn compile(source: &str, variables: bool, wildcards: bool) -> Self {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(c) = rest.chars().next() {
            if variables && let Some((piece, after)) = variable(rest) {
                flush(&mut text, &mut pieces);
                pieces.push(piece);
                rest = after;
                continue;
            }
            match c {
                '*' | '?' if wildcards => {
                    flush(&mut text, &mut pieces);
                    pieces.push(if c == '*' { Piece::AnyMany } else { Piece::AnyOne });
                }
                _ => text.push(c),
            }
            rest = &rest[c.len_utf8()..];
        }
        flush(&mut text, &mut pieces);
        Self(pieces)
    }

    /// Whether `text` matches as a whole, with variables taken from `keys`.
    pub(crate) fn matches(&self, text: &str, keys: &Keys, ignore_case: bool) -> Match {
        let mut segments: Vec<Vec<Atom<'_>>> = vec![Vec::new()];
        for piece in &self.0 {
            let atom = match piece {
                Piece::AnyMany => {
                    segments.push(Vec::new());
                    continue;
                }
                Piece::AnyOne => Atom::AnyOne,
                Piece::Text(text) => Atom::Text(Cow::Borrowed(text)),
                Piece::Variable { key, default } => match keys.single(key).or(default.as_deref()) {
                    Some(value) => Atom::Text(Cow::Borrowed(value)),
                    None => return Match::Unresolved,
                },
            };
            segments.last_mut().expect("there is always a last segment").push(atom);
        }
        if glob(&segments, text, ignore_case) { Match::Yes } else { Match::No }
    }
}

#[derive(Debug)]
enum Atom<'a> {
    Text(Cow<'a, str>),
    AnyOne,
}

/// Segments are what stands between the `*`s: the first is anchored at the start, the last at the end,
/// and each one between is taken at its leftmost place, which never has to be revised.
fn glob(segments: &[Vec<Atom<'_>>], text: &str, ignore_case: bool) -> bool {
    let [first, middle @ .., last] = segments else {
        return consume(&segments[0], text, ignore_case) == Some("");
    };
    let Some(mut rest) = consume(first, text, ignore_case) else { return false };
    for segment in middle {
        match find(segment, rest, ignore_case) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    let wanted: usize = last.iter().map(Atom::chars).sum();
    let spare = rest.chars().count().checked_sub(wanted);
    let Some(tail) = spare.map(|skip| skip_chars(rest, skip)) else { return false };
    consume(last, tail, ignore_case) == Some("")
}

impl Atom<'_> {
    fn chars(&self) -> usize {
        match self {
            Atom::Text(text) => text.chars().count(),
            Atom::AnyOne => 1,
        }
    }
}

fn skip_chars(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or("", |(at, _)| &text[at..])
}

fn find<'t>(segment: &[Atom<'_>], text: &'t str, ignore_case: bool) -> Option<&'t str> {
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.map(|at| consume(segment, &text[at..], ignore_case)).find_map(|after| after)
}

/// What remains of `text` after `atoms`, if it begins with them.
fn consume<'t>(atoms: &[Atom<'_>], text: &'t str, ignore_case: bool) -> Option<&'t str> {
    let mut rest = text;
    for atom in atoms {
        rest = match atom {
            Atom::AnyOne => &rest[rest.chars().next()?.len_utf8()..],
            Atom::Text(wanted) => {
                let head = rest.get(..wanted.len())?;
                let same = if ignore_case { head.eq_ignore_ascii_case(wanted) } else { head == wanted };
                if !same {
                    return None;
                }
                &rest[wanted.len()..]
            }
        };
    }
    Some(rest)
}

fn flush(text: &mut String, pieces: &mut Vec<Piece>) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text)));
    }
}

/// Reads `${…}` at the start of `source`: the piece, and what follows it.
fn variable(source: &str) -> Option<(Piece, &str)> {
    let inner = source.strip_prefix("${")?;
    let (name, after) = inner.split_once('}')?;
    let piece = match name.trim() {
        literal @ ("*" | "?" | "$") => Piece::Text(literal.to_owned()),
        name => {
            let (key, default) = match name.split_once(',') {
                Some((key, default)) => (key, Some(default.trim().trim_matches('\'').to_owned())),
                None => (name, None),
            };
            Piece::Variable { key: key.trim().to_ascii_lowercase(), default }
        }
    };
    Some((piece, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str, expected: bool) {
        let found = Pattern::compile(pattern, true, true).matches(text, &Keys::new(), false);
        assert_eq!(found == Match::Yes, expected, "{pattern} on {text}");
    }

    #[test]
    fn wildcards() {
        check("*", "", true);
        check("a*", "abc", true);
        check("*c", "abc", true);
        check("a*b*c", "aXbYc", true);
        check("a*b*c", "abc", true);
        check("a*bc", "abcbc", true);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("*a", "ab", false);
        check("ab*ba", "aba", false);
        check("가*나", "가다나", true);
        check("a", "ab", false);
        check("${*}", "*", true);
        check("${*}", "x", false);
    }

    #[test]
    fn a_pattern_built_to_explode_does_not() {
        let pattern = "a*".repeat(500) + "b";
        check(&pattern, &"a".repeat(5_000), false);
    }

    #[test]
    fn variables_stand_for_text_and_never_for_wildcards() {
        let mut keys = Keys::new();
        keys.set("aws:username", "*");
        let pattern = Pattern::compile("home/${aws:UserName}/*", true, true);
        assert_eq!(pattern.matches("home/ann/x", &keys, false), Match::No);
        assert_eq!(pattern.matches("home/*/x", &keys, false), Match::Yes);
        assert_eq!(pattern.matches("home/*/x", &Keys::new(), false), Match::Unresolved);
        let with_default = Pattern::compile("${aws:PrincipalTag/team, 'none'}", true, true);
        assert_eq!(with_default.matches("none", &Keys::new(), false), Match::Yes);
        let old = Pattern::compile("${aws:username}", false, true);
        assert_eq!(old.matches("${aws:username}", &keys, false), Match::Yes);
    }
}
