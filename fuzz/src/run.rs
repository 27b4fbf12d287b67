//! One target, input after input.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::mutate::mutate;
use crate::splitmix::SplitMix;
use crate::target::Target;
use crate::world::World;

/// After so many inputs the world begins anew, so that it stays small.
const WORLD_INPUTS_MAX: u64 = 500;
/// An input that takes longer is a finding.
const INPUT_TIME_MAX: Duration = Duration::from_secs(10);

/// Runs `target` while `goes_on` with the number of inputs done; how many there were, or the finding.
pub(crate) fn run(target: &Target, seed: u64, goes_on: impl Fn(u64) -> bool) -> Result<u64, String> {
    let runtime = runtime();
    let (seeds, mut world) = ((target.seeds)(), begin(&runtime));
    let mut done = 0;
    while goes_on(done) {
        if done % WORLD_INPUTS_MAX == WORLD_INPUTS_MAX - 1 {
            world = begin(&runtime);
        }
        let input = mutate(&mut SplitMix::of(seed, done), &seeds, target.words);
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on((target.run)(&world, &input))));
        let what = match outcome {
            Err(_) => "panicked",
            Ok(_) if began.elapsed() > INPUT_TIME_MAX => "took too long",
            Ok(_) => {
                done += 1;
                continue;
            }
        };
        let name = target.name;
        return Err(format!("{name} {what}: seed {seed}, input {done}: b\"{}\"", input.escape_ascii()));
    }
    Ok(done)
}

/// Checks that the target understands its seeds: a fuzzer of errors alone finds little.
#[cfg(test)]
pub(crate) fn seeds(target: &Target) {
    let runtime = runtime();
    let world = begin(&runtime);
    for seed in (target.seeds)() {
        let shown = String::from_utf8_lossy(&seed);
        if let Err(error) = runtime.block_on((target.run)(&world, &seed)) {
            panic!("{} refuses {shown}: {error}", target.name);
        }
    }
}

fn begin(runtime: &Runtime) -> World {
    runtime.block_on(World::new())
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("the machine has room for a runtime")
}
