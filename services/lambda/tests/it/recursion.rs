//! Functions that lead to their own invocation.

use bytes::Bytes;
use libtest_mimic::Trial;
use pagoda_protocol::Body;
use pagoda_service::{Arrival, DataPlane};
use serde_json::json;

use crate::archive::python;
use crate::scene::{Scene, base64, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_loop_is_stopped_after_sixteen_invocations", a_loop_is_stopped_after_sixteen_invocations),
        trial("a_stopped_event_goes_to_its_destination", a_stopped_event_goes_to_its_destination),
        trial("runtimes_are_updated_by_the_operator", runtimes_are_updated_by_the_operator),
        trial("invoke_async_enqueues", invoke_async_enqueues),
        trial("a_package_can_be_downloaded_for_a_while", a_package_can_be_downloaded_for_a_while),
    ]
}

const TRACE: &str = "import os\ndef handler(e, c):\n    return os.environ['_X_AMZN_TRACE_ID']\n";
const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

/// Invokes again and again, each time with the trace that the last invocation had.
async fn invoke_in_a_row(scene: &Scene, count: usize) {
    for _ in 0..count {
        let trace = scene.ask("f", json!({})).await.as_str().unwrap().to_owned();
        assert!(trace.starts_with(ROOT), "{trace}");
        *scene.trace.lock().unwrap() = Some(trace);
    }
}

async fn a_loop_is_stopped_after_sixteen_invocations() {
    let scene = Scene::new();
    scene.create("f", python(TRACE), json!({})).await.unwrap();
    scene.create("other", python(TRACE), json!({})).await.unwrap();
    let function = json!({"FunctionName": "f"});
    let found = scene.call("GetFunctionRecursionConfig", function.clone()).await.unwrap();
    assert_eq!(found["RecursiveLoop"], "Terminate");
    *scene.trace.lock().unwrap() = Some(format!("{ROOT};Sampled=0"));
    invoke_in_a_row(&scene, 16).await;
    let error = scene.invoke_raw("f", "{}").await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.status.as_u16()), ("RecursiveInvocationException", 400));
    assert!(error.message.starts_with("Lambda has detected your function being invoked in a recursive loop"));
    scene.ask("other", json!({})).await;
    let allow = json!({"FunctionName": "f", "RecursiveLoop": "Allow"});
    assert_eq!(
        scene.call("PutFunctionRecursionConfig", allow.clone()).await.unwrap()["RecursiveLoop"],
        "Allow"
    );
    assert_eq!(scene.call("GetFunctionRecursionConfig", function).await.unwrap()["RecursiveLoop"], "Allow");
    invoke_in_a_row(&scene, 3).await;
    let gone = json!({"FunctionName": "gone", "RecursiveLoop": "Allow"});
    let error = scene.call("PutFunctionRecursionConfig", gone).await.unwrap_err();
    assert_eq!(error.code, "ResourceNotFoundException");
}

async fn a_stopped_event_goes_to_its_destination() {
    let scene = Scene::new();
    scene.create("f", python(TRACE), json!({})).await.unwrap();
    let noting = python("import json\ndef handler(e, c):\n    print('told', json.dumps(e))\n");
    scene.create("told", noting, json!({})).await.unwrap();
    let to = json!({"Destination": "arn:aws:lambda:us-east-1:123456789012:function:told"});
    let config = json!({"FunctionName": "f", "DestinationConfig": {"OnFailure": to}});
    scene.call("PutFunctionEventInvokeConfig", config).await.unwrap();
    *scene.trace.lock().unwrap() = Some(ROOT.to_owned());
    invoke_in_a_row(&scene, 16).await;
    let event = json!({"FunctionName": "f", "InvocationType": "Event", "Payload": base64(b"[7]")});
    scene.call("Invoke", event).await.unwrap();
    let lines = scene.lines.of("/aws/lambda/told", "told ").await;
    let told = lines.iter().find(|line| line.starts_with("told ")).unwrap();
    assert!(
        told.contains("\"requestPayload\": [7]") && told.contains("\"approximateInvokeCount\": 0"),
        "{told}"
    );
}

async fn runtimes_are_updated_by_the_operator() {
    let scene = Scene::new();
    scene.create("f", python(TRACE), json!({})).await.unwrap();
    let found = scene.call("GetRuntimeManagementConfig", json!({"FunctionName": "f"})).await.unwrap();
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST";
    assert_eq!((&found["UpdateRuntimeOn"], &found["FunctionArn"]), (&json!("Auto"), &json!(arn)));
    for (when, status) in [("Auto", None), ("FunctionUpdate", Some(501)), ("Manual", Some(501))] {
        let input = json!({"FunctionName": "f", "UpdateRuntimeOn": when});
        let answer = scene.call("PutRuntimeManagementConfig", input).await;
        assert_eq!(answer.err().map(|error| error.status.as_u16()), status, "{when}");
    }
}

async fn invoke_async_enqueues() {
    let scene = Scene::new();
    scene.create("f", python("def handler(e, c):\n    print('got', e)\n"), json!({})).await.unwrap();
    let input = json!({"FunctionName": "f", "InvokeArgs": base64(b"[1, 2]")});
    assert_eq!(scene.call("InvokeAsync", input).await.unwrap()["Status"], 202);
    assert!(!scene.lines.of("/aws/lambda/f", "got [1, 2]").await.is_empty());
    let broken = json!({"FunctionName": "f", "InvokeArgs": base64(b"[1, ")});
    let error = scene.call("InvokeAsync", broken).await.unwrap_err();
    assert_eq!(error.code, "InvalidRequestContentException");
}

async fn a_package_can_be_downloaded_for_a_while() {
    let scene = Scene::new();
    let archive = python(TRACE);
    scene.create("f", archive.clone(), json!({})).await.unwrap();
    let found = scene.call("GetFunction", json!({"FunctionName": "f"})).await.unwrap();
    let location = found["Code"]["Location"].as_str().unwrap();
    let (endpoint, path) = location.split_once("/_aws/lambda-url/code").unwrap();
    assert_eq!(endpoint, "https://localhost");
    let ask = async |path: &str| {
        let (parts, ()) = http::Request::new(()).into_parts();
        let (body, name) = (Body::empty(), "code".to_owned());
        let arrival = Arrival { parts, body, cx: scene.cx(), name, path: path.to_owned() };
        let response = scene.lambda.serve(arrival).await;
        (response.status().as_u16(), response.into_body().collect(1 << 20).await.unwrap())
    };
    assert_eq!(ask(path).await, (200, archive));
    let forged = path.replace(|digit: char| digit.is_ascii_digit(), "0");
    for wrong in [&*forged, "/", "/00", "/../../etc/passwd"] {
        let (status, body) = ask(wrong).await;
        assert_eq!(status, 403, "{wrong}");
        assert!(body.starts_with(b"Access denied") && body != Bytes::new());
    }
}
