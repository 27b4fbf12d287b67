//! Where functions begin and end, told by their indentation.
//!
//! rustfmt puts a function's closing brace under its first letter, so no parser is needed; the formatting
//! itself is checked by `cargo fmt --check`.

use std::sync::LazyLock;

use regex::Regex;

/// A function of a file.
#[derive(Debug, PartialEq)]
pub(crate) struct Function<'s> {
    pub(crate) name: &'s str,
    /// Its first line, from 1.
    pub(crate) line: usize,
    /// How many lines it has, both braces included.
    pub(crate) lines: usize,
}

/// The functions of `text` that have more than one line.
pub(crate) fn all(text: &str) -> Vec<Function<'_>> {
    static HEAD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"^( *)(?:pub(?:\([a-z ]+\))? )?(?:const |async |unsafe |extern "C" )*fn (\w+)"#)
            .expect("a constant pattern")
    });
    let lines: Vec<&str> = text.lines().collect();
    let heads = lines.iter().enumerate().filter_map(|(at, line)| Some((at, HEAD.captures(line)?)));
    heads
        .filter_map(|(at, head)| {
            let (indent, name) = (head.get(1)?.len(), head.get(2)?.range());
            let length = lines[at..].iter().position(|line| ends(line, indent))? + 1;
            (length > 1).then(|| Function { name: &lines[at][name], line: at + 1, lines: length })
        })
        .collect()
}

/// Whether `line` ends the function that is `indent` deep: its brace, or the semicolon of a declaration.
fn ends(line: &str, indent: usize) -> bool {
    let text = line.trim_start();
    let depth = line.len() - text.len();
    let is_head = depth == indent && text.contains("fn ");
    (depth == indent && text.starts_with('}'))
        || (depth == indent && text.starts_with(')') && text.ends_with(';'))
        || (is_head && (text.ends_with('}') || text.ends_with(';')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured() {
        let text = "fn one() {\n    two();\n}\n\nimpl X {\n    pub(crate) async fn two(\n        a: u8,\n    ) -> u8 \
                    {\n        if a { return 1 }\n        2\n    }\n    fn short() {}\n    fn declared(&self);\n}\n";
        let found = all(text);
        let one = Function { name: "one", line: 1, lines: 3 };
        let two = Function { name: "two", line: 6, lines: 6 };
        assert_eq!(found, [one, two]);
    }
}
