//! The part of an object that a `Range` header asks for.

use std::ops::Range;

use pagoda_protocol::ApiError;

/// The bytes that `header` asks for of an object of `size` bytes; nothing where the header is to be
/// ignored, because it is no single byte range (RFC 9110, section 14.2).
pub(crate) fn parse(header: &str, size: u64) -> Result<Option<Range<u64>>, ApiError> {
    let Some((first, last)) = header.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(Some(digits.parse().unwrap_or(u64::MAX)))
        }
        _ => None,
    };
    let (Some(first), Some(last)) = (number(first), number(last)) else { return Ok(None) };
    let range = match (first, last) {
        (None, None) => return Ok(None),
        (Some(first), Some(last)) if last < first => return Ok(None),
        (Some(first), last) => first..last.map_or(size, |last| last.saturating_add(1).min(size)),
        (None, Some(suffix)) => size.saturating_sub(suffix)..size,
    };
    if range.start >= size || range.is_empty() { Err(unsatisfiable(header, size)) } else { Ok(Some(range)) }
}

/// 416.
pub(crate) fn unsatisfiable(header: &str, size: u64) -> ApiError {
    ApiError::new("InvalidRange", 416, "The requested range is not satisfiable")
        .with_field("RangeRequested", header)
        .with_field("ActualObjectSize", size.to_string())
        .with_header("content-range", format!("bytes */{size}"))
}

/// The `Content-Range` of a part.
pub(crate) fn told(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let rows = [
            ("bytes=0-0", 10, Ok(Some(0..1))),
            ("bytes=2-", 10, Ok(Some(2..10))),
            ("bytes=2-99", 10, Ok(Some(2..10))),
            ("bytes=-3", 10, Ok(Some(7..10))),
            ("bytes=-99", 10, Ok(Some(0..10))),
            ("bytes=0-18446744073709551615", 10, Ok(Some(0..10))),
            ("bytes=99999999999999999999-", 10, Err(())),
            ("bytes=10-", 10, Err(())),
            ("bytes=-0", 10, Err(())),
            ("bytes=0-0", 0, Err(())),
            ("bytes=5-2", 10, Ok(None)),
            ("bytes=0-1,3-4", 10, Ok(None)),
            ("bytes=-", 10, Ok(None)),
            ("bytes=a-b", 10, Ok(None)),
            ("items=0-1", 10, Ok(None)),
            ("", 10, Ok(None)),
        ];
        for (header, size, expected) in rows {
            assert_eq!(parse(header, size).map_err(|_| ()), expected, "{header} of {size}");
        }
    }
}
