//! Node.js: modules of both kinds, callbacks, errors.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::Archive;
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("node_modules_of_both_kinds", node_modules_of_both_kinds),
        trial("node_handlers_answer_in_each_way", node_handlers_answer_in_each_way),
        trial("node_failures_have_their_document", node_failures_have_their_document),
        trial("node_writes_lines", node_writes_lines),
        trial("node_passes_large_events", node_passes_large_events),
        trial("node_finds_the_sdk", node_finds_the_sdk),
    ]
}

async fn make(scene: &Scene, name: &str, file: &str, source: &str, handler: &str) {
    let archive = Archive::new().file(file, source).done();
    let more = json!({"Runtime": "nodejs20.x", "Handler": handler, "Timeout": 10});
    scene.create(name, archive, more).await.unwrap();
}

async fn node_modules_of_both_kinds() {
    let scene = Scene::new();
    make(&scene, "cjs", "index.js", "exports.handler = async (e) => ({ got: e })", "index.handler").await;
    make(
        &scene,
        "mjs",
        "src/index.mjs",
        "export const handler = async (e) => ({ got: e })",
        "src/index.handler",
    )
    .await;
    make(&scene, "nested", "index.cjs", "exports.a = { b: async () => ({ got: 1 }) }", "index.a.b").await;
    let archive = Archive::new()
        .file("package.json", r#"{"type": "module"}"#)
        .file(
            "index.js",
            "import { readFileSync } from 'node:fs'; export const handler = async () => ({ got: 1 })",
        )
        .done();
    scene
        .create("typed", archive, json!({"Runtime": "nodejs20.x", "Handler": "index.handler"}))
        .await
        .unwrap();
    for name in ["cjs", "mjs", "nested", "typed"] {
        for _ in 0..3 {
            assert_eq!(scene.ask(name, json!(1)).await, json!({"got": 1}), "{name}");
        }
    }
}

const WAYS: &str = "
let n = 0;
exports.callback = (event, context, callback) => callback(null, { way: 'callback' });
exports.later = (event, context, callback) => { callback(null, 'first'); setTimeout(() => { n += 1; }, 20); };
exports.soon = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setTimeout(() => {}, 3600e3); callback(null, 'soon'); };
exports.nothing = () => {};
exports.never = () => new Promise(() => {});
exports.undef = async () => undefined;
exports.succeed = (event, context) => context.succeed(['succeed']);
exports.context = async (event, c) => [c.functionName, c.functionVersion, c.memoryLimitInMB, c.invokedFunctionArn,
  c.logGroupName, c.awsRequestId.length, c.getRemainingTimeInMillis() > 9000, c.callbackWaitsForEmptyEventLoop];
";

async fn node_handlers_answer_in_each_way() {
    let scene = Scene::new();
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:context";
    for (name, expected) in [
        ("callback", json!({"way": "callback"})),
        ("later", json!("first")),
        ("soon", json!("soon")),
        ("nothing", Value::Null),
        ("never", Value::Null),
        ("undef", Value::Null),
        ("succeed", json!(["succeed"])),
        ("context", json!(["context", "$LATEST", "128", arn, "/aws/lambda/context", 36, true, true])),
    ] {
        make(&scene, name, "index.js", WAYS, &format!("index.{name}")).await;
        for _ in 0..2 {
            assert_eq!(scene.ask(name, json!({})).await, expected, "{name}");
        }
    }
}

const FAILURES: &str = "
class Own extends Error { constructor(m) { super(m); this.name = 'Own'; } }
exports.rejected = async () => { throw new Own('wrong'); };
exports.thrown = () => { throw new TypeError('thrown'); };
exports.called = (e, c, callback) => callback(new Own('called'));
exports.text = (e, c, callback) => callback('text');
exports.uncaught = () => { setTimeout(() => { throw new Own('late'); }, 1); };
exports.unhandled = async () => { Promise.reject(new Own('lost')); await new Promise((r) => setTimeout(r, 50)); };
exports.circle = async () => { const a = {}; a.a = a; return a; };
exports.exit = async () => process.exit(3);
";

async fn node_failures_have_their_document() {
    let scene = Scene::new();
    for (name, kind, message) in [
        ("rejected", "Own", "wrong"),
        ("thrown", "TypeError", "thrown"),
        ("called", "Own", "called"),
        ("text", "string", "text"),
        ("uncaught", "Own", "late"),
        ("unhandled", "Runtime.UnhandledPromiseRejection", "Own: lost"),
        ("circle", "Runtime.MarshalError", "Unable to stringify response body"),
        ("exit", "Runtime.ExitError", "exit status 3"),
        ("gone", "Runtime.HandlerNotFound", "index.gone is undefined or not exported"),
    ] {
        make(&scene, name, "index.js", FAILURES, &format!("index.{name}")).await;
        let (document, error) = scene.invoke(name, json!({})).await;
        assert_eq!(error.as_deref(), Some("Unhandled"), "{name}");
        assert_eq!(document["errorType"], kind, "{document}");
        assert!(document["errorMessage"].as_str().unwrap().contains(message), "{document}");
    }
    let (document, _) = scene.invoke("rejected", json!({})).await;
    assert_eq!(document["trace"][0], "Own: wrong");
    assert!(document["trace"][1].as_str().unwrap().contains("/var/task/index.js:3"), "{document}");
    make(&scene, "missing", "index.js", "require('nowhere')", "index.handler").await;
    let (document, _) = scene.invoke("missing", json!({})).await;
    assert_eq!(document["errorType"], "Runtime.ImportModuleError");
    make(&scene, "broken", "index.js", "exports.handler = (", "index.handler").await;
    let (document, _) = scene.invoke("broken", json!({})).await;
    assert_eq!(document["errorType"], "Runtime.UserCodeSyntaxError");
}

async fn node_writes_lines() {
    let scene = Scene::new();
    let source =
        "exports.handler = async (e, c) => { console.log('two\\nlines', { a: 1 }); return c.awsRequestId }";
    make(&scene, "f", "index.js", source, "index.handler").await;
    let id = scene.ask("f", json!({})).await;
    let lines = scene.lines.of("/aws/lambda/f", "two").await;
    let line = lines.iter().find(|line| line.contains("two")).unwrap();
    let fields: Vec<&str> = line.split('\t').collect();
    assert_eq!(fields[1..], [id.as_str().unwrap(), "INFO", "two\rlines { a: 1 }"]);
}

async fn node_passes_large_events() {
    let scene = Scene::new();
    let archive = Archive::new().file("index.js", "exports.handler = async (e) => e").done();
    let more = json!({"Runtime": "nodejs20.x", "Handler": "index.handler", "Timeout": 20, "MemorySize": 512});
    scene.create("f", archive, more).await.unwrap();
    let event = json!("ü".repeat(2_900_000));
    assert!(scene.ask("f", event.clone()).await == event);
}

async fn node_finds_the_sdk() {
    let sdk = tempfile::tempdir().unwrap();
    crate::guests::open(sdk.path());
    let package = sdk.path().join("@aws-sdk/client-x");
    std::fs::create_dir_all(&package).unwrap();
    std::fs::write(package.join("index.js"), "exports.name = 'sdk'").unwrap();
    let path = sdk.path().to_owned();
    let scene = Scene::with(|config| config.sdk.nodejs = Some(path));
    let common = "const { name } = require('@aws-sdk/client-x'); exports.handler = async () => name";
    make(&scene, "cjs", "index.js", common, "index.handler").await;
    let module = "import { name } from '@aws-sdk/client-x'; export const handler = async () => name";
    make(&scene, "mjs", "index.mjs", module, "index.handler").await;
    for name in ["cjs", "mjs"] {
        assert_eq!(scene.ask(name, json!({})).await, "sdk", "{name}");
    }
}
