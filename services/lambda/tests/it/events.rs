//! Asynchronous invocation: events wait, are tried again, and end at destinations.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::python;
use crate::scene::{Scene, base64, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("an_event_is_accepted_and_handled", an_event_is_accepted_and_handled),
        trial("a_failed_event_is_tried_again", a_failed_event_is_tried_again),
        trial("a_success_is_told_to_a_function", a_success_is_told_to_a_function),
        trial("a_failure_is_told_to_a_bucket", a_failure_is_told_to_a_bucket),
        trial("an_unwanted_event_fails_at_once", an_unwanted_event_fails_at_once),
        trial("wrong_events_are_refused", wrong_events_are_refused),
        trial("configurations_come_and_go", configurations_come_and_go),
        trial("events_of_a_function_that_is_gone_are_dropped", events_of_a_function_that_is_gone_are_dropped),
    ]
}

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:";
const ECHO: &str =
    "import json\ndef handler(e, c):\n    print('got', json.dumps(e), c.aws_request_id)\n    return e\n";
const FAIL: &str = "def handler(e, c):\n    print('tried', c.aws_request_id)\n    raise ValueError('no')\n";

fn scene() -> Scene {
    Scene::with(|config| config.limits.retry_delays = [Duration::from_millis(5); 2])
}

async fn send(scene: &Scene, name: &str, payload: &str) -> Result<Value, String> {
    let payload = base64(payload.as_bytes());
    let input = json!({"FunctionName": name, "InvocationType": "Event", "Payload": payload});
    scene.call("Invoke", input).await.map_err(|error| error.code.into_owned())
}

async fn an_event_is_accepted_and_handled() {
    let scene = scene();
    scene.create("f", python(ECHO), json!({})).await.unwrap();
    let large = format!(r#"{{"n": 1, "x": "{}"}}"#, "x".repeat(900_000));
    for payload in [r#"{"n": 0}"#, large.as_str()] {
        assert_eq!(send(&scene, "f", payload).await.unwrap()["StatusCode"], 202);
    }
    for text in [r#"got {"n": 0}"#, r#"got {"n": 1, "x""#] {
        scene.lines.of("/aws/lambda/f", text).await;
    }
}

async fn a_failed_event_is_tried_again() {
    let scene = scene();
    scene.create("f", python(FAIL), json!({})).await.unwrap();
    scene.create("sink", python(ECHO), json!({})).await.unwrap();
    for (retries, tries) in [(0, 1), (1, 2), (2, 3)] {
        let failure = json!({"OnFailure": {"Destination": format!("{ARN}sink")}});
        let config =
            json!({"FunctionName": "f", "MaximumRetryAttempts": retries, "DestinationConfig": failure});
        scene.call("PutFunctionEventInvokeConfig", config).await.unwrap();
        send(&scene, "f", &format!(r#"{{"retries": {retries}}}"#)).await.unwrap();
        let mark = format!(r#""requestPayload": {{"retries": {retries}}}"#);
        let lines = scene.lines.of("/aws/lambda/sink", &mark).await;
        let told = lines.iter().find(|line| line.contains(&mark)).unwrap();
        assert!(told.contains(&format!(r#""approximateInvokeCount": {tries}"#)), "{told}");
        assert!(told.contains(r#""condition": "RetriesExhausted""#), "{told}");
        assert!(told.contains(r#""errorMessage": "no""#), "{told}");
        let id = told.split(r#""requestId": ""#).nth(1).unwrap().split('"').next().unwrap();
        let lines = scene.lines.of("/aws/lambda/f", &format!("tried {id}")).await;
        assert_eq!(lines.iter().filter(|line| line.contains(&format!("tried {id}"))).count(), tries);
    }
}

async fn a_success_is_told_to_a_function() {
    let scene = scene();
    for name in ["f", "sink"] {
        scene.create(name, python(ECHO), json!({"Publish": true})).await.unwrap();
    }
    let success = json!({"OnSuccess": {"Destination": format!("{ARN}sink:1")}});
    let config = json!({"FunctionName": "f", "Qualifier": "1", "DestinationConfig": success});
    scene.call("PutFunctionEventInvokeConfig", config).await.unwrap();
    send(&scene, "f:1", r#"{"n": 7}"#).await.unwrap();
    let lines = scene.lines.of("/aws/lambda/sink", r#""condition": "Success""#).await;
    let told = lines.iter().find(|line| line.starts_with("got ")).unwrap();
    for part in [
        r#""responsePayload": {"n": 7}"#,
        r#""executedVersion": "1""#,
        &format!(r#""functionArn": "{ARN}f:1""#),
        r#""approximateInvokeCount": 1"#,
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

async fn a_failure_is_told_to_a_bucket() {
    let scene = scene();
    scene.create("f", python(FAIL), json!({})).await.unwrap();
    scene.create("g", python(ECHO), json!({})).await.unwrap();
    let failure = json!({"OnFailure": {"Destination": "arn:aws:s3:::records"}});
    let config = json!({"FunctionName": "f", "MaximumRetryAttempts": 0, "DestinationConfig": failure});
    scene.call("PutFunctionEventInvokeConfig", config).await.unwrap();
    send(&scene, "f", "[1]").await.unwrap();
    // The record is written before the task of the next event ends.
    let record = loop {
        let found =
            scene.objects.0.lock().unwrap().iter().next().map(|(key, body)| (key.clone(), body.clone()));
        match found {
            Some(found) => break found,
            None => tokio::task::yield_now().await,
        }
    };
    assert!(record.0.starts_with("records/aws/lambda/async/f/"), "{}", record.0);
    let body: Value = serde_json::from_slice(&record.1).unwrap();
    assert_eq!(
        (&body["requestPayload"], &body["responseContext"]["functionError"]),
        (&json!([1]), &json!("Unhandled"))
    );
}

async fn an_unwanted_event_fails_at_once() {
    let scene = scene();
    for name in ["f", "sink"] {
        scene.create(name, python(ECHO), json!({})).await.unwrap();
    }
    let none = json!({"FunctionName": "f", "ReservedConcurrentExecutions": 0});
    scene.call("PutFunctionConcurrency", none).await.unwrap();
    let failure = json!({"OnFailure": {"Destination": format!("{ARN}sink")}});
    scene
        .call("PutFunctionEventInvokeConfig", json!({"FunctionName": "f", "DestinationConfig": failure}))
        .await
        .unwrap();
    send(&scene, "f", "{}").await.unwrap();
    let lines = scene.lines.of("/aws/lambda/sink", "RetriesExhausted").await;
    assert!(lines.iter().any(|line| line.contains(r#""approximateInvokeCount": 0"#)), "{lines:?}");
}

async fn wrong_events_are_refused() {
    let scene = scene();
    scene.create("f", python(ECHO), json!({})).await.unwrap();
    let large = format!("\"{}\"", "x".repeat(1_048_576));
    for (name, payload, expected) in [
        ("gone", "{}", "ResourceNotFoundException"),
        ("f", "{", "InvalidRequestContentException"),
        ("f", large.as_str(), "RequestTooLargeException"),
    ] {
        assert_eq!(send(&scene, name, payload).await.unwrap_err(), expected);
    }
}

async fn configurations_come_and_go() {
    let scene = scene();
    scene.create("f", python(ECHO), json!({})).await.unwrap();
    let call = |operation: &'static str, more: Value| {
        let mut input = json!({"FunctionName": "f"});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        scene.call(operation, input)
    };
    for (more, status) in [
        (json!({}), 400),
        (json!({"MaximumRetryAttempts": 3}), 400),
        (json!({"MaximumEventAgeInSeconds": 59}), 400),
        (json!({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:ec2:::x"}}}), 400),
        (json!({"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:s3:::bucket"}}}), 400),
        (json!({"DestinationConfig": {"OnFailure": {"Destination": format!("{ARN}gone")}}}), 404),
        (
            json!({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:q"}}}),
            501,
        ),
    ] {
        let refused = call("PutFunctionEventInvokeConfig", more.clone()).await.unwrap_err();
        assert_eq!(refused.status.as_u16(), status, "{more}: {refused}");
    }
    assert_eq!(
        call("UpdateFunctionEventInvokeConfig", json!({"MaximumRetryAttempts": 1}))
            .await
            .unwrap_err()
            .status
            .as_u16(),
        404
    );
    let put = call("PutFunctionEventInvokeConfig", json!({"MaximumRetryAttempts": 1})).await.unwrap();
    assert_eq!(put["FunctionArn"], format!("{ARN}f:$LATEST"));
    let updated =
        call("UpdateFunctionEventInvokeConfig", json!({"MaximumEventAgeInSeconds": 60})).await.unwrap();
    assert_eq!(
        (&updated["MaximumRetryAttempts"], &updated["MaximumEventAgeInSeconds"]),
        (&json!(1), &json!(60))
    );
    let replaced =
        call("PutFunctionEventInvokeConfig", json!({"MaximumEventAgeInSeconds": 61})).await.unwrap();
    assert_eq!(replaced["MaximumRetryAttempts"], Value::Null, "put replaces all");
    assert_eq!(call("GetFunctionEventInvokeConfig", json!({})).await.unwrap(), replaced);
    let listed = call("ListFunctionEventInvokeConfigs", json!({})).await.unwrap();
    assert_eq!(listed["FunctionEventInvokeConfigs"], json!([replaced]));
    call("DeleteFunctionEventInvokeConfig", json!({})).await.unwrap();
    for operation in ["GetFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig"] {
        assert_eq!(call(operation, json!({})).await.unwrap_err().code, "ResourceNotFoundException");
    }
}

async fn events_of_a_function_that_is_gone_are_dropped() {
    let scene = scene();
    scene.create("f", python(FAIL), json!({})).await.unwrap();
    scene.create("g", python(ECHO), json!({})).await.unwrap();
    send(&scene, "f", "{}").await.unwrap();
    scene.call("DeleteFunction", json!({"FunctionName": "f"})).await.unwrap();
    scene.create("f", python(ECHO), json!({})).await.unwrap();
    send(&scene, "f", r#""new""#).await.unwrap();
    scene.lines.of("/aws/lambda/f", r#"got "new""#).await;
}
