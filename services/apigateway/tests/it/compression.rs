//! Compressed requests and answers.

use http::Request;
use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Gateway, mock, proxy};

const HOST: &str = "a.execute-api.us-east-1.localhost:4566";
/// `gzip` of `{"n":1}`.
const PACKED: &str = "H4sIAAAAAAACA6tWylOyMqwFAH47S9QHAAAA";

async fn set(gateway: &Gateway<'_>, api: &str, size: &str) -> Value {
    let patches = json!([{ "op": "replace", "path": "/minimumCompressionSize", "value": size }]);
    gateway.must("UpdateRestApi", json!({ "restApiId": api, "patchOperations": patches })).await
}

#[tokio::test]
async fn answers_are_compressed_where_the_api_says_so() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let (long, short) = ("x".repeat(200), "x".repeat(99));
    let api = gateway
        .deploy(json!({ "/long": { "get": mock("200", &long) }, "/short": { "get": mock("200", &short) } }))
        .await;
    let coding = async |path: &str, accepted: &str| {
        let request = Request::get(path).header("host", HOST).header("accept-encoding", accepted);
        let (status, headers, length) = gateway.length(&api, request).await;
        assert_eq!(status, 200);
        (headers.get("content-encoding").map(|coding| coding.to_str().unwrap().to_owned()), length)
    };
    assert_eq!(coding("/s/long", "gzip").await, (None, 200), "nobody has asked for it");
    assert_eq!(set(&gateway, &api, "100").await["minimumCompressionSize"], 100);
    for name in ["gzip", "deflate"] {
        let (coded, length) = coding("/s/long", name).await;
        assert_eq!(coded.as_deref(), Some(name));
        assert!(length < 100, "{length}");
    }
    assert_eq!(coding("/s/short", "gzip").await, (None, 99));
    assert_eq!(coding("/s/long", "br, gzip").await, (None, 200));
    assert_eq!(set(&gateway, &api, "").await.get("minimumCompressionSize"), None);
    assert_eq!(coding("/s/long", "gzip").await, (None, 200));
    for size in ["-1", "10485761", "x"] {
        let patches = json!([{ "op": "replace", "path": "/minimumCompressionSize", "value": size }]);
        let input = json!({ "restApiId": api, "patchOperations": patches });
        assert_eq!(gateway.client.refused("apigateway", "UpdateRestApi", input).await, "BadRequestException");
    }
}

#[tokio::test]
async fn integrations_get_requests_as_they_were() {
    use base64::Engine as _;
    let world = World::new();
    let gateway = Gateway::new(&world);
    *gateway.function.answer.lock().unwrap() = json!({ "statusCode": 200, "body": "" }).to_string();
    let api = gateway.deploy(json!({ "/a": { "post": proxy() } })).await;
    let packed = base64::engine::general_purpose::STANDARD.decode(PACKED).unwrap();
    let request = || Request::post("/s/a").header("host", HOST).header("content-encoding", "gzip");
    assert_eq!(gateway.send(&api, request(), packed).await, 200);
    let (_, invocation) = gateway.function.asked.lock().unwrap().take().unwrap();
    let event: Value = serde_json::from_slice(&invocation.payload).unwrap();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{\"n\":1}"), &json!(false)));
    assert!(event["headers"].get("content-encoding").is_none(), "{event}");
    assert_eq!(gateway.send(&api, request(), b"no gzip".to_vec()).await, 400);
    assert!(gateway.function.asked.lock().unwrap().is_none());
}
