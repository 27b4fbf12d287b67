//! What is in a function's log, and in which order.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::python;
use crate::scene::{Scene, trial, unbase64};
use crate::stubs::MUTE_ROLE;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("active_tracing_samples_invocations", active_tracing_samples_invocations),
        trial("lines_stand_in_their_order", lines_stand_in_their_order),
        trial("the_tail_is_of_this_invocation", the_tail_is_of_this_invocation),
        trial("logging_is_formatted", logging_is_formatted),
        trial("a_role_without_permission_writes_nothing", a_role_without_permission_writes_nothing),
        trial("closing_writes_what_waits", closing_writes_what_waits),
        trial("closing_ends_what_runs", closing_ends_what_runs),
        trial("long_and_broken_lines_are_kept", long_and_broken_lines_are_kept),
        trial("python_logs_in_json", python_logs_in_json),
        trial("nodejs_logs_in_json", nodejs_logs_in_json),
        trial("the_platform_logs_in_json", the_platform_logs_in_json),
        trial("levels_need_json", levels_need_json),
    ]
}

async fn lines_stand_in_their_order() {
    let scene = Scene::new();
    let source = "import sys\nprint('at init')\ndef handler(e, c):\n    \
                  for n in range(3): print('out', e, n)\n    print('err', e, file=sys.stderr)\n    return e\n";
    scene.create("f", python(source), json!({"LoggingConfig": {"LogGroup": "mine"}})).await.unwrap();
    for number in 0..2 {
        scene.ask("f", json!(number)).await;
    }
    scene.lambda.close().await;
    let lines = scene.lines.of("mine", "REPORT").await;
    let heads: Vec<String> =
        lines.iter().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    let once = ["START", "out", "out", "out", "err", "END", "REPORT"];
    assert_eq!(heads, [&["INIT_START", "at"][..], &once, &once].concat(), "{lines:#?}");
    assert!(lines[0].starts_with("INIT_START Runtime Version: python3.11"));
    assert!(lines[8].contains("Init Duration: ") && !lines[15].contains("Init Duration"), "{lines:#?}");
    assert!(lines[8].contains("\tMemory Size: 128 MB\tMax Memory Used: "));
    let written = scene.lines.0.borrow();
    let stream = &written[0].1;
    assert_eq!(&stream[10..20], "/[$LATEST]");
    assert!(stream.len() == 52 && written.iter().all(|line| line.1 == *stream));
}

async fn the_tail_is_of_this_invocation() {
    let scene = Scene::new();
    let source = "def handler(e, c):\n    print(e)\n    print('x' * 5000 if e == 'long' else '')\n";
    scene.create("f", python(source), json!({})).await.unwrap();
    let tail = async |event: &str| {
        let invoked = scene.invoke_raw("f", &json!(event).to_string()).await.unwrap();
        String::from_utf8(unbase64(invoked["LogResult"].as_str().unwrap())).unwrap()
    };
    tail("first").await;
    let second = tail("second").await;
    assert!(second.starts_with("START RequestId: ") && second.contains("\nsecond\n"), "{second}");
    assert!(second.contains("\nREPORT RequestId: ") && !second.contains("first"), "{second}");
    let long = tail("long").await;
    assert!(long.len() == 4096 && long.contains("REPORT"), "{long}");
    let plain = scene.call("Invoke", json!({"FunctionName": "f", "LogType": "None"})).await.unwrap();
    assert!(plain["LogResult"].is_null());
}

async fn logging_is_formatted() {
    let scene = Scene::new();
    let source = "import logging\nlogger = logging.getLogger()\nlogger.setLevel('INFO')\n\
                  def handler(e, c):\n    logger.info('two\\nlines'); logger.debug('hidden')\n    return c.aws_request_id\n";
    scene.create("f", python(source), json!({})).await.unwrap();
    let id = scene.ask("f", json!({})).await;
    let lines = scene.lines.of("/aws/lambda/f", "two\rlines").await;
    let line = lines.iter().find(|line| line.contains("two")).unwrap();
    let fields: Vec<&str> = line.split('\t').collect();
    assert_eq!((fields[0], fields[2], fields[3]), ("[INFO]", id.as_str().unwrap(), "two\rlines"));
    assert!(fields[1].ends_with('Z') && fields[1].len() == 24, "{line}");
    assert!(!lines.iter().any(|line| line.contains("hidden")));
}

async fn a_role_without_permission_writes_nothing() {
    let scene = Scene::new();
    scene
        .create("f", python("def handler(e, c):\n    print('x')\n"), json!({"Role": MUTE_ROLE}))
        .await
        .unwrap();
    let invoked = scene.invoke_raw("f", "1").await.unwrap();
    assert!(!invoked["LogResult"].as_str().unwrap().is_empty());
    scene.lambda.close().await;
    assert!(scene.lines.0.borrow().is_empty());
}

async fn closing_writes_what_waits() {
    let scene = Scene::new();
    let source = "def handler(e, c):\n    for n in range(2500): print(n)\n    print('no end', end='')\n";
    scene.create("f", python(source), json!({"Timeout": 20})).await.unwrap();
    scene.ask("f", json!({})).await;
    scene.lambda.close().await;
    let lines = scene.lines.of("/aws/lambda/f", "REPORT").await;
    assert_eq!(lines.iter().filter(|line| line.parse::<u32>().is_ok()).count(), 2500);
    assert!(lines.iter().any(|line| line == "no end"));
    assert_eq!(scene.invoke_raw("f", "1").await.unwrap_err().status.as_u16(), 503);
}

async fn long_and_broken_lines_are_kept() {
    let scene = Scene::new();
    let source = "import os\ndef handler(e, c):\n    os.write(1, b'y' * 600000 + b'\\n\\xff\\n\\n')\n";
    scene.create("f", python(source), json!({"Timeout": 20})).await.unwrap();
    scene.ask("f", json!({})).await;
    scene.lambda.close().await;
    let lines = scene.lines.of("/aws/lambda/f", "REPORT").await;
    let long: Vec<usize> = lines.iter().filter(|line| line.starts_with('y')).map(String::len).collect();
    assert!(long.len() == 3 && long.iter().sum::<usize>() == 600_000, "{long:?}");
    assert!(lines.iter().any(|line| line == "\u{fffd}"));
}

async fn closing_ends_what_runs() {
    let scene = std::sync::Arc::new(Scene::new());
    let source = "import time\ndef handler(e, c):\n    print('running')\n    time.sleep(50)\n";
    scene.create("f", python(source), json!({"Timeout": 55})).await.unwrap();
    let other = scene.clone();
    let busy = tokio::spawn(async move { other.invoke("f", json!({})).await });
    scene.lines.of("/aws/lambda/f", "running").await;
    scene.lambda.close().await;
    let (document, _) = busy.await.unwrap();
    assert_eq!(document["errorType"], "Runtime.ExitError");
}

fn in_json(application: &str, system: &str) -> Value {
    json!({"LogFormat": "JSON", "ApplicationLogLevel": application, "SystemLogLevel": system})
}

/// The lines that are objects, once `last` is among them.
async fn objects(scene: &Scene, last: &str) -> Vec<Value> {
    let lines = scene.lines.of("/aws/lambda/f", last).await;
    lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

async fn python_logs_in_json() {
    let scene = Scene::new();
    let source = "import logging\nlogger = logging.getLogger('mine')\n\
                  def handler(e, c):\n    logger.debug('hidden')\n    logger.info('two\\nlines', extra={'more': 1})\n    \
                  print('plain')\n    print('{\"level\": \"debug\", \"timestamp\": \"2026-11-22T16:00:00Z\"}')\n    \
                  try: 1 / 0\n    except ZeroDivisionError: logger.exception({'a': 1})\n    raise ValueError('wrong')\n";
    scene.create("f", python(source), json!({"LoggingConfig": in_json("INFO", "INFO")})).await.unwrap();
    let (document, _) = scene.invoke("f", json!({})).await;
    let lines = objects(&scene, "platform.report").await;
    let of = |level: &str| lines.iter().filter(|line| line["level"] == level).collect::<Vec<_>>();
    assert!(of("DEBUG").is_empty() && of("debug").is_empty(), "{lines:#?}");
    let info = of("INFO")[0];
    assert_eq!(
        (&info["message"], &info["logger"], &info["more"]),
        (&json!("two\nlines"), &json!("mine"), &json!(1))
    );
    assert_eq!(info["requestId"], document["requestId"]);
    assert!(info["timestamp"].as_str().unwrap().ends_with('Z'));
    let errors = of("ERROR");
    assert_eq!(
        (&errors[0]["message"], &errors[0]["errorType"]),
        (&json!({"a": 1}), &json!("ZeroDivisionError"))
    );
    assert!(errors[0]["location"].as_str().unwrap().starts_with("/var/task/app.py:handler:"));
    assert_eq!(
        (&errors[1]["errorMessage"], &errors[1]["errorType"]),
        (&json!("wrong"), &json!("ValueError"))
    );
    assert!(!errors[1]["stackTrace"].as_array().unwrap().is_empty());
    assert!(scene.lines.of("/aws/lambda/f", "plain").await.contains(&"plain".to_owned()));
}

async fn nodejs_logs_in_json() {
    let scene = Scene::new();
    let source = "exports.handler = async () => { console.debug('hidden'); console.info('hidden'); \
                  console.warn({ a: 1 }); console.error('x', new TypeError('bad')); throw new RangeError('wrong'); };";
    let archive = crate::archive::Archive::new().file("app.js", source).done();
    let more = json!({"Runtime": "nodejs20.x", "LoggingConfig": in_json("WARN", "WARN"), "MemorySize": 256});
    scene.create("f", archive, more).await.unwrap();
    let (document, _) = scene.invoke("f", json!({})).await;
    assert_eq!(document["errorType"], "RangeError");
    let lines = objects(&scene, "platform.report").await;
    let own: Vec<_> = lines.iter().filter(|line| line["level"].is_string()).collect();
    assert_eq!((&own[0]["level"], &own[0]["message"]), (&json!("WARN"), &json!({"a": 1})));
    assert_eq!(
        (&own[1]["level"], &own[1]["errorType"], &own[1]["errorMessage"]),
        (&json!("ERROR"), &json!("TypeError"), &json!("bad"))
    );
    assert!(own[1]["message"].as_str().unwrap().starts_with("x TypeError: bad"));
    assert_eq!((&own[2]["message"]["errorType"], own.len()), (&json!("RangeError"), 3));
    assert_eq!(own[0]["requestId"].as_str().unwrap().len(), 36);
    // Failures are warnings; the beginning is not one.
    let kinds: Vec<_> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    assert_eq!(kinds, ["platform.runtimeDone", "platform.report"]);
}

async fn the_platform_logs_in_json() {
    let scene = Scene::new();
    let source = "import os\ndef handler(e, c):\n    return [os.environ[n] for n in ('AWS_LAMBDA_LOG_FORMAT', 'AWS_LAMBDA_LOG_LEVEL')]\n";
    let created =
        scene.create("f", python(source), json!({"LoggingConfig": in_json("TRACE", "DEBUG")})).await.unwrap();
    let expected = json!({"LogFormat": "JSON", "ApplicationLogLevel": "TRACE", "SystemLogLevel": "DEBUG", "LogGroup": "/aws/lambda/f"});
    assert_eq!(created["LoggingConfig"], expected);
    assert_eq!(scene.ask("f", json!({})).await, json!(["JSON", "TRACE"]));
    let lines = objects(&scene, "platform.report").await;
    let kinds: Vec<_> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    let expected = ["initStart", "initRuntimeDone", "initReport", "start", "runtimeDone", "report"];
    assert_eq!(kinds, expected.map(|kind| format!("platform.{kind}")));
    assert_eq!(lines[5]["record"]["status"], "success");
    assert!(lines[5]["record"]["metrics"]["initDurationMs"].as_f64().unwrap() > 0.0);
    assert_eq!(lines[3]["record"]["version"], "$LATEST");
}

async fn levels_need_json() {
    let scene = Scene::new();
    let more = json!({"LoggingConfig": {"LogFormat": "Text", "SystemLogLevel": "WARN"}});
    let error = scene.create("f", python(""), more).await.unwrap_err();
    assert_eq!(error.code, "InvalidParameterValueException");
}

async fn active_tracing_samples_invocations() {
    let scene = Scene::new();
    let source = "import os\ndef handler(e, c):\n    return os.environ['_X_AMZN_TRACE_ID']\n";
    for (mode, sampled) in [("Active", true), ("PassThrough", false)] {
        let name = mode.to_lowercase();
        let created =
            scene.create(&name, python(source), json!({"TracingConfig": {"Mode": mode}})).await.unwrap();
        assert_eq!(created["TracingConfig"]["Mode"], mode);
        let header = scene.ask(&name, json!({})).await;
        let header = header.as_str().unwrap();
        assert!(header.contains(&format!(";Sampled={};Lineage=", u8::from(sampled))), "{header}");
        let lines = scene.lines.of(&format!("/aws/lambda/{name}"), "REPORT").await.join("\n");
        let root = header.strip_prefix("Root=").unwrap().split(';').next().unwrap();
        assert_eq!(lines.contains(&format!("\nXRAY TraceId: {root}\tSegmentId: ")), sampled, "{lines}");
    }
}
