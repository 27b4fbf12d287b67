//! Invocations that succeed: languages, events, reuse, concurrency, updates.

use libtest_mimic::Trial;
use serde_json::json;

use crate::archive::{Archive, python};
use crate::scene::{Scene, base64, trial, unbase64};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_python_function_answers", a_python_function_answers),
        trial("nested_modules_are_found", nested_modules_are_found),
        trial("the_context_has_all_fields", the_context_has_all_fields),
        trial("a_provided_bootstrap_runs", a_provided_bootstrap_runs),
        trial("instances_are_used_again", instances_are_used_again),
        trial("fifty_at_once", fifty_at_once),
        trial("what_is_too_much_is_throttled", what_is_too_much_is_throttled),
        trial("idle_instances_give_way", idle_instances_give_way),
        trial("updates_take_effect_at_once", updates_take_effect_at_once),
        trial("large_events_and_answers_pass", large_events_and_answers_pass),
        trial("events_are_checked", events_are_checked),
        trial("frozen_instances_wake", frozen_instances_wake),
    ]
}

async fn a_python_function_answers() {
    let scene = Scene::new();
    let source = "def handler(event, context):\n    return {'hello': event['name'], 'ü': None}\n";
    scene.create("f", python(source), json!({})).await.unwrap();
    assert_eq!(scene.ask("f", json!({"name": "world"})).await, json!({"hello": "world", "ü": null}));
    let by_arn = "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST";
    assert_eq!(scene.ask(by_arn, json!({"name": 1})).await["hello"], 1);
}

async fn nested_modules_are_found() {
    let scene = Scene::new();
    let archive =
        Archive::new().directory("pkg").file("pkg/deep.py", "def run(e, c):\n    return 'deep'\n").done();
    scene.create("slash", archive.clone(), json!({"Handler": "pkg/deep.run"})).await.unwrap();
    scene.create("dot", archive, json!({"Handler": "pkg.deep.run"})).await.unwrap();
    assert_eq!(scene.ask("slash", json!({})).await, "deep");
    assert_eq!(scene.ask("dot", json!({})).await, "deep");
}

async fn the_context_has_all_fields() {
    let scene = Scene::new();
    let source = "def handler(event, c):
    return [c.function_name, c.function_version, c.invoked_function_arn, c.memory_limit_in_mb, c.log_group_name,
            c.log_stream_name[10:20], len(c.aws_request_id), 4000 < c.get_remaining_time_in_millis() <= 5000,
            c.client_context and c.client_context.custom, c.identity.cognito_identity_id]\n";
    scene.create("f", python(source), json!({"Timeout": 5})).await.unwrap();
    let context = base64(br#"{"custom": {"a": 1}}"#);
    let invoked = scene.call("Invoke", json!({"FunctionName": "f", "ClientContext": context})).await.unwrap();
    let answer: serde_json::Value =
        serde_json::from_slice(&unbase64(invoked["Payload"].as_str().unwrap())).unwrap();
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
    assert_eq!(
        answer,
        json!(["f", "$LATEST", arn, "128", "/aws/lambda/f", "/[$LATEST]", 36, true, {"a": 1}, null])
    );
    assert_eq!(invoked["ExecutedVersion"], "$LATEST");
}

/// A runtime of its own: it speaks to the Runtime API itself.
async fn a_provided_bootstrap_runs() {
    let scene = Scene::new();
    let source = r#"#!/usr/bin/python3
import http.client, os, json
while True:
    c = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    c.request("GET", "/2018-06-01/runtime/invocation/next")
    r = c.getresponse()
    event, id = r.read(), r.headers["Lambda-Runtime-Aws-Request-Id"]
    c.request("POST", f"/2018-06-01/runtime/invocation/wrong/response", b"1")
    wrong = c.getresponse(); wrong.read()
    answer = {"event": json.loads(event), "wrong": wrong.status, "trace": r.headers["Lambda-Runtime-Trace-Id"][:7],
              "handler": os.environ["_HANDLER"], "deadline": int(r.headers["Lambda-Runtime-Deadline-Ms"]) > 0}
    c.request("POST", f"/2018-06-01/runtime/invocation/{id}/response", json.dumps(answer))
    accepted = c.getresponse(); accepted.read()
    assert accepted.status == 202
"#;
    let archive = Archive::new().with_mode("bootstrap", source, 0o755).done();
    scene.create("f", archive, json!({"Runtime": "provided.al2023", "Handler": "any"})).await.unwrap();
    for number in 0..2 {
        let answer = scene.ask("f", json!(number)).await;
        let expected =
            json!({"event": number, "wrong": 400, "trace": "Root=1-", "handler": "any", "deadline": true});
        assert_eq!(answer, expected);
    }
}

const COUNTS: &str = "import time\nn = 0\ndef handler(e, c):\n    global n\n    n += 1\n    \
                      time.sleep(e if isinstance(e, float) else 0)\n    return n\n";

async fn instances_are_used_again() {
    let scene = Scene::new();
    scene.create("f", python(COUNTS), json!({})).await.unwrap();
    for expected in 1..=20 {
        assert_eq!(scene.ask("f", json!({})).await, expected);
    }
}

async fn fifty_at_once() {
    let scene = std::sync::Arc::new(Scene::new());
    let source = "import time\ndef handler(e, c):\n    time.sleep(0.05)\n    return e\n";
    scene.create("f", python(source), json!({"Timeout": 30})).await.unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let scene = scene.clone();
            tokio::spawn(async move { scene.ask("f", json!(number)).await })
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), number);
    }
}

async fn what_is_too_much_is_throttled() {
    let scene = std::sync::Arc::new(Scene::with(|config| {
        config.limits.concurrency = 1;
        config.limits.wait = std::time::Duration::from_millis(20);
    }));
    scene.create("f", python(COUNTS), json!({"Timeout": 5})).await.unwrap();
    scene.ask("f", json!({})).await;
    let other = scene.clone();
    let busy = tokio::spawn(async move { other.ask("f", json!(1.0)).await });
    tokio::task::yield_now().await;
    let mut refused = None;
    while refused.is_none() && !busy.is_finished() {
        refused = scene.invoke_raw("f", "{}").await.err();
    }
    let error = refused.expect("one of two is refused");
    assert_eq!((error.code.as_ref(), error.status.as_u16()), ("TooManyRequestsException", 429));
    busy.await.unwrap();
    assert!(scene.invoke_raw("f", "{}").await.is_ok());
}

async fn idle_instances_give_way() {
    let scene = Scene::with(|config| config.limits.memory_mb = 300);
    for name in ["a", "b", "c"] {
        scene.create(name, python(COUNTS), json!({})).await.unwrap();
    }
    for (name, expected) in [("a", 1), ("b", 1), ("b", 2), ("a", 2), ("c", 1), ("a", 3), ("b", 1)] {
        assert_eq!(scene.ask(name, json!({})).await, expected, "{name}");
    }
}

async fn updates_take_effect_at_once() {
    let scene = Scene::new();
    scene.create("f", python("def handler(e, c):\n    return 'old'\n"), json!({})).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, "old");
    let new = python("import os\ndef handler(e, c):\n    return os.environ.get('WORD', 'new')\n");
    let input = json!({"FunctionName": "f", "ZipFile": base64(&new)});
    scene.call("UpdateFunctionCode", input).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, "new");
    let input = json!({"FunctionName": "f", "Environment": {"Variables": {"WORD": "newer"}}});
    scene.call("UpdateFunctionConfiguration", input).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, "newer");
    scene.call("DeleteFunction", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(scene.invoke_raw("f", "{}").await.unwrap_err().code, "ResourceNotFoundException");
}

async fn large_events_and_answers_pass() {
    let scene = Scene::new();
    let more = json!({"Timeout": 20, "MemorySize": 512});
    scene.create("f", python("def handler(e, c):\n    return e\n"), more).await.unwrap();
    let event = json!("x".repeat(6_000_000));
    assert!(scene.ask("f", event.clone()).await == event);
}

async fn events_are_checked() {
    let scene = Scene::new();
    scene.create("f", python("def handler(e, c):\n    return e\n"), json!({})).await.unwrap();
    let check = async |input: serde_json::Value| scene.call("Invoke", input).await.unwrap_err();
    let of = |payload: &str| json!({"FunctionName": "f", "Payload": base64(payload.as_bytes())});
    assert_eq!(check(of("{")).await.code, "InvalidRequestContentException");
    assert_eq!(check(of(&"1".repeat(6_291_457))).await.status.as_u16(), 413);
    assert_eq!(check(json!({"FunctionName": "f", "Qualifier": "1"})).await.code, "ResourceNotFoundException");
    let dry = scene.call("Invoke", json!({"FunctionName": "f", "InvocationType": "DryRun"})).await.unwrap();
    assert_eq!(dry["StatusCode"], 204);
    assert_eq!(scene.ask("f", json!({})).await, json!({}));
}

async fn frozen_instances_wake() {
    let scene = Scene::with(|config| config.limits.freeze_after = std::time::Duration::ZERO);
    scene.create("f", python(COUNTS), json!({})).await.unwrap();
    for expected in 1..=10 {
        assert_eq!(scene.ask("f", json!({})).await, expected);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await; // lets the freezer have its turn
    }
}
