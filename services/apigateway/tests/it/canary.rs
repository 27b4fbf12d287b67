//! Canaries: deployments that take a share of their stages' requests.

use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Gateway, mock};

fn method(body: &str) -> Value {
    mock("200", &format!("{body} $stageVariables.v $context.isCanaryRequest"))
}

/// An API that has changed since it was deployed.
async fn changed(gateway: &Gateway<'_>) -> (String, String) {
    let api = gateway.deploy(json!({ "/a": { "get": method("old") } })).await;
    let set = json!([{ "op": "replace", "path": "/variables/v", "value": "1" }]);
    let stage = patched(gateway, &api, set).await;
    let resources = gateway.must("GetResources", json!({ "restApiId": api })).await;
    let resources = resources["items"].as_array().unwrap();
    let resource = resources.iter().find(|one| one["path"] == "/a").unwrap()["id"].clone();
    let response = json!({ "restApiId": api, "resourceId": resource, "httpMethod": "GET", "statusCode": "200",
        "responseTemplates": { "application/json": "new $stageVariables.v $context.isCanaryRequest" } });
    gateway.must("PutIntegrationResponse", response).await;
    (api, stage["deploymentId"].as_str().unwrap().to_owned())
}

async fn patched(gateway: &Gateway<'_>, api: &str, patches: Value) -> Value {
    let input = json!({ "restApiId": api, "stageName": "s", "patchOperations": patches });
    gateway.must("UpdateStage", input).await
}

/// How many of a hundred requests each answer was to.
async fn answers(gateway: &Gateway<'_>, api: &str) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..100 {
        *counts.entry(gateway.get(api, "/s/a").await.1).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

#[tokio::test]
async fn a_canary_takes_its_share_and_is_promoted() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let (api, old) = changed(&gateway).await;
    let settings = json!({ "percentTraffic": 30.0, "stageVariableOverrides": { "v": "2" } });
    let canary = gateway
        .must("CreateDeployment", json!({ "restApiId": api, "stageName": "s", "canarySettings": settings }))
        .await["id"]
        .clone();
    let stage = gateway.must("GetStage", json!({ "restApiId": api, "stageName": "s" })).await;
    assert_eq!((&stage["deploymentId"], &stage["canarySettings"]["deploymentId"]), (&json!(old), &canary));
    assert_eq!(stage["canarySettings"]["percentTraffic"].as_f64(), Some(30.0));
    let shares = answers(&gateway, &api).await;
    assert_eq!((shares[0].0.as_str(), shares[1].0.as_str()), ("new 2 true", "old 1 false"));
    assert!((10..60).contains(&shares[0].1), "{shares:?}");
    for id in [&json!(old), &canary] {
        let deletion = json!({ "restApiId": api, "deploymentId": id });
        let refused = gateway.client.refused("apigateway", "DeleteDeployment", deletion).await;
        assert_eq!(refused, "BadRequestException");
    }
    for (percent, expected) in [("100", "new 2 true"), ("0", "old 1 false")] {
        let patches =
            json!([{ "op": "replace", "path": "/canarySettings/percentTraffic", "value": percent }]);
        patched(&gateway, &api, patches).await;
        assert_eq!(answers(&gateway, &api).await, [(expected.to_owned(), 100)]);
    }
    let promoted = json!([
        { "op": "replace", "path": "/canarySettings/percentTraffic", "value": "0.0" },
        { "op": "copy", "from": "/canarySettings/stageVariableOverrides", "path": "/variables" },
        { "op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId" },
    ]);
    let stage = patched(&gateway, &api, promoted).await;
    assert_eq!((&stage["deploymentId"], &stage["variables"]["v"]), (&canary, &json!("2")));
    assert_eq!(answers(&gateway, &api).await, [("new 2 false".to_owned(), 100)]);
    let removed = patched(&gateway, &api, json!([{ "op": "remove", "path": "/canarySettings" }])).await;
    assert_eq!(removed.get("canarySettings"), None);
    // Back to the older one.
    patched(&gateway, &api, json!([{ "op": "replace", "path": "/deploymentId", "value": old }])).await;
    assert_eq!(answers(&gateway, &api).await, [("old 2 ".to_owned(), 100)]);
}

#[tokio::test]
async fn a_canary_has_the_stages_cache_if_it_is_told_to() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let (api, _) = changed(&gateway).await;
    let settings = json!({ "percentTraffic": 0.0, "useStageCache": true });
    gateway
        .must("CreateDeployment", json!({ "restApiId": api, "stageName": "s", "canarySettings": settings }))
        .await;
    let on = json!([
        { "op": "replace", "path": "/cacheClusterEnabled", "value": "true" },
        { "op": "replace", "path": "/*/*/caching/enabled", "value": "true" },
    ]);
    patched(&gateway, &api, on).await;
    assert_eq!(gateway.get(&api, "/s/a").await.1, "old 1 false");
    let all = json!([{ "op": "replace", "path": "/canarySettings/percentTraffic", "value": "100" }]);
    patched(&gateway, &api, all).await;
    assert_eq!(gateway.get(&api, "/s/a").await.1, "old 1 false", "kept before");
    let own = json!([{ "op": "replace", "path": "/canarySettings/useStageCache", "value": "false" }]);
    patched(&gateway, &api, own).await;
    assert_eq!(gateway.get(&api, "/s/a").await.1, "new 1 true");
    let none = json!([{ "op": "replace", "path": "/canarySettings/percentTraffic", "value": "0" }]);
    patched(&gateway, &api, none).await;
    assert_eq!(gateway.get(&api, "/s/a").await.1, "old 1 false", "the stage's is as it was");
}

#[tokio::test]
async fn canaries_are_checked() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let (api, _) = changed(&gateway).await;
    for input in [
        json!({ "restApiId": api, "stageName": "none", "canarySettings": { "percentTraffic": 1.0 } }),
        json!({ "restApiId": api, "canarySettings": { "percentTraffic": 1.0 } }),
        json!({ "restApiId": api, "stageName": "s", "canarySettings": { "percentTraffic": 101.0 } }),
        json!({ "restApiId": api, "stageName": "s", "canarySettings": {}, "variables": { "a": "1" } }),
        json!({ "restApiId": api, "stageName": "s", "canarySettings": {}, "cacheClusterEnabled": true }),
        json!({ "restApiId": api, "stageName": "s", "canarySettings": {}, "cacheClusterSize": "0.5" }),
        json!({ "restApiId": api, "stageName": "s", "canarySettings": { "stageVariableOverrides": { "a": "é" } } }),
    ] {
        let refused = gateway.client.refused("apigateway", "CreateDeployment", input.clone()).await;
        assert_eq!(refused, "BadRequestException", "{input}");
    }
    for (patch, code) in [
        (
            json!({ "op": "replace", "path": "/canarySettings/percentTraffic", "value": "-1" }),
            "BadRequestException",
        ),
        (
            json!({ "op": "replace", "path": "/canarySettings/percentTraffic", "value": "x" }),
            "BadRequestException",
        ),
        (
            json!({ "op": "replace", "path": "/canarySettings/deploymentId", "value": "x" }),
            "NotFoundException",
        ),
        (json!({ "op": "replace", "path": "/canarySettings/other", "value": "x" }), "BadRequestException"),
        (
            json!({ "op": "copy", "path": "/deploymentId", "from": "/canarySettings/deploymentId" }),
            "BadRequestException",
        ),
        (json!({ "op": "copy", "path": "/deploymentId", "from": "/description" }), "BadRequestException"),
        (json!({ "op": "move", "path": "/deploymentId", "from": "/description" }), "NotImplemented"),
    ] {
        let input = json!({ "restApiId": api, "stageName": "s", "patchOperations": [patch] });
        assert_eq!(gateway.client.refused("apigateway", "UpdateStage", input).await, code, "{patch}");
    }
}
