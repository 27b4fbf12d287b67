//! Words that may not stand for attributes in expressions.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>

use std::collections::HashSet;
use std::sync::LazyLock;

static WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("reserved.txt").split_ascii_whitespace().collect());

/// Whether `word` is reserved, whatever its case.
pub(crate) fn is_reserved(word: &str) -> bool {
    WORDS.contains(&*word.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_words_are_reserved() {
        assert_eq!(WORDS.len(), 573);
        for word in ["name", "Status", "TTL", "date", "zone"] {
            assert!(is_reserved(word), "{word}");
        }
        assert!(!is_reserved("id") && !is_reserved("message"));
    }
}
