//! Texts in double quotes.

use crate::kind::Kind;

/// A text as a literal of the kind's language. All but letters, digits and a few marks is escaped, so that
/// nothing ends the literal or is evaluated in it.
pub(crate) fn quoted(kind: Kind, text: &str) -> String {
    let inner: String = text.chars().map(|letter| escaped(kind, letter)).collect();
    format!("\"{inner}\"")
}

fn escaped(kind: Kind, letter: char) -> String {
    if letter.is_ascii_alphanumeric() || " -_./:&=+~,;@()[]*".contains(letter) {
        return letter.to_string();
    }
    let code = u32::from(letter);
    match kind {
        Kind::Ruby | Kind::Swift => format!("\\u{{{code:x}}}"),
        Kind::Python if code > 0xffff => format!("\\U{code:08x}"),
        // Java reads `\u0022` as the quote itself, and C allows no such escapes of ASCII.
        Kind::Java | Kind::Android | Kind::ObjectiveC if code < 0x80 => format!("\\{code:03o}"),
        Kind::ObjectiveC if code < 0xa0 => "_".into(),
        Kind::ObjectiveC if code > 0xffff => format!("\\U{code:08x}"),
        _ => letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_literal() {
        for (kind, expected) in [
            (Kind::JavaScript, r#""a\u0022\u005c\u0024\u007b\u00e4\ud83d\ude00""#),
            (Kind::Python, r#""a\u0022\u005c\u0024\u007b\u00e4\U0001f600""#),
            (Kind::Ruby, r#""a\u{22}\u{5c}\u{24}\u{7b}\u{e4}\u{1f600}""#),
            (Kind::Java, r#""a\042\134\044\173\u00e4\ud83d\ude00""#),
            (Kind::ObjectiveC, r#""a\042\134\044\173\u00e4\U0001f600""#),
        ] {
            assert_eq!(quoted(kind, "a\"\\${ä😀"), expected, "{kind:?}");
        }
    }
}
