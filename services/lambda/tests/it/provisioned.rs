//! Provisioned concurrency: instances that are through their init code before anybody asks.

use libtest_mimic::Trial;
use pagoda_service::Background;
use serde_json::{Value, json};

use crate::archive::python;
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("provisioned_instances_wait", provisioned_instances_wait),
        trial("an_init_that_fails_is_told", an_init_that_fails_is_told),
        trial("wrong_provisions_are_refused", wrong_provisions_are_refused),
    ]
}

const CODE: &str = "import os
KIND = os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']
def handler(e, c): return [KIND, c.log_stream_name]
";

async fn scene(code: &str) -> (Scene, Background) {
    let scene = Scene::with(|config| config.limits.idle = std::time::Duration::ZERO);
    scene.create("f", python(code), json!({"Publish": true})).await.unwrap();
    scene
        .call("CreateAlias", json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"}))
        .await
        .unwrap();
    let mut background = Background::default();
    scene.lambda.run(&mut background);
    (scene, background)
}

fn of(qualifier: &str, more: Value) -> Value {
    let mut input = json!({"FunctionName": "f", "Qualifier": qualifier});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// The configuration once it is no longer in progress.
async fn settled(scene: &Scene, qualifier: &str) -> Value {
    loop {
        let found = scene.call("GetProvisionedConcurrencyConfig", of(qualifier, json!({}))).await.unwrap();
        if found["Status"] != "IN_PROGRESS" {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

async fn provisioned_instances_wait() {
    let (scene, background) = scene(CODE).await;
    let put = of("live", json!({"ProvisionedConcurrentExecutions": 2}));
    let answer = scene.call("PutProvisionedConcurrencyConfig", put).await.unwrap();
    assert_eq!(answer["Status"], "IN_PROGRESS");
    let found = settled(&scene, "live").await;
    assert_eq!(
        (&found["Status"], &found["AvailableProvisionedConcurrentExecutions"]),
        (&json!("READY"), &json!(2)),
        "{found}"
    );
    let (a, b) = tokio::join!(scene.ask("f:live", json!({})), scene.ask("f:1", json!({})));
    assert_eq!((&a[0], &b[0]), (&json!("provisioned-concurrency"), &json!("provisioned-concurrency")));
    assert_eq!(scene.ask("f", json!({})).await[0], "on-demand");
    let listed = scene.call("ListProvisionedConcurrencyConfigs", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(listed["ProvisionedConcurrencyConfigs"][0]["Status"], "READY", "they stay though idle");
    scene.call("DeleteProvisionedConcurrencyConfig", of("live", json!({}))).await.unwrap();
    let gone = scene.call("GetProvisionedConcurrencyConfig", of("live", json!({}))).await.unwrap_err();
    assert_eq!(gone.code, "ProvisionedConcurrencyConfigNotFoundException");
    background.stop().await;
}

async fn an_init_that_fails_is_told() {
    let (scene, background) = scene("raise ValueError('no init')\n").await;
    let put = of("1", json!({"ProvisionedConcurrentExecutions": 1}));
    scene.call("PutProvisionedConcurrencyConfig", put).await.unwrap();
    let found = settled(&scene, "1").await;
    assert_eq!(found["Status"], "FAILED");
    assert!(found["StatusReason"].as_str().unwrap().contains("no init"), "{found}");
    background.stop().await;
}

async fn wrong_provisions_are_refused() {
    let (scene, background) = scene(CODE).await;
    let reserve = json!({"FunctionName": "f", "ReservedConcurrentExecutions": 3});
    scene.call("PutFunctionConcurrency", reserve).await.unwrap();
    for (qualifier, count, expected) in [
        ("$LATEST", 1, "InvalidParameterValueException"),
        ("1", 4, "InvalidParameterValueException"),
        ("1", 0, "ValidationException"),
        ("9", 1, "ResourceNotFoundException"),
    ] {
        let put = of(qualifier, json!({"ProvisionedConcurrentExecutions": count}));
        let refused = scene.call("PutProvisionedConcurrencyConfig", put).await.unwrap_err();
        assert_eq!(refused.code, expected, "{qualifier} {count}: {refused}");
    }
    background.stop().await;
}
