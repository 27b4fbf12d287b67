//! Calls to deployed APIs.

use http::Request;
use pagoda_policy::Principal;
use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Gateway, mock, proxy};

const HOST: &str = "a.execute-api.us-east-1.localhost:4566";

#[tokio::test]
async fn a_mock_answers_by_itself() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.deploy(json!({ "/pets/{id}": { "get": mock("202", "{\"a\":1}") } })).await;
    let (status, headers, body) =
        gateway.request(&api, Request::get("/s/pets/7").header("host", HOST), "").await;
    assert_eq!((status, body.as_str(), headers["x-mock"].to_str().unwrap()), (202, "{\"a\":1}", "yes"));
    for (uri, message) in [
        ("/s/none", r#"{"message":"Missing Authentication Token"}"#),
        ("/none/pets/7", r#"{"message":"Forbidden"}"#),
    ] {
        assert_eq!(gateway.get(&api, uri).await, (403, message.to_owned()), "{uri}");
    }
}

#[tokio::test]
async fn a_function_gets_the_request_as_an_event() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    *gateway.function.answer.lock().unwrap() =
        json!({ "statusCode": 201, "headers": { "X-One": "1" }, "multiValueHeaders": { "X-Two": ["a", "b"] }, "body": "done" })
            .to_string();
    let api = gateway.deploy(json!({ "/pets/{id}": { "post": proxy() } })).await;
    let request = Request::post("/s/pets/a%20b?x=1&x=2").header("host", HOST).header("x-own", "v");
    let (status, headers, body) = gateway.request(&api, request, "{\"n\":1}").await;
    assert_eq!((status, body.as_str()), (201, "done"));
    assert_eq!(headers["x-one"], "1");
    assert_eq!(headers.get_all("x-two").iter().count(), 2);

    let (caller, invocation) = gateway.function.asked.lock().unwrap().take().unwrap();
    assert_eq!(caller.principal, Principal::Service("apigateway.amazonaws.com".into()));
    let source = format!("arn:aws:execute-api:us-east-1:123456789012:{api}/s/POST/pets/{{id}}");
    assert_eq!(invocation.source_arn, Some(source));
    let event: Value = serde_json::from_slice(&invocation.payload).unwrap();
    for (pointer, expected) in [
        ("/resource", json!("/pets/{id}")),
        ("/path", json!("/pets/a%20b")),
        ("/httpMethod", json!("POST")),
        ("/headers/x-own", json!("v")),
        ("/headers/Host", json!(HOST)),
        ("/queryStringParameters", json!({ "x": "2" })),
        ("/multiValueQueryStringParameters", json!({ "x": ["1", "2"] })),
        ("/pathParameters", json!({ "id": "a b" })),
        ("/stageVariables", Value::Null),
        ("/body", json!("{\"n\":1}")),
        ("/isBase64Encoded", json!(false)),
        ("/requestContext/stage", json!("s")),
        ("/requestContext/path", json!("/s/pets/a%20b")),
        ("/requestContext/apiId", json!(api)),
        ("/requestContext/requestTime", json!("15/Jan/2026:12:00:00 +0000")),
        ("/requestContext/identity/sourceIp", json!("127.0.0.1")),
        ("/requestContext/identity/userArn", Value::Null),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_a_bad_gateway() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.deploy(json!({ "/": { "get": proxy() } })).await;
    for answer in [
        "",
        "null",
        "5",
        "{\"statusCode\":\"x\"}",
        "{\"body\":{}}",
        "{\"unknown\":1}",
        "{\"headers\":{\"a\":[]}}",
    ] {
        *gateway.function.answer.lock().unwrap() = answer.into();
        assert_eq!(
            gateway.get(&api, "/s").await,
            (502, r#"{"message":"Internal server error"}"#.into()),
            "{answer}"
        );
    }
    *gateway.function.answer.lock().unwrap() = "{\"body\":\"fine\"}".into();
    assert_eq!(gateway.get(&api, "/s").await, (200, "fine".into()));
    *gateway.function.fails.lock().unwrap() = true;
    assert_eq!(gateway.get(&api, "/s").await.0, 502);
}

#[tokio::test]
async fn iam_decides_where_a_method_asks_for_it() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    *gateway.function.answer.lock().unwrap() = "{}".into();
    let mut method = proxy();
    method["security"] = json!([{ "iam": [] }]);
    let api = gateway.deploy(json!({ "/": { "get": method } })).await;
    let ask = |authorization: Option<&'static str>| {
        let request = Request::get("/s").header("host", HOST);
        match authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        }
    };
    let (status, _, body) = gateway.request(&api, ask(None), "").await;
    assert_eq!((status, body.as_str()), (403, r#"{"message":"Missing Authentication Token"}"#));
    let (status, headers, _) = gateway.request(&api, ask(Some("forged")), "").await;
    assert_eq!((status, headers["x-amzn-errortype"].to_str().unwrap()), (403, "InvalidSignatureException"));
    assert!(gateway.function.asked.lock().unwrap().is_none());
    assert_eq!(gateway.request(&api, ask(Some("root")), "").await.0, 200);
    let (_, invocation) = gateway.function.asked.lock().unwrap().take().unwrap();
    let event: Value = serde_json::from_slice(&invocation.payload).unwrap();
    assert_eq!(
        event.pointer("/requestContext/identity/userArn"),
        Some(&json!("arn:aws:iam::123456789012:root"))
    );
}

#[tokio::test]
async fn requests_are_measured_by_api_stage_and_method() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway
        .deploy(json!({ "/p": { "get": mock("202", "1"), "post": proxy(), "put": mock("200", "1") } }))
        .await;
    let patches: Vec<_> = [("/*/*/metrics/enabled", "true"), ("/p/PUT/metrics/enabled", "false")]
        .iter()
        .map(|(path, value)| json!({ "op": "replace", "path": path, "value": value }))
        .collect();
    let stage = json!({ "restApiId": api, "stageName": "s", "patchOperations": patches });
    let stage = gateway.must("UpdateStage", stage).await;
    assert_eq!(stage["methodSettings"]["*/*"]["metricsEnabled"], true);
    gateway.get(&api, "/s/p").await;
    gateway.get(&api, "/s/none").await;
    *gateway.function.answer.lock().unwrap() = "no answer of a proxy".into();
    gateway.request(&api, Request::post("/s/p").header("host", HOST), "").await;
    gateway.get(&api, "/none/p").await;
    let measured = |name: &str| gateway.measured.of(name);
    let name =
        gateway.must("GetRestApi", json!({ "restApiId": api })).await["name"].as_str().unwrap().to_owned();
    assert_eq!(measured(&format!("Count {name}")).len(), 3);
    assert_eq!(measured(&format!("4XXError {name} s")), [0.0, 1.0, 0.0]);
    assert_eq!(measured(&format!("5XXError {name} s")), [0.0, 0.0, 1.0]);
    assert_eq!(measured(&format!("Latency {name} s GET /p")).len(), 1);
    assert_eq!(measured(&format!("5XXError {name} s POST /p")), [1.0]);
    assert_eq!(measured(&format!("IntegrationLatency {name} s POST /p")).len(), 1);
    assert!(measured(&format!("IntegrationLatency {name} s GET /p")).is_empty());
    gateway.request(&api, Request::put("/s/p").header("host", HOST), "").await;
    assert_eq!(measured(&format!("Count {name} s")).len(), 4);
    assert!(measured(&format!("Count {name} s PUT /p")).is_empty(), "it has none of its own");
}

#[tokio::test]
async fn a_stage_takes_so_many_requests_and_no_more() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api =
        gateway.deploy(json!({ "/a": { "get": mock("200", "1") }, "/b": { "get": mock("200", "1") } })).await;
    let patched = |op: &str, path: &str, value: &str| json!({ "restApiId": api, "stageName": "s", "patchOperations": [{ "op": op, "path": path, "value": value }] });
    for (path, value) in [
        ("/*/*/throttling/rateLimit", "1"),
        ("/*/*/throttling/burstLimit", "2"),
        ("/~1b/GET/throttling/rateLimit", "0"),
    ] {
        gateway.must("UpdateStage", patched("replace", path, value)).await;
    }
    let stage = gateway.must("GetStage", json!({ "restApiId": api, "stageName": "s" })).await;
    assert_eq!(stage["methodSettings"]["*/*"]["throttlingBurstLimit"], 2);
    assert_eq!(stage["methodSettings"]["b/GET"]["throttlingRateLimit"].as_f64(), Some(0.0));
    for expected in [200, 200, 429] {
        assert_eq!(gateway.get(&api, "/s/a").await.0, expected);
    }
    // A change of the API fills no bucket.
    gateway.must("UpdateStage", patched("replace", "/description", "d")).await;
    let throttled = (429, r#"{"message":"Too Many Requests"}"#.to_owned());
    assert_eq!(gateway.get(&api, "/s/a").await, throttled);
    assert_eq!(gateway.get(&api, "/s/b").await, throttled);
    world.advance_hours(1);
    assert_eq!(gateway.get(&api, "/s/a").await.0, 200);
    gateway.must("UpdateStage", patched("remove", "/~1b/GET", "")).await;
    assert_eq!(gateway.get(&api, "/s/b").await.0, 200);
    for (path, value, code) in [
        ("/*/*/throttling/rateLimit", "x", "BadRequestException"),
        ("/*/*/throttling/rateLimit", "-2", "BadRequestException"),
        ("/*/*/throttling/other", "1", "BadRequestException"),
    ] {
        let refused =
            gateway.client.refused("apigateway", "UpdateStage", patched("replace", path, value)).await;
        assert_eq!(refused, code, "{path} {value}");
    }
}
