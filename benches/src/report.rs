//! The report: tables on the terminal and in docs/benchmarks.md, with a picture.
#![allow(clippy::print_stdout)] // the tables are this tool's result

use std::fmt::Write as _;

use crate::place::Place;
use crate::results::{Comparison, Figures, Measure, Ratio, Results, Start, median};
use crate::{Outcome, machine, plot, table};

/// What a reader must know before believing a ratio.
const UNFAIR: &str = include_str!("unfair.md");

/// Prints what was found.
pub(crate) fn show(results: &Results) {
    println!("{}", tables(results));
    for miss in results.misses() {
        println!("misses its target: {miss}");
    }
}

/// Writes docs/benchmarks.md and its picture.
pub(crate) fn write(place: &Place, results: &Results, date: &str, remark: &str) -> Outcome {
    let mut text = format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench` on {date}; the figures are of one run. Each server gets the \
         same load in turn, round after round; the figures are medians over rounds, and ratios are of neighbouring \
         rounds. Ratios carry over to other machines better than absolute figures do.\n\n## Machine\n\n"
    );
    for line in machine::describe() {
        writeln!(text, "- {line}")?;
    }
    if !remark.is_empty() {
        writeln!(text, "- {remark}")?;
    }
    writeln!(
        text,
        "- The load generator shares the processor with the server, so requests per second of CPU (user and system time of the server and all its children) tell more than requests per second."
    )?;
    writeln!(
        text,
        "\n## Results\n\n![Pagoda beside its peers](benchmarks/ratios.svg)\n\n{}",
        tables(results)
    )?;
    writeln!(text, "## What misses its target\n")?;
    let misses = results.misses();
    if misses.is_empty() {
        writeln!(text, "Nothing that was measured here.")?;
    }
    for miss in misses {
        writeln!(text, "- {miss}")?;
    }
    write!(text, "\n{UNFAIR}")?;
    std::fs::create_dir_all(place.file("docs/benchmarks"))?;
    std::fs::write(place.file("docs/benchmarks.md"), text)?;
    plot::draw(&place.file("docs/benchmarks/ratios.svg"), results)
}

fn tables(results: &Results) -> String {
    let mut text = String::new();
    if !results.comparisons.is_empty() {
        let headings = [
            "load",
            "connections",
            "server",
            "requests/s",
            "requests/CPU s",
            "p50 ms",
            "p99 ms",
            "ratio of requests/s",
            "ratio of requests/CPU s",
            "target",
        ];
        let rows: Vec<_> = results.comparisons.iter().flat_map(compared).collect();
        text += &table::markdown(&headings, &rows);
        text.push('\n');
    }
    if !results.starts.is_empty() {
        let headings = ["start", "Pagoda ms (least)", "beside", "ms (least)", "ratio", "target"];
        text += &table::markdown(&headings, &results.starts.iter().map(started).collect::<Vec<_>>());
        text.push('\n');
    }
    if !results.measures.is_empty() {
        let rows: Vec<_> = results.measures.iter().map(measured).collect();
        text += &table::markdown(&["footprint", "value", "target"], &rows);
    }
    text
}

fn compared(one: &Comparison) -> [Vec<String>; 2] {
    let line = |server: &str, figures: &Figures| {
        vec![
            one.what.clone(),
            one.connections.to_string(),
            server.to_owned(),
            format!("{:.0}", figures.per_second),
            format!("{:.0}", figures.per_cpu_second),
            format!("{:.2}", figures.p50_ms),
            format!("{:.2}", figures.p99_ms),
        ]
    };
    let (mut pagoda, mut other) = (line("Pagoda", &one.pagoda), line(one.peer, &one.other));
    let target = one.target.map_or_else(String::new, |target| format!(">= {target}x"));
    pagoda.extend([spread(one.throughput), spread(one.cpu), target]);
    other.extend([String::new(), String::new(), String::new()]);
    [pagoda, other]
}

fn spread(ratio: Ratio) -> String {
    format!("**{:.2}x** ({:.2} to {:.2})", ratio.median, ratio.least, ratio.greatest)
}

fn started(one: &Start) -> Vec<String> {
    let times = |times: &Vec<f64>| {
        let least = times.iter().copied().fold(f64::INFINITY, f64::min);
        format!("{:.1} ({least:.1})", median(times.clone()))
    };
    vec![
        format!("{} (median of {})", one.what, one.pagoda_ms.len()),
        times(&one.pagoda_ms),
        one.peer.to_owned(),
        times(&one.other_ms),
        format!("**{:.2}x**", one.ratio()),
        one.target.map_or_else(String::new, |target| format!("<= {target}x")),
    ]
}

fn measured(one: &Measure) -> Vec<String> {
    let target = one.target.map_or_else(String::new, |target| format!("<= {target} {}", one.unit));
    vec![one.what.to_owned(), format!("{:.1} {}", one.value, one.unit), target]
}
