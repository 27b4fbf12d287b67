//! API keys, usage plans and their quotas.

use http::Request;
use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Gateway, mock};

const HOST: &str = "a.execute-api.us-east-1.localhost:4566";

/// `/a` and `/b` want a key; the API's id.
async fn keyed(gateway: &Gateway<'_>) -> String {
    let mut method = mock("200", "ok");
    method["security"] = json!([{ "key": [] }]);
    let schemes = json!({ "securityDefinitions": { "key": { "type": "apiKey", "name": "x-api-key", "in": "header" } } });
    gateway.deploy_with(json!({ "/a": { "get": method }, "/b": { "get": method }, "/c": { "x-amazon-apigateway-any-method": method } }), schemes).await
}

async fn ask(gateway: &Gateway<'_>, api: &str, path: &str, key: Option<&str>) -> (u16, String) {
    let mut request = Request::get(format!("/s{path}")).header("host", HOST);
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    let (status, _, body) = gateway.request(api, request, "").await;
    (status, body)
}

fn patch(more: Value, op: &str, path: &str, value: &str) -> Value {
    let mut input = more;
    input["patchOperations"] = json!([{ "op": op, "path": path, "value": value }]);
    input
}

/// A key in a plan of the API's stage: the plan's id, the key's id and value.
async fn planned(gateway: &Gateway<'_>, api: &str, more: Value) -> (String, String, String) {
    let mut plan = json!({ "name": "p", "apiStages": [{ "apiId": api, "stage": "s" }] });
    plan.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let plan = gateway.must("CreateUsagePlan", plan).await["id"].as_str().unwrap().to_owned();
    let key = gateway.must("CreateApiKey", json!({ "name": "k", "enabled": true })).await;
    let text = |field: &str| key[field].as_str().unwrap().to_owned();
    let member = json!({ "usagePlanId": plan, "keyId": key["id"], "keyType": "API_KEY" });
    gateway.must("CreateUsagePlanKey", member).await;
    (plan, text("id"), text("value"))
}

const FORBIDDEN: (u16, &str) = (403, r#"{"message":"Forbidden"}"#);
const EXCEEDED: (u16, &str) = (429, r#"{"message":"Limit Exceeded"}"#);
const THROTTLED: (u16, &str) = (429, r#"{"message":"Too Many Requests"}"#);

fn owned((status, body): (u16, &str)) -> (u16, String) {
    (status, body.to_owned())
}

#[tokio::test]
async fn a_method_that_wants_a_key_takes_those_of_its_stages_plans() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = keyed(&gateway).await;
    let (plan, id, value) = planned(&gateway, &api, json!({})).await;
    let stranger =
        gateway.must("CreateApiKey", json!({ "name": "x", "enabled": true, "value": "v".repeat(20) })).await;
    assert_eq!(ask(&gateway, &api, "/a", None).await, owned(FORBIDDEN));
    assert_eq!(ask(&gateway, &api, "/a", Some("nonsense")).await, owned(FORBIDDEN));
    assert_eq!(ask(&gateway, &api, "/a", stranger["value"].as_str()).await, owned(FORBIDDEN));
    assert_eq!(ask(&gateway, &api, "/a", Some(&value)).await, (200, "ok".into()));

    gateway.must("UpdateApiKey", patch(json!({ "apiKey": id }), "replace", "/enabled", "false")).await;
    assert_eq!(ask(&gateway, &api, "/a", Some(&value)).await, owned(FORBIDDEN));
    gateway.must("UpdateApiKey", patch(json!({ "apiKey": id }), "replace", "/enabled", "true")).await;
    assert_eq!(ask(&gateway, &api, "/a", Some(&value)).await.0, 200);
    let stage = format!("{api}:s");
    gateway
        .must("UpdateUsagePlan", patch(json!({ "usagePlanId": plan }), "remove", "/apiStages", &stage))
        .await;
    assert_eq!(ask(&gateway, &api, "/a", Some(&value)).await, owned(FORBIDDEN));
    gateway.must("UpdateUsagePlan", patch(json!({ "usagePlanId": plan }), "add", "/apiStages", &stage)).await;
    assert_eq!(ask(&gateway, &api, "/a", Some(&value)).await.0, 200);
    gateway.must("DeleteApiKey", json!({ "apiKey": id })).await;
    assert_eq!(ask(&gateway, &api, "/a", Some(&value)).await, owned(FORBIDDEN));
}

#[tokio::test]
async fn a_plan_throttles_each_of_its_keys() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = keyed(&gateway).await;
    let more = json!({
        "apiStages": [{ "apiId": api, "stage": "s", "throttle": { "/b/GET": { "rateLimit": 1.0, "burstLimit": 1 }, "/c/ANY": { "rateLimit": 1.0, "burstLimit": 1 } } }],
        "throttle": { "rateLimit": 1.0, "burstLimit": 2 },
    });
    let (plan, _, value) = planned(&gateway, &api, more).await;
    let other = gateway.must("CreateApiKey", json!({ "name": "o", "enabled": true })).await;
    gateway
        .must(
            "CreateUsagePlanKey",
            json!({ "usagePlanId": plan, "keyId": other["id"], "keyType": "API_KEY" }),
        )
        .await;
    for expected in [(200, "ok"), (200, "ok"), THROTTLED] {
        assert_eq!(ask(&gateway, &api, "/a", Some(&value)).await, owned(expected));
    }
    // A method with limits of its own, and another key, have buckets of their own.
    for expected in [(200, "ok"), THROTTLED] {
        assert_eq!(ask(&gateway, &api, "/b", Some(&value)).await, owned(expected));
    }
    for expected in [(200, "ok"), THROTTLED] {
        assert_eq!(ask(&gateway, &api, "/c", Some(&value)).await, owned(expected));
    }
    assert_eq!(ask(&gateway, &api, "/a", other["value"].as_str()).await.0, 200);
}

#[tokio::test]
async fn a_quota_holds_for_its_period_and_over_restarts() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = keyed(&gateway).await;
    let quota = json!({ "quota": { "limit": 3, "period": "DAY" } });
    let (plan, id, value) = planned(&gateway, &api, quota).await;
    let usage = json!({ "usagePlanId": plan, "startDate": "2026-01-14", "endDate": "2026-01-15" });
    for expected in [(200, "ok"), (200, "ok")] {
        assert_eq!(ask(&gateway, &api, "/a", Some(&value)).await, owned(expected));
    }
    assert_eq!(gateway.must("GetUsage", usage.clone()).await["items"][&id], json!([[0, 3], [2, 1]]));
    // Another process over the same store goes on counting.
    let again = Gateway::new(&world);
    for expected in [(200, "ok"), EXCEEDED, EXCEEDED] {
        assert_eq!(ask(&again, &api, "/a", Some(&value)).await, owned(expected));
    }
    let more = patch(json!({ "usagePlanId": plan, "keyId": id }), "replace", "/remaining", "1");
    assert_eq!(again.must("UpdateUsage", more).await["items"][&id], json!([[2, 1]]));
    for expected in [(200, "ok"), EXCEEDED] {
        assert_eq!(ask(&again, &api, "/a", Some(&value)).await, owned(expected));
    }
    world.advance_hours(12);
    assert_eq!(ask(&again, &api, "/a", Some(&value)).await.0, 200);
}

#[tokio::test]
async fn a_portion_is_counted_before_it_is_used() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = keyed(&gateway).await;
    let (_, _, value) = planned(&gateway, &api, json!({ "quota": { "limit": 250, "period": "WEEK" } })).await;
    assert_eq!(ask(&gateway, &api, "/a", Some(&value)).await.0, 200);
    // Each crash costs what was counted ahead, and gives nothing.
    let mut passed = 1;
    for _ in 0..200 {
        let crashed = Gateway::new(&world);
        passed += usize::from(ask(&crashed, &api, "/a", Some(&value)).await.0 == 200);
    }
    assert_eq!(passed, 125);
}

#[tokio::test]
async fn an_authorizer_can_tell_the_key() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = keyed(&gateway).await;
    let (.., value) = planned(&gateway, &api, json!({})).await;
    let source = patch(json!({ "restApiId": api }), "replace", "/apiKeySource", "AUTHORIZER");
    assert_eq!(gateway.must("UpdateRestApi", source).await["apiKeySource"], "AUTHORIZER");
    // Nobody tells it here: the header does not count any more.
    assert_eq!(ask(&gateway, &api, "/a", Some(&value)).await, owned(FORBIDDEN));
}

#[tokio::test]
async fn values_are_sealed_and_told_only_when_asked_for() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let value = "a-value-that-nobody-may-find";
    let made = gateway.must("CreateApiKey", json!({ "name": "k", "value": value })).await;
    assert_eq!(made["value"], value);
    let of = |more: Value| {
        let mut input = json!({ "apiKey": made["id"] });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(gateway.must("GetApiKey", of(json!({}))).await["value"], Value::Null);
    assert_eq!(gateway.must("GetApiKey", of(json!({ "includeValue": true }))).await["value"], value);
    assert_eq!(gateway.must("GetApiKeys", json!({})).await["items"][0]["value"], Value::Null);
    assert_eq!(
        gateway.must("GetApiKeys", json!({ "includeValues": true })).await["items"][0]["value"],
        value
    );
    for (input, code) in [
        (json!({ "name": "again", "value": value }), "ConflictException"),
        (json!({ "name": "short", "value": "short" }), "BadRequestException"),
    ] {
        assert_eq!(gateway.client.refused("apigateway", "CreateApiKey", input).await, code);
    }
}

#[tokio::test]
async fn keys_are_imported_into_their_plans() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = keyed(&gateway).await;
    let (plan, ..) = planned(&gateway, &api, json!({})).await;
    let import = |text: String, strict: bool| {
        use base64::Engine as _;
        let body = base64::engine::general_purpose::STANDARD.encode(text);
        json!({ "format": "csv", "body": body, "failOnWarnings": strict })
    };
    let (one, two) = ("1".repeat(20), "2".repeat(20));
    let file = format!("name,key,enabled,usageplanIds\nA,{one},true,{plan}\nB,{two},true,none\n");
    let refused = gateway.client.refused("apigateway", "ImportApiKeys", import(file.clone(), true)).await;
    assert_eq!(refused, "BadRequestException");
    assert_eq!(gateway.must("GetApiKeys", json!({})).await["items"].as_array().unwrap().len(), 1);
    let imported = gateway.must("ImportApiKeys", import(file, false)).await;
    assert_eq!(imported["ids"].as_array().unwrap().len(), 2);
    assert_eq!(imported["warnings"].as_array().unwrap().len(), 1);
    assert_eq!(ask(&gateway, &api, "/a", Some(&one)).await.0, 200);
    assert_eq!(ask(&gateway, &api, "/a", Some(&two)).await.0, 403);
    let keys = gateway.must("GetUsagePlanKeys", json!({ "usagePlanId": plan, "nameQuery": "A" })).await;
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn plans_are_patched_and_checked() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = keyed(&gateway).await;
    let (plan, id, _) = planned(&gateway, &api, json!({})).await;
    let stage = format!("/apiStages/{api}:s/throttle/~1a/GET");
    let of = || json!({ "usagePlanId": plan });
    for (op, path, value) in [
        ("replace", "/name", "q"),
        ("add", "/throttle/rateLimit", "2.5"),
        ("replace", "/throttle/burstLimit", "7"),
        ("add", "/quota/limit", "9"),
        ("replace", "/quota/period", "MONTH"),
        ("replace", "/quota/offset", "27"),
        ("add", &format!("{stage}/rateLimit"), "1"),
        ("add", &format!("{stage}/burstLimit"), "2"),
    ] {
        gateway.must("UpdateUsagePlan", patch(of(), op, path, value)).await;
    }
    let found = gateway.must("GetUsagePlan", of()).await;
    for (pointer, expected) in [
        ("/name", json!("q")),
        ("/throttle", json!({ "burstLimit": 7, "rateLimit": 2.5 })),
        ("/quota", json!({ "limit": 9, "offset": 27, "period": "MONTH" })),
        ("/apiStages/0/throttle/~1a~1GET", json!({ "burstLimit": 2, "rateLimit": 1.0 })),
    ] {
        assert_eq!(found.pointer(pointer), Some(&expected), "{pointer}");
    }
    for (op, path, value) in [
        ("replace", "/quota/offset", "28"),
        ("replace", "/quota/period", "YEAR"),
        ("replace", "/throttle/rateLimit", "-1"),
        ("add", "/apiStages", "none:s"),
        ("replace", "/nothing", "x"),
    ] {
        let refused =
            gateway.client.refused("apigateway", "UpdateUsagePlan", patch(of(), op, path, value)).await;
        assert_eq!(refused, "BadRequestException", "{path} {value}");
    }
    assert_eq!(gateway.must("GetUsagePlan", of()).await, found);
    assert_eq!(gateway.client.refused("apigateway", "DeleteUsagePlan", of()).await, "BadRequestException");
    let again = json!({ "usagePlanId": plan, "keyId": id, "keyType": "API_KEY" });
    assert_eq!(gateway.client.refused("apigateway", "CreateUsagePlanKey", again).await, "ConflictException");
    gateway.must("UpdateUsagePlan", patch(of(), "remove", "/apiStages", &format!("{api}:s"))).await;
    gateway.must("DeleteUsagePlan", of()).await;
    assert_eq!(gateway.client.refused("apigateway", "GetUsagePlan", of()).await, "NotFoundException");
}
