//! Words about APIs, and their versions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Gateway, mock};

fn with(base: &Value, more: Value) -> Value {
    let mut input = base.clone();
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[tokio::test]
async fn parts_are_kept_by_their_places() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = json!({ "restApiId": gateway.deploy(json!({ "/a": { "get": mock("200", "1") } })).await });
    let part = |location: Value, properties: &str| {
        with(&api, json!({ "location": location, "properties": properties }))
    };
    let made = gateway
        .must(
            "CreateDocumentationPart",
            part(json!({ "type": "METHOD", "path": "/a", "method": "GET" }), "{\"summary\":\"s\"}"),
        )
        .await;
    assert_eq!(made["location"], json!({ "type": "METHOD", "path": "/a", "method": "GET" }));
    let everywhere = gateway
        .must("CreateDocumentationPart", part(json!({ "type": "RESPONSE_HEADER", "name": "X" }), "{}"))
        .await;
    assert_eq!(
        everywhere["location"],
        json!({ "type": "RESPONSE_HEADER", "path": "/", "method": "*", "statusCode": "*", "name": "X" })
    );
    for (location, properties, code) in [
        (json!({ "type": "METHOD", "path": "/a", "method": "GET" }), "{}", "ConflictException"),
        (json!({ "type": "API", "path": "/a" }), "{}", "BadRequestException"),
        (json!({ "type": "MODEL" }), "{}", "BadRequestException"),
        (json!({ "type": "API" }), "[]", "BadRequestException"),
        (json!({ "type": "API" }), "x", "BadRequestException"),
    ] {
        let refused = gateway
            .client
            .refused("apigateway", "CreateDocumentationPart", part(location.clone(), properties))
            .await;
        assert_eq!(refused, code, "{location} {properties}");
    }
    let list = async |more: Value| {
        let listed = gateway.must("GetDocumentationParts", with(&api, more)).await;
        listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["location"]["type"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(json!({})).await.len(), 2);
    assert_eq!(list(json!({ "type": "METHOD" })).await, ["METHOD"]);
    assert_eq!(list(json!({ "nameQuery": "X" })).await, ["RESPONSE_HEADER"]);
    assert_eq!(list(json!({ "path": "/a" })).await, ["METHOD"]);
    assert_eq!(list(json!({ "locationStatus": "UNDOCUMENTED" })).await, ["API", "RESOURCE", "RESOURCE"]);
    let place = with(&api, json!({ "documentationPartId": made["id"] }));
    let patches = json!([{ "op": "replace", "path": "/properties", "value": "{\"summary\":\"t\"}" }]);
    gateway.must("UpdateDocumentationPart", with(&place, json!({ "patchOperations": patches }))).await;
    assert_eq!(
        gateway.must("GetDocumentationPart", place.clone()).await["properties"],
        "{\"summary\":\"t\"}"
    );
    gateway.must("DeleteDocumentationPart", place.clone()).await;
    assert_eq!(
        gateway.client.refused("apigateway", "GetDocumentationPart", place).await,
        "NotFoundException"
    );
}

#[tokio::test]
async fn a_version_is_what_the_parts_were() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let id = gateway.deploy(json!({ "/a": { "get": mock("200", "1") } })).await;
    let api = json!({ "restApiId": id });
    let words = |version: &str| {
        let parts = json!([{ "location": { "type": "API" }, "properties": { "description": version } }]);
        json!({ "swagger": "2.0", "info": { "title": "t", "version": "1" }, "paths": {},
            "x-amazon-apigateway-documentation": { "version": version, "documentationParts": parts } })
    };
    let import = |version: &str, mode: &str| {
        with(&api, json!({ "mode": mode, "body": STANDARD.encode(words(version).to_string()) }))
    };
    let first = gateway.must("ImportDocumentationParts", import("1", "overwrite")).await["ids"].clone();
    let version = with(&api, json!({ "documentationVersion": "v1", "stageName": "s" }));
    gateway.must("CreateDocumentationVersion", version.clone()).await;
    assert_eq!(
        gateway.client.refused("apigateway", "CreateDocumentationVersion", version.clone()).await,
        "ConflictException"
    );
    assert_eq!(
        gateway.must("ImportDocumentationParts", import("2", "merge")).await["ids"],
        first,
        "the same place"
    );
    let stage = gateway.must("GetStage", with(&api, json!({ "stageName": "s" }))).await;
    assert_eq!(stage["documentationVersion"], "v1");
    let more =
        json!({ "stageName": "s", "exportType": "swagger", "parameters": { "extensions": "documentation" } });
    let exported = gateway.must("GetExport", with(&api, more)).await;
    let document: Value =
        serde_json::from_slice(&STANDARD.decode(exported["body"].as_str().unwrap()).unwrap()).unwrap();
    let mut expected = words("1")["x-amazon-apigateway-documentation"].clone();
    expected["version"] = json!("v1");
    assert_eq!(document["x-amazon-apigateway-documentation"], expected);
    let place = with(&api, json!({ "documentationVersion": "v1" }));
    assert_eq!(
        gateway.client.refused("apigateway", "DeleteDocumentationVersion", place.clone()).await,
        "ConflictException"
    );
    let patches = json!([{ "op": "replace", "path": "/description", "value": "d" }]);
    gateway.must("UpdateDocumentationVersion", with(&place, json!({ "patchOperations": patches }))).await;
    let listed = gateway.must("GetDocumentationVersions", api.clone()).await;
    assert_eq!(
        (&listed["items"][0]["version"], &listed["items"][0]["description"]),
        (&json!("v1"), &json!("d"))
    );
    let patches = json!([{ "op": "remove", "path": "/documentationVersion" }]);
    gateway.must("UpdateStage", with(&api, json!({ "stageName": "s", "patchOperations": patches }))).await;
    gateway.must("DeleteDocumentationVersion", place.clone()).await;
    assert_eq!(
        gateway.client.refused("apigateway", "GetDocumentationVersion", place).await,
        "NotFoundException"
    );
    let patches = json!([{ "op": "replace", "path": "/documentationVersion", "value": "none" }]);
    let input = with(&api, json!({ "stageName": "s", "patchOperations": patches }));
    assert_eq!(gateway.client.refused("apigateway", "UpdateStage", input).await, "NotFoundException");
}
