//! `pagoda-fuzz SECONDS SEED [TARGET]`: every parser against mutated inputs.
//!
//! Invariants: a seed and a target give the same inputs on every machine; an input that makes a parser
//! panic, or hold up for too long, is printed with its seed and ends the run.

mod mutate;
mod run;
mod splitmix;
mod stub;
mod target;
mod world;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use target::{TARGETS, Target};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, otherwise| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (seconds, seed) = (number(0, 60), number(1, 1));
    let wanted = arguments.get(2);
    let targets: Vec<&Target> =
        TARGETS.iter().filter(|target| wanted.is_none_or(|name| name == target.name)).collect();
    if targets.is_empty() {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        say(&format!("no such target; there are {}", names.join(" ")));
        return ExitCode::FAILURE;
    }
    for target in targets {
        let end = Instant::now() + Duration::from_secs(seconds);
        match run::run(target, seed, |_| Instant::now() < end) {
            Ok(count) => say(&format!("{}: {count} inputs from seed {seed}, no finding", target.name)),
            Err(finding) => {
                say(&finding);
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn say(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small part of what `cargo xtask fuzz` does, in every run of the tests.
    fn check(name: &str, count: u64) {
        let target = TARGETS.iter().find(|target| target.name == name).unwrap();
        run::run(target, 1, |done| done < count).unwrap_or_else(|finding| panic!("{finding}"));
    }

    #[test]
    fn json() {
        check("json", 3_000);
    }

    #[test]
    fn xml() {
        check("xml", 3_000);
    }

    #[test]
    fn query() {
        check("query", 3_000);
    }

    #[test]
    fn signature() {
        check("signature", 3_000);
    }

    #[test]
    fn chunked() {
        check("chunked", 3_000);
    }

    #[test]
    fn policy() {
        check("policy", 3_000);
    }

    #[test]
    fn template() {
        check("template", 3_000);
    }

    #[test]
    fn expression() {
        check("expression", 3_000);
    }

    #[test]
    fn open_api() {
        check("open-api", 1_000);
    }

    #[test]
    fn package() {
        check("package", 1_000);
    }

    #[test]
    fn every_target_is_tested() {
        let source = include_str!("main.rs");
        for target in TARGETS {
            assert!(source.contains(&format!("check({:?}, ", target.name)), "{}", target.name);
        }
    }

    #[test]
    fn unchanged_seeds_are_understood() {
        for target in TARGETS {
            run::seeds(target);
        }
    }
}
