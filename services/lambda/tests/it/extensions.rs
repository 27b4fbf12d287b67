//! Extensions: programs in layers beside the runtime, and those inside of it.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::{Archive, python};
use crate::layers::publish;
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("an_extension_lives_beside_the_runtime", an_extension_lives_beside_the_runtime),
        trial("a_stuck_extension_is_a_timeout", a_stuck_extension_is_a_timeout),
        trial("a_failing_extension_is_told", a_failing_extension_is_told),
        trial("a_runtime_beside_an_extension_is_restored", a_runtime_beside_an_extension_is_restored),
        trial("an_extension_can_be_inside_of_the_runtime", an_extension_can_be_inside_of_the_runtime),
    ]
}

/// Registers, then does `work` for each event.
fn program(events: &str, work: &str) -> Archive {
    let source = format!(
        "#!/usr/bin/python3\nimport json, os, sys, time, urllib.request as u\n\
         api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2020-01-01/extension/'\n\
         def call(path, body=None, **headers):\n    \
             headers = {{name.replace('_', '-'): value for name, value in headers.items()}}\n    \
             return u.urlopen(u.Request(api + path, body, headers))\n\
         made = call('register', json.dumps({{'events': {events}}}).encode(), Lambda_Extension_Name='beside', \
         Lambda_Extension_Accept_Feature='accountId')\n\
         me = made.headers['Lambda-Extension-Identifier']\n\
         print('registered', made.read().decode(), flush=True)\n\
         while True:\n    \
             answer = call('event/next', Lambda_Extension_Identifier=me)\n    \
             assert answer.headers['Lambda-Extension-Event-Identifier']\n    \
             event = json.loads(answer.read())\n    \
             print('event', json.dumps(event), flush=True)\n    \
             {work}\n"
    );
    Archive::new().with_mode("extensions/beside", &source, 0o755)
}

/// A function with the extension, which answers its request's id.
async fn scene(extension: Archive, more: Value) -> Scene {
    let scene = Scene::new();
    let layer = publish(&scene, "l", extension, json!({})).await;
    let source = "def handler(e, c):\n    return c.aws_request_id\n";
    let mut settings = json!({"Layers": [layer["LayerVersionArn"]], "MemorySize": 256});
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    scene.create("f", python(source), settings).await.unwrap();
    scene
}

fn events(lines: &[String]) -> Vec<Value> {
    lines.iter().filter_map(|line| serde_json::from_str(line.strip_prefix("event ")?).ok()).collect()
}

async fn an_extension_lives_beside_the_runtime() {
    let ends = "if event['eventType'] == 'SHUTDOWN': sys.exit(0)";
    let scene = scene(program("['INVOKE', 'SHUTDOWN']", ends), json!({"Timeout": 20})).await;
    let first = scene.ask("f", json!({})).await;
    let second = scene.ask("f", json!({})).await;
    scene.lambda.close().await;
    let lines = scene.lines.of("/aws/lambda/f", "SHUTDOWN").await;
    let told = events(&lines);
    let ids: Vec<&Value> = told.iter().map(|event| &event["requestId"]).collect();
    assert_eq!(ids, [&first, &second, &Value::Null]);
    assert_eq!(told[0]["invokedFunctionArn"], "arn:aws:lambda:us-east-1:123456789012:function:f");
    assert_eq!(told[0]["tracing"]["type"], "X-Amzn-Trace-Id");
    assert_eq!((&told[2]["eventType"], &told[2]["shutdownReason"]), (&json!("SHUTDOWN"), &json!("spindown")));
    let registered = lines.iter().find_map(|line| line.strip_prefix("registered ")).unwrap();
    let expected = json!({"functionName": "f", "functionVersion": "$LATEST", "handler": "app.handler", "accountId": "123456789012"});
    assert_eq!(serde_json::from_str::<Value>(registered).unwrap(), expected);
    assert_eq!(lines.iter().filter(|line| line.starts_with("INIT_START")).count(), 1, "{lines:#?}");
}

async fn a_stuck_extension_is_a_timeout() {
    let stuck = "if event['eventType'] == 'INVOKE': time.sleep(30)";
    let scene = scene(program("['INVOKE', 'SHUTDOWN']", stuck), json!({"Timeout": 1})).await;
    let (document, error) = scene.invoke("f", json!({})).await;
    assert_eq!(error.as_deref(), Some("Unhandled"));
    assert!(
        document["errorMessage"].as_str().unwrap().ends_with("Task timed out after 1.00 seconds"),
        "{document}"
    );
    let (document, _) = scene.invoke("f", json!({})).await;
    assert_eq!(document["errorType"], "Sandbox.Timedout", "a new instance, as stuck as the first");
}

async fn a_failing_extension_is_told() {
    for (work, kind, detail) in [
        ("sys.exit(2)", "Extension.Crash", "an extension exited with an error"),
        (
            "call('exit/error', b'{}', Lambda_Extension_Identifier=me, Lambda_Extension_Function_Error_Type='x'); time.sleep(9)",
            "Extension.ExitError",
            "x",
        ),
    ] {
        let scene = scene(program("['INVOKE']", work), json!({"Timeout": 10})).await;
        let (document, error) = scene.invoke("f", json!({})).await;
        assert_eq!(
            (error.as_deref(), &document["errorType"]),
            (Some("Unhandled"), &json!(kind)),
            "{document}"
        );
        assert!(
            document["errorMessage"].as_str().unwrap().ends_with(&format!("Error: {detail}")),
            "{document}"
        );
    }
    let broken = Archive::new().with_mode("extensions/beside", "#!/bin/sh\nexit 1\n", 0o755);
    let failing = scene(broken, json!({})).await;
    let (document, _) = failing.invoke("f", json!({})).await;
    assert_eq!(document["errorType"], "Extension.Crash");
    let no_program = Archive::new().with_mode("extensions/beside", "exit 0\n", 0o755);
    let scene = scene(no_program, json!({})).await;
    let (document, _) = scene.invoke("f", json!({})).await;
    assert_eq!(document["errorType"], "Extension.LaunchError", "{document}");
}

async fn a_runtime_beside_an_extension_is_restored() {
    let scene = Scene::with(|config| config.templates = true);
    scene.create("first", python("def handler(e, c): pass"), json!({})).await.unwrap();
    scene.lambda.starts().await;
    let extension = program("['INVOKE']", "pass");
    let layer = publish(&scene, "l", extension, json!({})).await;
    let source = "import sys\ndef handler(e, c):\n    return '--template' in sys.argv\n";
    let more = json!({"Layers": [layer["LayerVersionArn"]], "MemorySize": 256});
    scene.create("f", python(source), more).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, true);
    assert_eq!(scene.ask("f", json!({})).await, true);
    let lines = scene.lines.of("/aws/lambda/f", "event ").await;
    assert!(lines.iter().any(|line| line.starts_with("registered ")), "{lines:#?}");
}

async fn an_extension_can_be_inside_of_the_runtime() {
    let scene = Scene::new();
    let source = "import json, os, threading, urllib.error, urllib.request as u\n\
        api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API']\n\
        def call(path, body=None, method=None, **headers):\n    \
            headers = {name.replace('_', '-'): value for name, value in headers.items()}\n    \
            try: return u.urlopen(u.Request(api + path, body, headers, method=method))\n    \
            except urllib.error.HTTPError as error: return error\n\
        def register(name, *events):\n    \
            return call('/2020-01-01/extension/register', json.dumps({'events': events}).encode(), Lambda_Extension_Name=name)\n\
        def told(answer): return [answer.status, json.loads(answer.read()).get('errorType')]\n\
        refused = [told(register('a', 'SHUTDOWN')), told(register('a', 'START')), told(call('/2020-01-01/extension/event/next')),\n    \
            told(call('/2020-01-01/extension/event/next', Lambda_Extension_Identifier='x')),\n    \
            told(call('/2022-07-01/telemetry', b'{}', 'PUT')),\n    \
            told(call('/2022-07-01/telemetry', b'{}', 'PUT', Lambda_Extension_Identifier='x')), told(call('/2020-08-15/logs', b'{}', 'PUT')),\n    \
            told(call('/2018-06-01/runtime/restore/next'))]\n\
        me = register('a', 'INVOKE').headers['Lambda-Extension-Identifier']\n\
        refused.append(told(register('a', 'INVOKE')))\n\
        seen = []\n\
        def work():\n    \
            while True: seen.append(json.loads(call('/2020-01-01/extension/event/next', Lambda_Extension_Identifier=me).read())['requestId'])\n\
        threading.Thread(target=work, daemon=True).start()\n\
        def handler(e, c):\n    return {'refused': refused, 'id': c.aws_request_id, 'before': list(seen), 'late': told(register('b', 'INVOKE'))}\n";
    scene.create("f", python(source), json!({"Timeout": 20})).await.unwrap();
    let first = scene.ask("f", json!({})).await;
    let expected = json!([
        [403, "ShutdownEventNotSupportedForInternalExtension"],
        [403, "Extension.InvalidEventType"],
        [403, "Extension.MissingExtensionIdentifier"],
        [403, "Extension.UnknownExtensionIdentifier"],
        [403, "Extension.MissingExtensionIdentifier"],
        [403, "Extension.UnknownExtensionIdentifier"],
        [202, "Logs.NotSupported"],
        [403, "InvalidStateTransition"],
        [403, "Extension.AlreadyRegistered"],
    ]);
    assert_eq!(first["refused"], expected);
    assert_eq!(first["late"], json!([403, "Extension.RegistrationClosed"]));
    let second = scene.ask("f", json!({})).await;
    assert!(second["before"].as_array().unwrap().contains(&first["id"]), "{second}");
}
