//! The first invocation in a new sandbox, from request to answer, beside starting the bare interpreter.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use serde_json::json;

use super::get;
use crate::Outcome;
use crate::connection::{Connection, once};
use crate::contest::Rounds;
use crate::pagoda::Deployed;
use crate::place::Place;
use crate::process::succeed;
use crate::results::{Results, Start};

const REPETITIONS_PER_ROUND: usize = 3;

/// A language, and its interpreter doing nothing.
struct Language {
    what: &'static str,
    peer: &'static str,
    function: &'static str,
    path: &'static str,
    interpreter: PathBuf,
    program: [&'static str; 2],
    target: f64,
}

pub(crate) async fn run(place: &Place, rounds: Rounds, results: &mut Results) -> Outcome {
    let deployed = Deployed::start(place)?;
    // What stands before an interpreter in PATH may be a script that looks for it.
    let real = |program: &str, option: &str, expression: &str| {
        succeed(Command::new(program).args([option, expression])).map(|path| PathBuf::from(path.trim()))
    };
    let languages = [
        Language {
            what: "Cold start, Python",
            peer: "`python3 -c pass`",
            function: "Python",
            path: "/Prod/python",
            interpreter: real("python3", "-c", "import os, sys; print(os.path.realpath(sys.executable))")?,
            program: ["-c", "pass"],
            target: 0.5,
        },
        Language {
            what: "Cold start, Node.js",
            peer: "`node -e 0`",
            function: "Node",
            path: "/Prod/node",
            interpreter: real("node", "-p", "process.execPath")?,
            program: ["-e", "0"],
            target: 0.25,
        },
    ];
    for language in &languages {
        eprintln!("  {}", language.what);
        let (mut pagoda_ms, mut other_ms) = (Vec::new(), Vec::new());
        for repetition in 0..rounds.count * REPETITIONS_PER_ROUND {
            pagoda_ms.push(cold(&deployed, language, repetition).await?);
            other_ms.push(bare(language)?);
        }
        let Language { what, peer, target, .. } = *language;
        results.starts.push(Start { what, peer, pagoda_ms, other_ms, target });
    }
    Ok(())
}

/// Changes the function's configuration, so that no sandbox fits any more, and times the next request.
async fn cold(deployed: &Deployed, language: &Language, repetition: usize) -> Outcome<f64> {
    let path = format!("/2015-03-31/functions/{}/configuration", deployed.output(language.function)?);
    let change = json!({ "Environment": { "Variables": { "REPETITION": repetition.to_string() } } });
    let headers = [("host", "localhost"), ("content-type", "application/json")];
    let body = Bytes::from(change.to_string());
    let change = deployed.signer.request("lambda", (Method::PUT, &path), &headers, &body)?;
    once(&deployed.plain(), change).await?;
    let mut connection = Connection::open(&deployed.plain()).await?;
    let request = get(&deployed.api_host("Functions")?, language.path)?;
    let sent = Instant::now();
    connection.exchange(request).await?;
    Ok(sent.elapsed().as_secs_f64() * 1000.0)
}

fn bare(language: &Language) -> Outcome<f64> {
    let mut command = Command::new(&language.interpreter);
    command.args(language.program).stdin(Stdio::null());
    let started = Instant::now();
    if !command.status()?.success() {
        return Err(format!("{command:?} failed").into());
    }
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}
