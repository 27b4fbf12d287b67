//! Prints what starting `/bin/true` costs: plain, in a sandbox made on demand, and in a pooled one.

#![allow(clippy::print_stdout)]

use std::process::Command;
use std::time::{Duration, Instant};

use pagoda_sandbox::{Config, End, Ids, Spawner, Spec};

const ROUNDS: usize = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let demand = Spawner::start(Config { pool: 0, ..Config::default() })?;
    let pooled = Spawner::start(Config { pool: 4, ..Config::default() })?;
    println!("isolation {:?} {:?}", pooled.isolation(), pooled.missing());
    let mut plain: Vec<Duration> = (0..ROUNDS).map(|_| plain_start()).collect();
    print("plain fork and exec, to exit", &mut plain);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        measure("on demand", &demand).await;
        measure("pooled", &pooled).await;
    });
    Ok(())
}

fn plain_start() -> Duration {
    let begun = Instant::now();
    let _ = Command::new("/bin/true").status();
    begun.elapsed()
}

async fn measure(name: &str, spawner: &Spawner) {
    let (mut started, mut ended) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // Lets the pool fill: what is measured is a start that finds one ready.
        tokio::time::sleep(Duration::from_millis(40)).await;
        let begun = Instant::now();
        let mut spec = Spec::exec("/bin/true", &[], Ids { uid: 200_000, gid: 200_000 });
        // A small share would show the scheduler's pauses instead.
        spec.limits.cpu_millis = 2000;
        match spawner.spawn(spec).await {
            Ok(instance) => {
                started.push(begun.elapsed());
                let exit = instance.exited().await;
                ended.push(begun.elapsed());
                assert_eq!(exit.end, End::Code(0));
            }
            Err(error) => println!("{error}"),
        }
    }
    print(&format!("{name}, to started"), &mut started);
    print(&format!("{name}, to gone"), &mut ended);
}

fn print(name: &str, times: &mut [Duration]) {
    times.sort();
    if let (Some(least), Some(median)) = (times.first(), times.get(times.len() / 2)) {
        println!("{name}: median {median:?}, least {least:?}");
    }
}
