//! Confinement, tried from inside. A `main` of its own, because the spawner is forked before any thread.
//!
//! The guests are small Python programs: what they print is compared with what a confined one must see.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod calls;
mod clones;
mod ends;
mod files;
mod freezes;
mod guest;
mod limits;
mod neighbours;
mod networks;
mod restores;
mod roots;
mod runs;
mod sees;
mod snapshots;
mod spawners;

use libtest_mimic::{Arguments, Trial};
use pagoda_sandbox::{Config, Spawner, Tree};

fn main() {
    pagoda_sandbox::serve_if_spawner();
    match std::env::args().nth(1).as_deref() {
        Some(ends::VICTIM) => ends::be_victim(),
        Some(spawners::ROOTLESS) => spawners::be_rootless(),
        _ => {}
    }
    let arguments = Arguments::from_args();
    let tree = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(tree.path().join("word"), "from the tree").expect("a file in it");
    std::fs::write(tree.path().join("Wait.java"), restores::JAVA).expect("another");
    let trees = vec![Tree { host: tree.path().to_owned(), guest: "/root/inner/tree".into() }];
    let spawner = Spawner::start(Config { trees, pool: 2, ..Config::default() }).expect("a spawner");
    guest::share(spawner);
    let trials: Vec<Trial> = [
        calls::trials(),
        clones::trials(),
        ends::trials(),
        files::trials(),
        freezes::trials(),
        limits::trials(),
        neighbours::trials(),
        networks::trials(),
        restores::trials(),
        roots::trials(),
        runs::trials(),
        sees::trials(),
        snapshots::trials(),
        spawners::trials(),
    ]
    .into_iter()
    .flatten()
    .collect();
    libtest_mimic::run(&arguments, trials).exit();
}
