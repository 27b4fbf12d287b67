//! The first invocation in a new sandbox, from request to answer, beside starting the bare interpreter.

use serde_json::json;

use super::application::{Application, bare};
use crate::Outcome;
use crate::contest::Rounds;
use crate::results::{Results, Start};

const REPETITIONS_PER_ROUND: usize = 20;

/// A language, and its interpreter doing nothing.
struct Language {
    what: &'static str,
    function: &'static str,
    path: &'static str,
    runtime: &'static str,
    programs: &'static [Bare],
}

/// What the interpreter is told to do.
struct Bare {
    name: &'static str,
    arguments: &'static [&'static str],
    target: Option<f64>,
}

const LANGUAGES: [Language; 3] = [
    Language {
        what: "Cold start, Python",
        function: "Python",
        path: "/Prod/python",
        runtime: "python3.12",
        programs: &[
            Bare { name: "`python3 -c pass`", arguments: &["-c", "pass"], target: Some(0.5) },
            Bare { name: "`python3 -S -c pass`", arguments: &["-S", "-c", "pass"], target: None },
        ],
    },
    Language {
        what: "Cold start, Node.js",
        function: "Node",
        path: "/Prod/node",
        runtime: "nodejs20.x",
        programs: &[Bare { name: "`node -e 0`", arguments: &["-e", "0"], target: Some(0.25) }],
    },
    Language {
        what: "Cold start, Java",
        function: "Java",
        path: "/Prod/java",
        runtime: "java17",
        programs: &[
            Bare { name: "`java Hello`", arguments: &["-cp", ".", "Hello"], target: Some(0.25) },
            Bare {
                name: "`java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC Hello`",
                arguments: &["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", ".", "Hello"],
                target: None,
            },
        ],
    },
];

pub(crate) async fn run(application: &Application, rounds: Rounds, results: &mut Results) -> Outcome {
    for language in &LANGUAGES {
        eprintln!("  {}", language.what);
        let (interpreter, folder) = (application.interpreter(language.runtime), application.code("java"));
        let mut pagoda_ms = Vec::new();
        let mut bare_ms: Vec<Vec<f64>> = vec![Vec::new(); language.programs.len()];
        for repetition in 0..rounds.count * REPETITIONS_PER_ROUND {
            application
                .set_variables(language.function, json!({ "REPETITION": repetition.to_string() }))
                .await?;
            pagoda_ms.push(application.time(application.method(language.path)?).await?);
            for (program, times) in language.programs.iter().zip(&mut bare_ms) {
                times.push(bare(&interpreter, program.arguments, &folder)?);
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
