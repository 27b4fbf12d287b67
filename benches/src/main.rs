//! Benchmarks: Pagoda beside named peers, on one machine, in one run, in turns.
//!
//! Invariants: every peer is installed by this tool at a pinned version; everything runs on loopback at
//! ports that the system chooses; every run ends by itself; a scenario's report is written as a whole, so that
//! its figures always belong to one run.

mod connection;
mod contest;
mod load;
mod machine;
mod pagoda;
mod peers;
mod place;
mod plot;
mod process;
mod report;
mod results;
mod scenario;
mod table;

use std::time::Duration;

use clap::Parser;

use contest::Rounds;
use place::Place;
use results::Results;
use scenario::Scenario;

/// What everything here answers.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Runs benchmarks; each scenario writes its page in docs/benchmarks.
#[derive(Parser)]
struct Arguments {
    /// Only this scenario
    #[arg(value_enum)]
    scenario: Option<Scenario>,
    /// Fewer and shorter rounds, and no report
    #[arg(long)]
    quick: bool,
    /// What the report says of the circumstances, such as other load on the machine
    #[arg(long, default_value = "")]
    remark: String,
    /// The date in the report [default: today]
    #[arg(long)]
    date: Option<String>,
}

fn main() -> Outcome {
    let arguments = Arguments::parse();
    let rounds = match arguments.quick {
        true => Rounds { count: 2, time: Duration::from_millis(500) },
        false => Rounds { count: 5, time: Duration::from_millis(1300) },
    };
    let place = Place::prepare()?;
    let date = arguments.date.unwrap_or_else(machine::today);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for scenario in scenario::wanted(arguments.scenario) {
        eprintln!("{}", scenario.name());
        let mut results = Results::default();
        runtime.block_on(scenario.run(&place, rounds, &mut results))?;
        report::show(&results);
        if !arguments.quick {
            report::write(&place, scenario, &results, &date, &arguments.remark)?;
        }
    }
    Ok(())
}
