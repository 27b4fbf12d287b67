//! `$util`: functions for texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pagoda_velocity::{Heap, Host, RenderError, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// As `application/x-www-form-urlencoded` has it, in which a blank is `+`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b' ');

pub(super) struct Util;

impl Host for Util {
    fn call(&self, heap: &mut Heap, name: &str, arguments: &[Value]) -> Result<Value, RenderError> {
        let [argument] = arguments else { return Ok(Value::Null) };
        // What is missing is as the empty text.
        let text = match argument {
            Value::Null => String::new(),
            Value::Text(text) => text.to_string(),
            other => heap.print(other)?,
        };
        let failed =
            |reason: &str| RenderError::Method { method: name.to_owned(), reason: reason.to_owned() };
        match name {
            "escapeJavaScript" => heap.text(escaped(&text)),
            "parseJson" => {
                let value = serde_json::from_str(&text).map_err(|_| failed("the text is no JSON"))?;
                heap.from_json(&value)
            }
            "urlEncode" => heap.text(utf8_percent_encode(&text, FORM).to_string().replace(' ', "+")),
            "urlDecode" => {
                let spaced = text.replace('+', " ");
                let decoded = percent_decode_str(&spaced).decode_utf8_lossy();
                heap.text(decoded.into_owned())
            }
            "base64Encode" => heap.text(STANDARD.encode(&text)),
            "base64Decode" => {
                let bytes = STANDARD.decode(text.trim()).map_err(|_| failed("the text is no base64"))?;
                heap.text(String::from_utf8_lossy(&bytes).into_owned())
            }
            _ => Ok(Value::Null),
        }
    }
}

/// As a text of JavaScript has it: quotes and slashes behind backslashes, and everything beyond ASCII by
/// its number.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\'' | '"' | '\\' | '/' => out.extend(['\\', letter]),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            ' '..='~' => out.push(letter),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04X}"));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn texts_are_escaped_as_javascript_has_them() {
        assert_eq!(escaped("a'b\"c\\d/e\nü😀"), r#"a\'b\"c\\d\/e\n\u00FC\uD83D\uDE00"#);
    }
}
