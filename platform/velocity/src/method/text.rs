//! Methods of texts: those of `java.lang.String`. Places are counted in characters.

use regex::{Regex, RegexBuilder};

use super::{Called, index, key};
use crate::{Heap, RenderError, Value};

/// Bytes that a compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

pub(super) fn call(heap: &mut Heap, text: &str, name: &str, arguments: &[Value]) -> Called {
    match arguments {
        [] => plain(heap, text, name),
        [one] => with_one(heap, text, name, one),
        [one, two] => with_two(heap, text, name, one, two),
        _ => Ok(Value::Null),
    }
}

fn plain(heap: &mut Heap, text: &str, name: &str) -> Called {
    match name {
        "length" => Ok(Value::from(text.chars().count())),
        "isEmpty" => Ok(Value::Flag(text.is_empty())),
        "isBlank" => Ok(Value::Flag(text.trim().is_empty())),
        "trim" | "strip" => heap.text(text.trim()),
        "toLowerCase" => heap.text(text.to_lowercase()),
        "toUpperCase" => heap.text(text.to_uppercase()),
        "intern" => heap.text(text),
        "toCharArray" => {
            heap.charge(text.len() * 32)?;
            let letters = text.chars().map(|letter| Value::from(letter.to_string())).collect();
            heap.list(letters)
        }
        "hashCode" => {
            let units = text.encode_utf16();
            let hash = units.fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
            Ok(Value::Whole(hash.into()))
        }
        _ => Ok(Value::Null),
    }
}

fn with_one(heap: &mut Heap, text: &str, name: &str, argument: &Value) -> Called {
    match name {
        "charAt" => {
            let at = index(name, argument, text.chars().count())?;
            let letter = text.chars().nth(at);
            let letter = letter.ok_or_else(|| RenderError::method(name, format!("index {at}")))?;
            return heap.text(letter.to_string());
        }
        "substring" => {
            let length = text.chars().count();
            return part(heap, text, index(name, argument, length)?, length);
        }
        _ => {}
    }
    let other = key(heap, argument)?;
    match name {
        "contains" => Ok(Value::Flag(text.contains(&*other))),
        "startsWith" => Ok(Value::Flag(text.starts_with(&*other))),
        "endsWith" => Ok(Value::Flag(text.ends_with(&*other))),
        "equalsIgnoreCase" => Ok(Value::Flag(text.to_lowercase() == other.to_lowercase())),
        "concat" => heap.text([text, &other].concat()),
        "indexOf" => Ok(place(text, text.find(&*other))),
        "lastIndexOf" => Ok(place(text, text.rfind(&*other))),
        "compareTo" => Ok(Value::Whole(compare(text, &other))),
        "matches" => Ok(Value::Flag(pattern(name, &format!("^(?:{other})$"))?.is_match(text))),
        "split" => split(heap, text, &other, 0),
        _ => Ok(Value::Null),
    }
}

fn with_two(heap: &mut Heap, text: &str, name: &str, one: &Value, two: &Value) -> Called {
    match (name, two) {
        ("substring", _) => {
            let length = text.chars().count();
            let (from, to) = (index(name, one, length)?, index(name, two, length)?);
            if from > to {
                return Err(RenderError::method(name, format!("begin {from}, end {to}, length {length}")));
            }
            return part(heap, text, from, to);
        }
        ("split", Value::Whole(limit)) => {
            let separator = key(heap, one)?;
            return split(heap, text, &separator, usize::try_from(*limit).unwrap_or(usize::MAX));
        }
        ("indexOf", from) => {
            let from = index(name, from, text.chars().count())?;
            let other = key(heap, one)?;
            let start = text.char_indices().nth(from).map_or(text.len(), |(at, _)| at);
            return Ok(place(text, text[start..].find(&*other).map(|at| start + at)));
        }
        _ => {}
    }
    let (from, to) = (key(heap, one)?, key(heap, two)?);
    let replaced = match name {
        "replace" => {
            grows(heap, text.matches(&*from).count(), to.len())?;
            text.replace(&*from, &to)
        }
        "replaceAll" | "replaceFirst" => {
            let pattern = pattern(name, &from)?;
            let times = if name == "replaceFirst" { 1 } else { pattern.find_iter(text).count() };
            // A group that is named in the replacement may be as long as the text.
            let names = to.matches('$').count();
            grows(heap, times, to.len())?;
            grows(heap, names, text.len())?;
            let to = replacement(&to);
            let limit = usize::from(name == "replaceFirst");
            pattern.replacen(text, limit, &*to).into_owned()
        }
        _ => return Ok(Value::Null),
    };
    heap.text(replaced)
}

/// Counts what a replacement will take, before it does.
fn grows(heap: &mut Heap, times: usize, bytes: usize) -> Result<(), RenderError> {
    heap.charge(times.saturating_mul(bytes))
}

/// Matching takes time in proportion to the text: look-around and back references are refused.
fn pattern(method: &str, pattern: &str) -> Result<Regex, RenderError> {
    let built = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).build();
    built.map_err(|_| RenderError::method(method, format!("'{pattern}' is no pattern that is supported")))
}

/// From Java's way to write a replacement (`\$` is `$`, `$1` a group) to the crate's (`$$`, `${1}`).
fn replacement(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('$') => out.push_str("$$"),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            '$' => match letters.peek().copied().filter(char::is_ascii_digit) {
                Some(group) => {
                    letters.next();
                    out.push_str(&format!("${{{group}}}"));
                }
                None => out.push('$'),
            },
            other => out.push(other),
        }
    }
    out
}

/// As Java splits: without a limit, empty parts at the end do not count.
fn split(heap: &mut Heap, text: &str, separator: &str, limit: usize) -> Called {
    let pattern = pattern("split", separator)?;
    let mut parts: Vec<&str> = match limit {
        0 | usize::MAX => pattern.split(text).collect(),
        limit => pattern.splitn(text, limit).collect(),
    };
    // A match without width before the first character makes no part.
    if parts.len() > 1 && parts[0].is_empty() && pattern.find(text).is_some_and(|found| found.is_empty()) {
        parts.remove(0);
    }
    if limit == 0 {
        while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
    }
    heap.charge(text.len())?;
    let parts = parts.into_iter().map(Value::from).collect();
    heap.list(parts)
}

fn part(heap: &mut Heap, text: &str, from: usize, to: usize) -> Called {
    let part: String = text.chars().skip(from).take(to - from).collect();
    heap.text(part)
}

/// From a place in bytes to one in characters; -1 for none.
fn place(text: &str, found: Option<usize>) -> Value {
    found.map_or(Value::Whole(-1), |at| Value::from(text[..at].chars().count()))
}

/// The difference of the first letters that differ, or of the lengths.
fn compare(a: &str, b: &str) -> i64 {
    let differ = a.encode_utf16().zip(b.encode_utf16()).find(|(a, b)| a != b);
    match differ {
        Some((a, b)) => i64::from(a) - i64::from(b),
        None => a.encode_utf16().count() as i64 - b.encode_utf16().count() as i64,
    }
}
