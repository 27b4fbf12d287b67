//! Java: handlers of every form, what events become, failures, restored instances, SnapStart.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::Archive;
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("java_client_is_of_its_sources", java_client_is_of_its_sources),
        trial("java_handlers_have_each_form", java_handlers_have_each_form),
        trial("java_types_go_in_and_out", java_types_go_in_and_out),
        trial("java_numbers_are_what_they_were", java_numbers_are_what_they_were),
        trial("java_failures_have_their_document", java_failures_have_their_document),
        trial("java_init_fails_with_its_document", java_init_fails_with_its_document),
        trial("java_survives_its_failures", java_survives_its_failures),
        trial("java_sees_lambdas_surroundings", java_sees_lambdas_surroundings),
        trial("java_writes_lines", java_writes_lines),
        trial("java_writes_levels", java_writes_levels),
        trial("java_writes_json", java_writes_json),
        trial("java_passes_large_events", java_passes_large_events),
        trial("java_loads_jars", java_loads_jars),
        trial("java_options_need_an_execution", java_options_need_an_execution),
        trial("java_is_restored", java_is_restored),
        trial("java_of_other_versions_is_restored", java_of_other_versions_is_restored),
        trial("java_init_code_runs_once", java_init_code_runs_once),
        trial("java8_needs_its_interpreter", java8_needs_its_interpreter),
    ]
}

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/java/example");
const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/runtimes/java");

fn files(under: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    all
}

/// The classes of `tests/it/java`, by their names in a package.
fn classes() -> &'static [(String, Vec<u8>)] {
    static CLASSES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    CLASSES.get_or_init(|| {
        let out = tempfile::tempdir().unwrap();
        let mut javac = Command::new("javac");
        javac.args(["--release", "17", "-proc:none", "-cp"]).arg(format!("{CLIENT}/pagoda-runtime.jar"));
        javac.arg("-d").arg(out.path()).args(files(Path::new(SOURCES)));
        let done =
            javac.output().expect("these tests need javac 17 or later (apt-get install openjdk-17-jdk)");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let name = |path: &Path| path.strip_prefix(out.path()).unwrap().to_str().unwrap().to_owned();
        files(out.path()).into_iter().map(|path| (name(&path), fs::read(&path).unwrap())).collect()
    })
}

fn package() -> Archive {
    classes().iter().fold(Archive::new(), |archive, (name, content)| archive.bytes(name, content))
}

fn code() -> Bytes {
    package().file("words.txt", "words").done()
}

async fn make(scene: &Scene, name: &str, handler: &str, more: Value) {
    let mut all = json!({"Runtime": "java17", "Handler": format!("example.{handler}"), "MemorySize": 256, "Timeout": 20});
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    scene.create(name, code(), all).await.unwrap();
}

async fn java_client_is_of_its_sources() {
    let mut sources = Vec::new();
    for path in files(&Path::new(CLIENT).join("src")) {
        sources.extend(fs::read(path).unwrap());
    }
    let jar = fs::File::open(format!("{CLIENT}/pagoda-runtime.jar")).unwrap();
    let mut jar = zip::ZipArchive::new(jar).unwrap();
    let told = std::io::read_to_string(jar.by_name("META-INF/sources.sha256").unwrap()).unwrap();
    let expected = hex::encode(digest(&SHA256, &sources));
    assert_eq!(told.trim(), expected, "run services/lambda/runtimes/java/build.sh");
}

async fn java_handlers_have_each_form() {
    let scene = Scene::new();
    for (handler, event, expected) in [
        ("Forms::text", json!("a"), json!("a!")),
        ("Forms::number", json!(1), json!(2)),
        ("Forms::fixed", json!(true), json!(false)),
        ("Forms::list", json!([1]), json!([1, 7])),
        ("Forms::map", json!({"a": 1}), json!({"a": 2})),
        ("Forms::any", json!({}), json!("LinkedHashMap")),
        ("Forms::any", json!(null), json!("none")),
        ("Forms::nothing", json!({}), json!(1)),
        ("Forms::context", json!({}), json!("Forms-context")),
        ("Forms::gives", json!("x"), Value::Null),
        ("Forms::stream", json!({"a": 1}), json!([{"a": 1}])),
        ("Forms::plain", json!("a"), json!("a")),
        ("Forms::over", json!("a"), json!("context")),
        ("Requests", json!({"id": "a", "count": 1, "other": []}), json!({"id": "a", "count": 2})),
        ("Requests::handleRequest", json!({"id": null}), json!({"id": null, "count": 1})),
        ("Streams", json!([1, "ü"]), json!([1, "ü"])),
    ] {
        let name = handler.replace("::", "-");
        if scene.call("GetFunction", json!({"FunctionName": name})).await.is_err() {
            make(&scene, &name, handler, json!({})).await;
        }
        assert_eq!(scene.ask(&name, event).await, expected, "{handler}");
    }
    assert_eq!(scene.ask("Forms-nothing", json!({})).await, 2, "one object serves all events");
}

async fn java_types_go_in_and_out() {
    let scene = Scene::new();
    let arn = "arn:aws:sqs:us-east-1:1:q";
    let values = json!({
        "b": -128, "s": 300, "l": 9_007_199_254_740_993_i64, "f": 1.5, "c": "ü", "t": true,
        "big": 12345678901234567890.5_f64, "huge": 1e30, "colour": "GREEN", "bytes": "AP8=",
        "grid": [[1, 2], []], "words": ["a", null], "set": ["RED"], "map": {"RED": {"1": "one"}},
        "instant": "2026-11-22T16:00:00.500Z", "date": "2026-11-22", "duration": "PT1H",
        "uuid": "00000000-0000-0000-0000-000000000001", "uri": "https://a/b", "any": [1, {"a": null}],
    });
    let mut values_out = values.clone();
    values_out["huge"] = json!(1e30);
    for (name, event, expected) in [
        ("point", json!({"x": 1, "y": 2}), json!({"x": 1, "y": 2.0, "name": null})),
        ("point", json!({"X": 1, "name": "n"}), json!({"x": 1, "y": 0.0, "name": "n"})),
        ("point", json!({"x": "5", "y": 1e3, "z": [{}]}), json!({"x": 5, "y": 1000.0, "name": null})),
        (
            "box",
            json!({"inside": {"x": 1}, "more": [{"x": 3}]}),
            json!({"inside": {"x": 2, "y": 0.0, "name": null}, "more": [{"x": 3, "y": 0.0, "name": null}]}),
        ),
        (
            "batch",
            json!({"Records": [{"eventSourceARN": arn, "at": 1.5}], "awsurl": "u", "done": true, "open": "o", "derived": 1}),
            json!({"records": [{"eventSourceArn": arn, "at": 1500}], "awsurl": "u", "done": true, "open": "o", "derived": "d"}),
        ),
        ("values", values, values_out),
        (
            "natural",
            json!({"a": [1, -2.5, "\u{1f600}\"\\\n\u{1}", true, null, {}]}),
            json!({"a": [1, -2.5, "\u{1f600}\"\\\n\u{1}", true, null, {}]}),
        ),
        (
            "kinds",
            json!({"a": 1, "b": 2_147_483_648_i64, "c": 1.0, "d": "", "e": [], "f": {}, "g": true}),
            json!("Integer Long Double String ArrayList LinkedHashMap Boolean "),
        ),
    ] {
        if scene.call("GetFunction", json!({"FunctionName": name})).await.is_err() {
            make(&scene, name, &format!("Types::{name}"), json!({})).await;
        }
        assert_eq!(scene.ask(name, event.clone()).await, expected, "{name} {event}");
    }
}

/// Texts that other readers of JSON would change.
async fn java_numbers_are_what_they_were() {
    let scene = Scene::new();
    make(&scene, "f", "Types::values", json!({})).await;
    let event = r#" { "big" : 0.10000000000000000000000000000000000001 , "huge":123456789012345678901234567890, "any":"\u00fc\ud83d\ude00" } "#;
    let answer = scene.invoke_raw("f", event).await.unwrap();
    let answer = String::from_utf8(crate::scene::unbase64(answer["Payload"].as_str().unwrap())).unwrap();
    for part in [
        r#""big":0.10000000000000000000000000000000000001,"#,
        r#""huge":123456789012345678901234567890,"#,
        r#""any":"ü😀""#,
    ] {
        assert!(answer.contains(part), "{answer}");
    }
}

async fn java_failures_have_their_document() {
    let scene = Scene::new();
    for (name, event, kind, message) in [
        ("thrown", json!(""), "example.Failures$Own", "wrong"),
        ("exit", json!({}), "Runtime.ExitError", "exit status 3"),
        ("memory", json!(400), "java.lang.OutOfMemoryError", "Java heap space"),
        ("deep", json!(1_000_000), "java.lang.StackOverflowError", ""),
        ("number", json!("x"), "java.lang.RuntimeException", "An error occurred during JSON parsing"),
        (
            "circle",
            json!({}),
            "java.lang.RuntimeException",
            "An error occurred during JSON serialization of response",
        ),
        ("gone", json!({}), "java.lang.NoSuchMethodException", "No public method named gone"),
    ] {
        make(&scene, name, &format!("Failures::{name}"), json!({})).await;
        let (document, error) = scene.invoke(name, event).await;
        assert_eq!(error.as_deref(), Some("Unhandled"), "{name}");
        assert_eq!(document["errorType"], kind, "{document}");
        let told = document["errorMessage"].as_str().unwrap_or_default();
        assert!(told.contains(message), "{document}");
    }
    let (document, _) = scene.invoke("thrown", json!("")).await;
    assert_eq!(document["stackTrace"], json!(["example.Failures.thrown(Failures.java:36)"]));
    assert_eq!(document["cause"]["errorType"], "java.lang.ArithmeticException");
    assert_eq!(document["cause"]["errorMessage"], "/ by zero");
    assert_eq!(document["cause"]["stackTrace"][0], "example.Failures.inner(Failures.java:41)");
    let lines = scene.lines.of("/aws/lambda/thrown", "wrong: example.Failures$Own\r").await.join("\n");
    assert!(lines.contains("Caused by: java.lang.ArithmeticException: / by zero"), "{lines}");
    make(&scene, "silent", "Failures::silent", json!({})).await;
    let (document, _) = scene.invoke("silent", json!({})).await;
    assert_eq!(document.get("errorMessage"), None, "{document}");
}

async fn java_init_fails_with_its_document() {
    let scene = Scene::new();
    for (number, (handler, kind, message)) in [
        ("Missing", "java.lang.ClassNotFoundException", "Class not found: example.Missing"),
        ("Missing::handle", "java.lang.ClassNotFoundException", "Class not found: example.Missing"),
        (
            "Forms",
            "java.lang.Exception",
            "Class example.Forms does not implement an appropriate handler interface",
        ),
        ("Failures$Initial::handle", "java.lang.ExceptionInInitializerError", ""),
        ("Failures$Constructed::handle", "example.Failures$Own", "not made"),
        (
            "Types$Item::getAt",
            "java.lang.Exception",
            "Class example.Types$Item has no public zero-argument constructor",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("f{number}");
        make(&scene, &name, handler, json!({})).await;
        let (document, error) = scene.invoke(&name, json!({})).await;
        assert_eq!(
            (error.as_deref(), &document["errorType"]),
            (Some("Unhandled"), &json!(kind)),
            "{document}"
        );
        assert_eq!(document["errorMessage"].as_str().unwrap_or_default(), message, "{document}");
    }
    let (document, _) = scene.invoke("f3", json!({})).await;
    assert_eq!(document["cause"]["errorMessage"], "no init");
}

async fn java_survives_its_failures() {
    let scene = Scene::new();
    make(&scene, "sleep", "Failures::sleep", json!({"Timeout": 2})).await;
    let (document, _) = scene.invoke("sleep", json!(10_000)).await;
    assert_eq!(document["errorType"], "Sandbox.Timedout");
    assert_eq!(scene.ask("sleep", json!(1)).await, Value::Null);
    make(&scene, "memory", "Failures::memory", json!({})).await;
    assert_eq!(scene.ask("memory", json!(100)).await, 100);
    scene.invoke("memory", json!(400)).await;
    assert_eq!(scene.ask("memory", json!(1)).await, 1);
    make(&scene, "interrupted", "Failures::interrupted", json!({})).await;
    for _ in 0..3 {
        assert_eq!(scene.ask("interrupted", json!({})).await, "fine");
    }
}

async fn java_sees_lambdas_surroundings() {
    let scene = Scene::new();
    let variables = json!({"Environment": {"Variables": {"WORD": "ü", "TZ": "Asia/Tokyo"}}});
    make(&scene, "f", "Inside::look", variables).await;
    look(&scene.ask("f", json!({})).await, "f", false);
    make(&scene, "threads", "Inside::threads", json!({})).await;
    assert_eq!(scene.ask("threads", json!(100)).await, 200);
    make(&scene, "platform", "Inside::platform", json!({})).await;
    assert_eq!(scene.ask("platform", json!({})).await, "pagoda");
}

fn look(seen: &Value, name: &str, restored: bool) {
    for (member, expected) in [
        ("name", json!(name)),
        ("version", json!("$LATEST")),
        ("memory", json!(256)),
        ("arn", json!(format!("arn:aws:lambda:us-east-1:123456789012:function:{name}"))),
        ("group", json!(format!("/aws/lambda/{name}"))),
        ("id", json!(36)),
        ("remaining", json!(true)),
        ("word", json!("ü")),
        ("all", json!("ü")),
        ("child", json!("ü")),
        ("trace", json!(true)),
        ("zone", json!("Asia/Tokyo")),
        ("charset", json!("UTF-8")),
        ("template", json!(restored)),
        ("directory", json!("/var/task")),
        ("resource", json!("words")),
        ("same", json!(true)),
    ] {
        assert_eq!(seen[member], expected, "{member}: {seen}");
    }
    let heap = seen["heap"].as_u64().unwrap();
    assert!((180..=200).contains(&heap), "{seen}");
}

async fn java_writes_lines() {
    let scene = Scene::new();
    make(&scene, "f", "Inside::logs", json!({})).await;
    scene.ask("f", json!({})).await;
    let lines = scene.lines.of("/aws/lambda/f", "anywhere").await;
    for line in ["printed ü", "warned", "two\rlines", "anywhere"] {
        assert!(lines.iter().any(|one| one == line), "{line}: {lines:?}");
    }
}

async fn java_writes_levels() {
    let scene = Scene::new();
    make(&scene, "f", "Inside::levels", json!({})).await;
    scene.invoke("f", json!({})).await;
    let lines = scene.lines.of("/aws/lambda/f", "REPORT").await;
    for line in ["[DEBUG] below", "[WARN] two\rlines", "plain", "as it is"] {
        assert!(lines.iter().any(|one| one == line), "{line}: {lines:?}");
    }
}

async fn java_writes_json() {
    for templates in [false, true] {
        let scene = Scene::with(|config| config.templates = templates);
        make(&scene, "first", "Forms::any", json!({})).await;
        scene.lambda.starts().await;
        let more = json!({"LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "INFO"}});
        make(&scene, "f", "Inside::levels", more).await;
        let (document, _) = scene.invoke("f", json!({})).await;
        assert_eq!(document["errorType"], "java.lang.IllegalStateException");
        let lines = scene.lines.of("/aws/lambda/f", "platform.report").await;
        assert!(lines.iter().any(|line| line == "as it is"), "{lines:?}");
        let records = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let own: Vec<Value> = records.filter(|record| record["level"].is_string()).collect();
        let told: Vec<_> = own.iter().map(|one| (&one["level"], &one["message"])).collect();
        assert_eq!(told[..2], [(&json!("WARN"), &json!("two\nlines")), (&json!("INFO"), &json!("plain"))]);
        assert_eq!((told.len(), told[2].0), (3, &json!("ERROR")), "{told:?}");
        let trace = told[2].1.as_str().unwrap();
        assert!(trace.starts_with("end: java.lang.IllegalStateException\n"), "{trace}");
        assert!(trace.contains("at example.Inside.levels(Inside.java:"), "{trace}");
        for record in &own {
            assert_eq!(record["AWSRequestId"].as_str().unwrap().len(), 36, "{record}");
            let time = record["timestamp"].as_str().unwrap();
            assert_eq!((time.len(), time.ends_with('Z')), (24, true), "{record}");
        }
    }
}

async fn java_passes_large_events() {
    let scene = Scene::new();
    make(&scene, "f", "Inside::echo", json!({"MemorySize": 512})).await;
    let event = json!("ü".repeat(2_900_000));
    assert!(scene.ask("f", event.clone()).await == event);
}

async fn java_loads_jars() {
    let scene = Scene::new();
    // The function's own copy of AWS's interfaces is the client's own jar here.
    let client = fs::read(format!("{CLIENT}/pagoda-runtime.jar")).unwrap();
    let jar = package().file("words.txt", "of the jar").done();
    let archive = Archive::new().bytes("lib/function.jar", &jar).bytes("lib/core.jar", &client);
    let more = json!({"Runtime": "java17", "Handler": "example.Requests", "MemorySize": 256, "Timeout": 20});
    scene.create("f", archive.done(), more).await.unwrap();
    assert_eq!(scene.ask("f", json!({"count": 4})).await, json!({"id": null, "count": 5}));
}

async fn java_options_need_an_execution() {
    let scene = restoring("java17").await;
    let options =
        json!({"Environment": {"Variables": {"JAVA_TOOL_OPTIONS": "-XX:+UseParallelGC -Xmx60m -DX=1"}}});
    make(&scene, "f", "Inside::look", options).await;
    let seen = scene.ask("f", json!({})).await;
    assert_eq!((&seen["template"], seen["heap"].as_u64() < Some(61)), (&json!(false), true), "{seen}");
}

/// A scene whose images are ready.
async fn restoring(runtime: &str) -> Scene {
    let scene = Scene::with(|config| config.templates = true);
    make(&scene, "first", "Forms::any", json!({"Runtime": runtime})).await;
    let starts = scene.lambda.starts().await;
    let used: Vec<_> = starts.iter().filter(|(_, start)| start != "not used yet").collect();
    assert!(used.iter().all(|(_, start)| start == "restored from an image"), "{starts:?}");
    scene
}

async fn java_is_restored() {
    let scene = restoring("java17").await;
    let mut seen = Vec::new();
    for name in ["f", "g"] {
        let variables = json!({"Environment": {"Variables": {"WORD": "ü", "TZ": "Asia/Tokyo"}}});
        make(&scene, name, "Inside::look", variables).await;
        let answer = scene.ask(name, json!({})).await;
        look(&answer, name, true);
        assert_eq!(scene.ask(name, json!({})).await["pid"], answer["pid"], "the same instance");
        seen.push(answer);
    }
    for member in ["random", "math", "uuid"] {
        assert_ne!(seen[0][member], seen[1][member], "{member}");
    }
    make(&scene, "threads", "Inside::threads", json!({})).await;
    assert_eq!(scene.ask("threads", json!(100)).await, 200);
    make(&scene, "platform", "Inside::platform", json!({})).await;
    assert_eq!(scene.ask("platform", json!({})).await, "pagoda");
    make(&scene, "memory", "Failures::memory", json!({})).await;
    let (document, _) = scene.invoke("memory", json!(400)).await;
    assert_eq!(document["errorType"], "java.lang.OutOfMemoryError", "{document}");
    assert_eq!(scene.ask("memory", json!(100)).await, 100);
    make(&scene, "large", "Inside::look", json!({"MemorySize": 1024})).await;
    scene.lambda.starts().await;
    let seen = scene.ask("large", json!({})).await;
    assert_eq!((&seen["template"], seen["heap"].as_u64() > Some(800)), (&json!(true), true), "{seen}");
}

/// Where there is more than one Java, the others work as well.
async fn java_of_other_versions_is_restored() {
    let scene = Scene::with(|config| config.templates = true);
    let installed: Vec<u32> = scene
        .lambda
        .interpreters()
        .all()
        .filter_map(|one| one.to_string().strip_prefix("java")?.parse().ok())
        .collect();
    for major in installed.into_iter().filter(|major| [11, 17, 21, 25].contains(major)) {
        let name = format!("f{major}");
        let more = json!({"Runtime": format!("java{major}"), "Environment": {"Variables": {"WORD": "ü", "TZ": "Asia/Tokyo"}}});
        make(&scene, &name, "Inside::look", more).await;
        scene.lambda.starts().await;
        let seen = scene.ask(&name, json!({})).await;
        assert_eq!(seen["java"], major, "{seen}");
        look(&seen, &name, major >= 17);
    }
}

async fn java_init_code_runs_once() {
    for templates in [false, true] {
        let scene = Scene::with(|config| config.templates = templates);
        make(&scene, "other", "Forms::any", json!({})).await;
        scene.lambda.starts().await;
        let snap_start = json!({"SnapStart": {"ApplyOn": "PublishedVersions"}, "Publish": true});
        make(&scene, "f", "Snap", snap_start).await;
        scene.lambda.snapshots_settled().await;
        let version = json!({"FunctionName": "f", "Qualifier": "1"});
        let described = scene.call("GetFunctionConfiguration", version).await.unwrap();
        assert_eq!(described["State"], "Active", "{described}");
        let (a, b) = tokio::join!(scene.ask("f:1", json!({})), scene.ask("f:1", json!({})));
        for answer in [&a, &b] {
            assert_eq!(answer["order"], json!(["before 2", "before 1", "after 1", "after 2"]));
            assert_eq!((&answer["goes"], &answer["own"]), (&json!(true), &json!(true)), "{answer}");
            assert_eq!(answer["kind"], "snap-start");
        }
        assert_eq!(a["token"], b["token"]);
        assert_ne!(a["drawn"], b["drawn"]);
    }
}

async fn java8_needs_its_interpreter() {
    let scene = Scene::new();
    let more = json!({"Runtime": "java8.al2", "Handler": "example.Forms::any"});
    let refused = scene.create("f", code(), more).await.unwrap_err();
    assert_eq!(refused.code, "InvalidParameterValueException");
    assert!(refused.message.contains("java8.al2 is not installed"), "{refused}");
}
