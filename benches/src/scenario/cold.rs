//! The first invocation in a new sandbox, from request to answer, beside starting the bare interpreter.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

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
    function: &'static str,
    path: &'static str,
    interpreter: PathBuf,
    programs: Vec<Bare>,
}

/// What the interpreter is told to do.
struct Bare {
    name: &'static str,
    arguments: &'static [&'static str],
    target: Option<f64>,
}

pub(crate) async fn run(place: &Place, rounds: Rounds, results: &mut Results) -> Outcome {
    let deployed = Deployed::start(place)?;
    // Those that the platform itself runs: the first in PATH may be another version, or a script.
    let doctor: Value =
        serde_json::from_str(&succeed(Command::new(place.binary()).args(["doctor", "--json"]))?)?;
    let interpreter = |runtime: &str| PathBuf::from(doctor["runtimes"][runtime].as_str().unwrap_or(runtime));
    let languages = [
        Language {
            what: "Cold start, Python",
            function: "Python",
            path: "/Prod/python",
            interpreter: interpreter("python3.12"),
            programs: vec![
                Bare { name: "`python3 -c pass`", arguments: &["-c", "pass"], target: Some(0.5) },
                Bare { name: "`python3 -S -c pass`", arguments: &["-S", "-c", "pass"], target: None },
            ],
        },
        Language {
            what: "Cold start, Node.js",
            function: "Node",
            path: "/Prod/node",
            interpreter: interpreter("nodejs20.x"),
            programs: vec![Bare { name: "`node -e 0`", arguments: &["-e", "0"], target: Some(0.25) }],
        },
    ];
    for language in &languages {
        eprintln!("  {}", language.what);
        let mut pagoda_ms = Vec::new();
        let mut bare_ms: Vec<Vec<f64>> = vec![Vec::new(); language.programs.len()];
        for repetition in 0..rounds.count * REPETITIONS_PER_ROUND {
            pagoda_ms.push(cold(&deployed, language, repetition).await?);
            for (program, times) in language.programs.iter().zip(&mut bare_ms) {
                times.push(bare(&language.interpreter, program)?);
            }
        }
        results.starts.extend(language.programs.iter().zip(bare_ms).map(|(program, other_ms)| Start {
            what: language.what,
            peer: program.name,
            pagoda_ms: pagoda_ms.clone(),
            other_ms,
            target: program.target,
        }));
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

/// With an empty environment: a variable such as `NODE_EXTRA_CA_CERTS` multiplies the time.
fn bare(interpreter: &Path, program: &Bare) -> Outcome<f64> {
    let mut command = Command::new(interpreter);
    command.args(program.arguments).env_clear().stdin(Stdio::null());
    let started = Instant::now();
    if !command.status()?.success() {
        return Err(format!("{command:?} failed").into());
    }
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}
