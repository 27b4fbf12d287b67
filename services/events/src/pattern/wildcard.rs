//! Texts with `*` for any characters; `\*` and `\\` are themselves.

use super::Invalid;

/// The parts between the stars.
#[derive(Debug)]
pub(super) struct Wildcard(Vec<String>);

impl Wildcard {
    pub(super) fn parse(text: &str) -> Result<Self, Invalid> {
        let mut parts = vec![String::new()];
        let mut letters = text.chars();
        let mut after_star = false;
        while let Some(letter) = letters.next() {
            let is_star = letter == '*';
            if is_star && after_star {
                return Err(Invalid("Consecutive wildcard characters are not allowed".into()));
            }
            after_star = is_star;
            let plain = match letter {
                '*' => {
                    parts.push(String::new());
                    continue;
                }
                '\\' => match letters.next() {
                    Some(escaped @ ('*' | '\\')) => escaped,
                    _ => return Err(Invalid("Invalid escape character at pos".into())),
                },
                plain => plain,
            };
            parts.last_mut().ok_or_else(|| Invalid("no part".into()))?.push(plain);
        }
        Ok(Self(parts))
    }

    /// Takes each part where it is found first: with stars between them, no later place could be better.
    pub(super) fn matches(&self, value: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|only| only == value);
        };
        let Some(mut rest) = value.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        let check = |pattern: &str, value: &str, expected: bool| {
            let wildcard = Wildcard::parse(pattern).ok().unwrap();
            assert_eq!(wildcard.matches(value), expected, "{pattern} {value}");
        };
        check("abc", "abc", true);
        check("abc", "abcd", false);
        check("*", "", true);
        check("a*", "a", true);
        check("*.png", "dir/x.png", true);
        check("a*b*c", "aXbYbZc", true);
        check("a*b*c", "acb", false);
        check("a*a", "a", false);
        check(r"a\*b", "a*b", true);
        check(r"a\*b", "aXb", false);
        assert!(Wildcard::parse("a**").is_err());
        assert!(Wildcard::parse(r"a\b").is_err());
    }
}
