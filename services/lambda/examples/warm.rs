//! How long a warm function takes that is invoked within the process, without HTTP, signature and gateway: a line of
//! JSON for each language, in microseconds. `cargo xtask bench lambda` runs it.

// It has the tests' world, and uses little of it.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/it/archive.rs"]
mod archive;
#[path = "../tests/it/scene.rs"]
mod scene;
#[path = "../tests/it/stubs.rs"]
mod stubs;

use std::time::Instant;

use bytes::Bytes;
use pagoda_lambda::Interpreters;
use pagoda_sandbox::Spawner;
use pagoda_service::ports::{Invocation, InvokeFunction as _};
use serde_json::json;

use archive::Archive;
use scene::Scene;

const WARMING: usize = 500;
const COUNT: usize = 5_000;
const FUNCTIONS: [(&str, &str, &str, &str); 2] = [
    ("Python", "python3.11", "app.py", "def handler(event, context):\n    return event\n"),
    ("Node.js", "nodejs20.x", "app.js", "exports.handler = async (event) => event;\n"),
];

fn main() {
    let interpreters = Interpreters::probe(&Default::default()).unwrap();
    let spawner = Spawner::start(interpreters.sandbox()).unwrap();
    scene::share(spawner, interpreters);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for function in FUNCTIONS {
        // On a thread of the runtime, as in the platform.
        let measured = runtime.block_on(runtime.spawn(measure(function))).unwrap();
        println!("{measured}");
    }
    scene::end();
}

async fn measure((language, runtime, file, source): (&str, &str, &str, &str)) -> serde_json::Value {
    let scene = Scene::new();
    let code = Archive::new().file(file, source).done();
    let created = scene.create("f", code, json!({ "Runtime": runtime })).await.unwrap();
    let function_arn = created["FunctionArn"].as_str().unwrap().to_owned();
    let mut micros = Vec::with_capacity(COUNT);
    for index in 0..WARMING + COUNT {
        let invocation = Invocation {
            function_arn: function_arn.clone(),
            payload: Bytes::from_static(b"{\"hello\":\"world\"}"),
            source_arn: None,
        };
        let cx = scene.cx();
        let began = Instant::now();
        let invoked = scene.lambda.invoke(&cx, invocation).await.unwrap();
        assert!(invoked.function_error.is_none() && invoked.payload.len() > 10);
        if index >= WARMING {
            micros.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    micros.sort_by(f64::total_cmp);
    json!({ "language": language, "median": micros[COUNT / 2], "p99": micros[COUNT * 99 / 100] })
}
