//! `application/x-www-form-urlencoded` text.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The names and values of `text`, decoded; a parameter without `=` has an empty value. Bytes that are no
/// UTF-8 are replaced.
pub(crate) fn pairs(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    text.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('+') {
        return percent_decode_str(text).decode_utf8_lossy();
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        let decoded: Vec<_> = pairs("a=1&&b=x%20y+z&c&d=%C3%A9=%").collect();
        let expected = [("a", "1"), ("b", "x y z"), ("c", ""), ("d", "é=%")];
        assert_eq!(decoded, expected.map(|(name, value)| (Cow::from(name), Cow::from(value))));
    }
}
