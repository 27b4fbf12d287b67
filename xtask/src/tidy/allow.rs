//! An exception from a lint says why it is one.

use crate::tidy::source::Source;

const EXCEPTIONS: [&str; 4] = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];

/// Names the exceptions without a `reason = …` in them or a comment on the line or the one before.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let places = sources.iter().flat_map(|source| bare(&source.text).into_iter().map(move |at| (source, at)));
    places.map(|(source, at)| format!("{}:{at}: an exception without a reason", source.path)).collect()
}

fn bare(text: &str) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let is_exception = |line: &str| EXCEPTIONS.iter().any(|form| line.trim_start().starts_with(form));
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    let exceptions = (0..lines.len()).filter(|at| is_exception(lines[*at]));
    let bare = exceptions.filter(|at| {
        let until = lines[*at..].iter().position(|line| line.trim_end().ends_with(']')).unwrap_or(0);
        let whole = lines[*at..=*at + until].concat();
        // Exceptions that stand together share their reason.
        let before = lines[..*at].iter().rev().find(|line| !is_exception(line)).copied().unwrap_or_default();
        !whole.contains("reason = ") && !whole.contains("// ") && !is_comment(before)
    });
    bare.map(|at| at + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons() {
        let check = |text: &str, expected: &[usize]| assert_eq!(bare(text), expected, "{text}");
        check("fn a() {}\n#[allow(dead_code)]\nfn b() {}", &[2]);
        check("// Read by the kernel.\n#[allow(dead_code)]\nfn b() {}", &[]);
        check("#[allow(dead_code)] // Read by the kernel.\nfn b() {}", &[]);
        check("#[expect(\n    dead_code,\n    reason = \"read by the kernel\"\n)]\nfn b() {}", &[]);
    }
}
