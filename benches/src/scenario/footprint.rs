//! How long the platform takes to be ready, what memory it takes when idle, and the size of the binary.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::contest::Rounds;
use crate::pagoda::Pagoda;
use crate::place::Place;
use crate::results::{Measure, Results, median};

/// After which a started platform is idle.
const SETTLING: Duration = Duration::from_secs(1);

pub(crate) fn run(place: &Place, rounds: Rounds, results: &mut Results) -> Outcome {
    let (mut fresh, mut existing) = (Vec::new(), Vec::new());
    let folder = place.scratch()?;
    drop(start(place, folder.path())?);
    for _ in 0..rounds.count {
        fresh.push(start(place, place.scratch()?.path())?.0);
        existing.push(start(place, folder.path())?.0);
    }
    let (_, pagoda) = start(place, folder.path())?;
    std::thread::sleep(SETTLING);
    let (rss, pss) = pagoda.server.memory_mib();
    eprintln!("  {} processes", pagoda.server.processes());
    let size = std::fs::metadata(place.binary())?.len() as f64 / 1e6;
    let measure = |what, value, unit, target| Measure { what, value, unit, target };
    results.measures.extend([
        measure("Start to `ready`, new data folder", median(fresh), "ms", Some(100.0)),
        measure("Start to `ready`, existing data folder", median(existing), "ms", Some(100.0)),
        measure("Idle memory, RSS of all processes", rss, "MiB", None),
        measure("Idle memory, PSS of all processes", pss, "MiB", Some(40.0)),
        measure("Binary", size, "MB", Some(60.0)),
    ]);
    Ok(())
}

/// Starts the platform; how long it took, in milliseconds.
fn start(place: &Place, data: &Path) -> Outcome<(f64, Pagoda)> {
    let started = Instant::now();
    let pagoda = Pagoda::start(place, data)?;
    Ok((started.elapsed().as_secs_f64() * 1000.0, pagoda))
}
