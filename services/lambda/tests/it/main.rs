//! Lambda, tried with real sandboxes. A `main` of its own, because the spawner is forked before any thread.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod archive;
mod bursts;
mod code;
mod control;
mod events;
mod extensions;
mod failures;
mod guests;
mod images;
mod invoking;
mod java;
mod layers;
mod logs;
mod metrics;
mod nodejs;
mod permissions;
mod provisioned;
mod recursion;
mod ruby;
mod scene;
mod snap_start;
mod sources;
mod stubs;
mod telemetry;
mod templates;
mod url_streams;
mod urls;
mod versions;

use libtest_mimic::Arguments;
use pagoda_lambda::{Interpreters, Language};
use pagoda_sandbox::Spawner;

fn main() {
    let arguments = Arguments::from_args();
    let interpreters = Interpreters::probe(&Default::default()).expect("nothing is set");
    let has_ruby = interpreters.all().any(|one| one.language == Language::Ruby);
    let spawner = Spawner::start(interpreters.sandbox()).expect("a spawner");
    scene::share(spawner, interpreters);
    let trials = [
        bursts::trials(),
        code::trials(),
        control::trials(),
        events::trials(),
        extensions::trials(),
        failures::trials(),
        guests::trials(),
        images::trials(),
        invoking::trials(),
        java::trials(),
        layers::trials(),
        logs::trials(),
        metrics::trials(),
        nodejs::trials(),
        permissions::trials(),
        provisioned::trials(),
        recursion::trials(),
        ruby::trials(has_ruby),
        snap_start::trials(),
        sources::trials(),
        telemetry::trials(),
        templates::trials(),
        url_streams::trials(),
        urls::trials(),
        versions::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    scene::end();
    conclusion.exit();
}
