//! Filter patterns for text: terms, quoted phrases, `-` excludes, `?` any of.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>

use pagoda_protocol::ApiError;

use crate::generated as g;

/// Characters of a filter pattern.
const CHARS_MAX: usize = 1_024;

/// A compiled filter pattern. The empty pattern matches everything.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pattern {
    all: Vec<String>,
    none: Vec<String>,
    any: Vec<String>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `InvalidParameterException` when it cannot be read; 501 for the forms that are not built: JSON
    /// (`{ … }`), space-delimited (`[ … ]`) and regular expressions (`%…%`).
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let invalid = || ApiError::from(g::InvalidParameterException::new("Invalid filter pattern"));
        if text.chars().count() > CHARS_MAX {
            return Err(invalid());
        }
        let mut rest = text.trim();
        if rest.starts_with(['{', '[', '%']) {
            return Err(ApiError::not_implemented(
                "FilterLogEvents",
                "filterPattern of JSON, columns or regular expressions",
            ));
        }
        let mut pattern = Self::default();
        while !rest.is_empty() {
            let (list, term) = match rest.as_bytes()[0] {
                b'-' => (&mut pattern.none, &rest[1..]),
                b'?' => (&mut pattern.any, &rest[1..]),
                _ => (&mut pattern.all, rest),
            };
            let (word, after) = word(term).ok_or_else(invalid)?;
            list.push(word);
            rest = after.trim_start();
        }
        Ok(pattern)
    }

    /// Whether a message matches. Case matters.
    pub(crate) fn matches(&self, message: &str) -> bool {
        self.all.iter().all(|term| message.contains(term))
            && !self.none.iter().any(|term| message.contains(term))
            && (self.any.is_empty() || self.any.iter().any(|term| message.contains(term)))
    }
}

/// The first word, quoted or plain, and what follows it.
fn word(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (word, after) = quoted.split_once('"')?;
        return (!word.is_empty()).then(|| (word.to_owned(), after));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let word = &text[..end];
    let lawful = |c: char| c.is_alphanumeric() || c == '_';
    // Other characters are allowed between quotes only.
    (!word.is_empty() && word.chars().all(lawful)).then(|| (word.to_owned(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, message: &str, expected: bool) {
        assert_eq!(Pattern::parse(pattern).unwrap().matches(message), expected, "{pattern} on {message}");
    }

    #[test]
    fn terms() {
        check("", "anything", true);
        check("ERROR", "[ERROR] boom", true);
        check("error", "[ERROR] boom", false);
        check("ERROR boom", "[ERROR] boom", true);
        check("ERROR -boom", "[ERROR] boom", false);
        check("?WARN ?ERROR", "[ERROR] boom", true);
        check("?WARN ?INFO", "[ERROR] boom", false);
        check("\"[ERROR] b\"", "[ERROR] boom", true);
        check("-\"[ERROR]\"", "[WARN]", true);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["\"open", "-", "a:b", "\"\"", &"a".repeat(1_025)] {
            assert_eq!(Pattern::parse(bad).unwrap_err().code, "InvalidParameterException", "{bad}");
        }
        for unbuilt in ["{ $.a = 1 }", "[a, b]", "%x%"] {
            assert_eq!(Pattern::parse(unbuilt).unwrap_err().status.as_u16(), 501, "{unbuilt}");
        }
    }
}
