//! Functions that load an AWS SDK: with SnapStart, plainly, and beside the bare interpreter that loads it.

use serde_json::json;

use super::application::{Application, bare};
use crate::Outcome;
use crate::contest::Rounds;
use crate::results::{Results, Start};

const REPETITIONS_PER_ROUND: usize = 3;

struct Sdk {
    snap_start: &'static str,
    plain: &'static str,
    function: &'static str,
    folder: &'static str,
    runtime: &'static str,
    program: (&'static str, &'static [&'static str]),
}

const SDKS: [Sdk; 2] = [
    Sdk {
        snap_start: "SnapStart, Python with boto3",
        plain: "Without SnapStart, Python with boto3",
        function: "PythonSdk",
        folder: "python-sdk",
        runtime: "python3.12",
        program: ("`python3 -c 'import app'`", &["-c", "import app"]),
    },
    Sdk {
        snap_start: "SnapStart, Node.js with the AWS SDK",
        plain: "Without SnapStart, Node.js with the AWS SDK",
        function: "NodeSdk",
        folder: "node-sdk",
        runtime: "nodejs20.x",
        program: ("`node app.mjs`", &["app.mjs"]),
    },
];

pub(crate) async fn run(application: &Application, rounds: Rounds, results: &mut Results) -> Outcome {
    for sdk in &SDKS {
        eprintln!("  {}", sdk.snap_start);
        let (name, arguments) = sdk.program;
        let (interpreter, folder) = (application.interpreter(sdk.runtime), application.code(sdk.folder));
        let (mut restored_ms, mut plain_ms, mut bare_ms) = (Vec::new(), Vec::new(), Vec::new());
        for repetition in 0..rounds.count * REPETITIONS_PER_ROUND {
            // A version of its own each time: what served the last one has been started already.
            application.set_variables(sdk.function, json!({ "REPETITION": repetition.to_string() })).await?;
            let version = application.publish(sdk.function).await?;
            let signer = &application.deployed.signer;
            restored_ms.push(application.time(application.invoke(signer, sdk.function, &version)?).await?);
            plain_ms.push(application.time(application.invoke(signer, sdk.function, "$LATEST")?).await?);
            bare_ms.push(bare(&interpreter, arguments, &folder)?);
        }
        let start = |what, pagoda_ms, target| Start {
            what,
            peer: name,
            pagoda_ms,
            other_ms: bare_ms.clone(),
            target,
        };
        results.starts.push(start(sdk.snap_start, restored_ms, Some(0.1)));
        results.starts.push(start(sdk.plain, plain_ms, None));
    }
    Ok(())
}
