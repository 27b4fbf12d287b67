//! A step from no load to 200 concurrent invocations, each in an instance of its own, beside as many bare
//! interpreters started at once; and the memory that the instances take when they are idle again.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use futures_util::future::try_join_all;
use serde_json::json;

use super::application::Application;
use crate::Outcome;
use crate::connection::Connection;
use crate::contest::Rounds;
use crate::results::{Measure, Results, Start};

const CONCURRENT: usize = 200;
/// Long enough that no instance is done before the last has begun.
const HOLD_SECONDS: u32 = 2;

struct Language {
    what: &'static str,
    memory: &'static str,
    memory_mib_max: f64,
    function: &'static str,
    path: &'static str,
    runtime: &'static str,
    program: (&'static str, [&'static str; 2]),
}

const LANGUAGES: [Language; 2] = [
    Language {
        what: "0 to 200 at once, Python, each holds 2 s",
        memory: "Memory of an idle instance (PSS), Python",
        memory_mib_max: 2.0,
        function: "Python",
        path: "/Prod/python",
        runtime: "python3.12",
        program: ("200 `python3 -c 'sleep(2)'`", ["-c", "import time; time.sleep(2)"]),
    },
    Language {
        what: "0 to 200 at once, Node.js, each holds 2 s",
        memory: "Memory of an idle instance (PSS), Node.js",
        memory_mib_max: 2.0,
        function: "Node",
        path: "/Prod/node",
        runtime: "nodejs20.x",
        program: ("200 `node -e 'setTimeout(…, 2000)'`", ["-e", "setTimeout(() => {}, 2000)"]),
    },
];

pub(crate) async fn run(application: &Application, rounds: Rounds, results: &mut Results) -> Outcome {
    let server = &application.deployed.pagoda.server;
    for language in &LANGUAGES {
        eprintln!("  {}", language.what);
        let (name, arguments) = language.program;
        let interpreter = application.interpreter(language.runtime);
        let (mut pagoda_ms, mut other_ms, mut memory_mib) = (Vec::new(), Vec::new(), 0.0);
        for round in 0..rounds.count {
            let variables = json!({ "ROUND": round.to_string(), "HOLD_SECONDS": HOLD_SECONDS.to_string() });
            application.set_variables(language.function, variables).await?;
            let (_, before) = server.memory_mib();
            pagoda_ms.push(step(application, language.path).await?);
            memory_mib = (server.memory_mib().1 - before) / CONCURRENT as f64;
            other_ms.push(bare(Command::new(&interpreter).args(arguments))?);
        }
        application.set_variables(language.function, json!({})).await?;
        results.starts.push(Start { what: language.what, peer: name, pagoda_ms, other_ms, target: None });
        let target = Some(language.memory_mib_max);
        results.measures.push(Measure { what: language.memory, value: memory_mib, unit: "MiB", target });
    }
    Ok(())
}

/// All at once: from the first request to the last answer, in milliseconds. An error ends the benchmark.
async fn step(application: &Application, path: &str) -> Outcome<f64> {
    let target = application.deployed.plain();
    let open = try_join_all((0..CONCURRENT).map(|_| Connection::open(&target))).await?;
    let request = application.method(path)?;
    let sent = Instant::now();
    try_join_all(open.into_iter().map(|mut connection| {
        let request = request.clone();
        async move { connection.exchange(request).await }
    }))
    .await?;
    Ok(sent.elapsed().as_secs_f64() * 1000.0)
}

fn bare(command: &mut Command) -> Outcome<f64> {
    command.env_clear().stdin(Stdio::null());
    let started = Instant::now();
    let children: Vec<Child> = (0..CONCURRENT).map(|_| command.spawn()).collect::<Result<_, _>>()?;
    for mut child in children {
        child.wait()?;
    }
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}
