//! The report: tables on the terminal and, a page for each scenario with a picture, in docs/benchmarks.
#![allow(clippy::print_stdout)] // the tables are this tool's result

use std::fmt::Write as _;

use crate::place::Place;
use crate::results::{Comparison, Figures, Measure, Ratio, Results, Start, median, quantile};
use crate::scenario::Scenario;
use crate::{Outcome, machine, plot, table};

/// Prints what was found.
pub(crate) fn show(results: &Results) {
    println!("{}", tables(results));
    for miss in results.misses() {
        println!("misses its target: {miss}");
    }
}

/// Writes the scenario's page and its picture.
pub(crate) fn write(
    place: &Place,
    scenario: Scenario,
    results: &Results,
    date: &str,
    remark: &str,
) -> Outcome {
    let name = scenario.name();
    let mut text = format!(
        "# Benchmark: {name}\n\nWritten by `cargo xtask bench {name}` on {date}; the figures are of one run. Each server gets the \
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
    writeln!(text, "\n## Results\n")?;
    if results.has_ratios() {
        writeln!(text, "![Pagoda beside its peers]({name}.svg)\n")?;
    }
    writeln!(text, "{}", tables(results))?;
    writeln!(text, "## What misses its target\n")?;
    let misses = results.misses();
    if misses.is_empty() {
        writeln!(text, "Nothing that was measured here.")?;
    }
    for miss in misses {
        writeln!(text, "- {miss}")?;
    }
    write!(text, "\n## What to know before believing them\n\n{}", scenario.unfair())?;
    let folder = place.file("docs/benchmarks");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(format!("{name}.md")), text)?;
    match results.has_ratios() {
        true => plot::draw(&folder.join(format!("{name}.svg")), results),
        false => Ok(()),
    }
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
        let headings = ["start", "Pagoda ms (p99)", "beside", "ms (p99)", "ratio", "ratio of p99", "target"];
        text += &table::markdown(&headings, &results.starts.iter().map(started).collect::<Vec<_>>());
        text.push('\n');
    }
    if !results.measures.is_empty() {
        let rows: Vec<_> = results.measures.iter().map(measured).collect();
        text += &table::markdown(&["measure", "value", "target"], &rows);
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
    let times =
        |times: &Vec<f64>| format!("{:.1} ({:.1})", median(times.clone()), quantile(times.clone(), 0.99));
    vec![
        format!("{} (median of {})", one.what, one.pagoda_ms.len()),
        times(&one.pagoda_ms),
        one.peer.to_owned(),
        times(&one.other_ms),
        format!("**{:.2}x**", one.ratio()),
        format!("{:.2}x", one.ratio_of_p99()),
        one.target.map_or_else(String::new, |target| format!("<= {target}x")),
    ]
}

fn measured(one: &Measure) -> Vec<String> {
    let target = one.target.map_or_else(String::new, |target| format!("<= {target} {}", one.unit));
    vec![one.what.to_owned(), format!("{:.1} {}", one.value, one.unit), target]
}
