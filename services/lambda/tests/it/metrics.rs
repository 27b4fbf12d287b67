//! What is measured of invocations.

use libtest_mimic::Trial;
use serde_json::json;

use crate::archive::python;
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("invocations_are_measured_by_every_name", invocations_are_measured_by_every_name),
        trial("what_is_throttled_is_counted", what_is_throttled_is_counted),
        trial("events_are_measured", events_are_measured),
    ]
}

async fn invocations_are_measured_by_every_name() {
    let scene = Scene::new();
    let source = "def handler(event, context):\n    return 1 / event\n";
    scene.create("f", python(source), json!({ "Publish": true })).await.unwrap();
    let alias = json!({ "FunctionName": "f", "Name": "live", "FunctionVersion": "1" });
    scene.call("CreateAlias", alias).await.unwrap();
    scene.ask("f", json!(1)).await;
    let (_, error) = scene.invoke("f:live", json!(0)).await;
    assert!(error.is_some());
    scene.ask("f:live", json!(2)).await;
    let measured = &scene.measured;
    for (name, invocations, errors) in [
        ("", 3, vec![0.0, 1.0, 0.0]),
        (" f", 3, vec![0.0, 1.0, 0.0]),
        (" f f", 1, vec![0.0]),
        (" f f:live", 2, vec![1.0, 0.0]),
        (" f f:live 1", 2, vec![1.0, 0.0]),
    ] {
        assert_eq!(measured.of(&format!("Invocations{name}")).len(), invocations, "{name}");
        assert_eq!(measured.of(&format!("Errors{name}")), errors, "{name}");
        assert_eq!(measured.of(&format!("Duration{name}")).len(), invocations, "{name}");
    }
    assert!(measured.of("Duration").iter().all(|millis| *millis > 0.0));
    assert_eq!(measured.of("ConcurrentExecutions f"), [1.0; 3]);
    assert_eq!(measured.of("UnreservedConcurrentExecutions"), [1.0; 3]);
    let cold_starts = measured.of("init_duration f");
    assert!(cold_starts.len() == 2 && cold_starts.iter().all(|millis| *millis > 0.0), "{cold_starts:?}");
}

async fn what_is_throttled_is_counted() {
    let scene = Scene::new();
    scene.create("f", python("def handler(event, context):\n    pass\n"), json!({})).await.unwrap();
    let none = json!({ "FunctionName": "f", "ReservedConcurrentExecutions": 0 });
    scene.call("PutFunctionConcurrency", none).await.unwrap();
    assert_eq!(scene.invoke_raw("f", "{}").await.unwrap_err().code, "TooManyRequestsException");
    assert_eq!(scene.measured.of("Throttles f"), [1.0]);
    assert!(scene.measured.of("Invocations f").is_empty());
}

async fn events_are_measured() {
    let scene = Scene::new();
    scene.create("f", python("def handler(event, context):\n    1 / 0\n"), json!({})).await.unwrap();
    let rules = json!({ "FunctionName": "f", "MaximumRetryAttempts": 0 });
    scene.call("PutFunctionEventInvokeConfig", rules).await.unwrap();
    scene.call("Invoke", json!({ "FunctionName": "f", "InvocationType": "Event" })).await.unwrap();
    while scene.measured.of("AsyncEventsDropped f").is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.measured.of("AsyncEventsReceived f"), [1.0]);
    assert_eq!(scene.measured.of("AsyncEventAge f").len(), 1);
    assert_eq!(scene.measured.of("AsyncEventsDropped f"), [1.0]);
    assert_eq!(scene.measured.of("Errors f"), [1.0]);
}
