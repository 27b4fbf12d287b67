//! A warm function invoked within a process, without HTTP, signature and gateway: an example of the service's.

use std::process::Command;

use serde_json::Value;

use crate::Outcome;
use crate::place::Place;
use crate::process::succeed;
use crate::results::{Measure, Results};

const NAMES: [(&str, &str, &str); 2] = [
    ("Python", "Warm invocation in process, Python (median)", "Warm invocation in process, Python (p99)"),
    ("Node.js", "Warm invocation in process, Node.js (median)", "Warm invocation in process, Node.js (p99)"),
];

pub(crate) fn run(place: &Place, results: &mut Results) -> Outcome {
    eprintln!("  in process");
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--quiet", "-p", "pagoda-lambda", "--example", "warm"]);
    let lines = succeed(command.current_dir(place.file("")))?;
    for line in lines.lines() {
        let measured: Value = serde_json::from_str(line)?;
        let known = NAMES.iter().find(|(language, ..)| measured["language"] == *language);
        let (_, median, p99) = known.ok_or("a language that nobody has asked for")?;
        for (what, name) in [(median, "median"), (p99, "p99")] {
            let value = measured[name].as_f64().ok_or("no figure")?;
            results.measures.push(Measure { what, value, unit: "µs", target: None });
        }
    }
    Ok(())
}
