//! How many tests passed and failed, read from what the runners print at their end.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

use crate::{Outcome, say};

/// Counts of tests.
#[derive(Default, Debug, PartialEq, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// Adds a part of the run; one that could not be finished is a failure.
    pub(crate) fn part(&mut self, name: &str, part: Outcome<Self>) {
        match part {
            Ok(part) => {
                say(&format!("{name}: {} passed and {} failed", part.passed, part.failed));
                self.add(part);
            }
            Err(error) => {
                say(&format!("{name} FAILED: {error}"));
                self.failed += 1;
            }
        }
    }

    /// Adds the counts of `line`, if it is a runner's closing line.
    pub(crate) fn read(&mut self, line: &str) {
        if is_closing(line) {
            self.add(counts(line));
        }
    }

    /// A run that ended badly without any failed test failed for another reason, which counts.
    pub(crate) fn ended(mut self, well: bool) -> Self {
        if !well && self.failed == 0 {
            self.failed = 1;
        }
        self
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The last lines of nextest, libtest and pytest.
fn is_closing(line: &str) -> bool {
    static CLOSING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\s*Summary \[|^test result: |^=* ?(no tests ran|\d+ \w+(, \d+ \w+)*) in [\d.]+s")
            .expect("a constant pattern")
    });
    CLOSING.is_match(line)
}

fn counts(line: &str) -> Tally {
    static COUNT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(\d+) (passed|failed|timed out|errors?)\b").expect("a constant pattern")
    });
    let mut tally = Tally::default();
    for count in COUNT.captures_iter(line) {
        let number = count[1].parse::<u64>().unwrap_or(0);
        if &count[2] == "passed" {
            tally.passed += number;
        } else {
            tally.failed += number;
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, passed: u64, failed: u64) {
        let mut tally = Tally::default();
        tally.read(line);
        assert_eq!(tally, Tally { passed, failed }, "{line}");
    }

    #[test]
    fn closing_lines_are_counted() {
        check("     Summary [  26.607s] 146 tests run: 146 passed, 0 skipped", 146, 0);
        check(
            "     Summary [   1.2s] 9 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 3 skipped",
            6,
            3,
        );
        check("test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out", 12, 1);
        check("========= 3 failed, 10 passed, 2 skipped, 1 error in 3.21s =========", 10, 4);
        check("10 passed in 0.5s", 10, 0);
        check("2 passed, 2 errors in 61.30s (0:01:01)", 2, 2);
    }

    #[test]
    fn other_lines_are_not() {
        for line in ["test it::three_passed ... ok", "5 passed the door", "error: 2 failed", ""] {
            check(line, 0, 0);
        }
    }

    #[test]
    fn a_run_that_broke_has_failed() {
        assert_eq!(Tally { passed: 2, failed: 0 }.ended(false), Tally { passed: 2, failed: 1 });
        assert_eq!(Tally { passed: 2, failed: 3 }.ended(false), Tally { passed: 2, failed: 3 });
        assert_eq!(Tally { passed: 2, failed: 0 }.ended(true), Tally { passed: 2, failed: 0 });
    }
}
