//! Files and functions stay small enough to be read at once.

use crate::tidy::function;
use crate::tidy::source::Source;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
/// A test tells a story in one piece.
const TEST_LINES_MAX: usize = 100;

/// Names what is larger.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    sources.iter().flat_map(|source| file(source).into_iter().chain(functions(source))).collect()
}

fn file(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    (lines > FILE_LINES_MAX).then(|| format!("{}: {lines} lines; at most {FILE_LINES_MAX}", source.path))
}

fn functions(source: &Source) -> Vec<String> {
    let tests_begin = match source.text.lines().position(|line| line == "mod tests {") {
        _ if source.is_test() => 0,
        Some(line) => line,
        None => usize::MAX,
    };
    let long = function::all(&source.text).into_iter().filter_map(|function| {
        let function::Function { name, line, lines } = function;
        let max = if line > tests_begin { TEST_LINES_MAX } else { FUNCTION_LINES_MAX };
        (lines > max).then(|| format!("{}:{line}: {name} has {lines} lines; at most {max}", source.path))
    });
    long.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_lines(path: &str, head: &str, body: usize, expected: usize) {
        let text = format!("{head}{}}}\n", "    x();\n".repeat(body));
        let found = check(&[Source { path: path.into(), text }]);
        assert_eq!(found.len(), expected, "{found:?}");
    }

    #[test]
    fn functions_and_files_have_limits() {
        check_lines("src/a.rs", "fn f() {\n", 68, 0);
        check_lines("src/a.rs", "fn f() {\n", 69, 1);
        check_lines("src/a.rs", "mod tests {\nfn f() {\n", 69, 0);
        check_lines("x/tests/it/a.rs", "fn f() {\n", 98, 0);
        check_lines("x/tests/it/a.rs", "fn f() {\n", 99, 1);
        check_lines("src/a.rs", "const X: [u8; 1] = {\n", 498, 0);
        check_lines("src/a.rs", "const X: [u8; 1] = {\n", 499, 1);
    }
}
