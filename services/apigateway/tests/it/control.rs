//! Resources, methods, deployments and stages by hand.

use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Gateway, mock};

#[tokio::test]
async fn an_api_is_built_call_by_call() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.must("CreateRestApi", json!({ "name": "n" })).await;
    let (id, root) = (api["id"].clone(), api["rootResourceId"].clone());
    let child = json!({ "restApiId": id, "parentId": root, "pathPart": "pets" });
    let pets = gateway.must("CreateResource", child.clone()).await;
    assert_eq!(pets["path"], "/pets");
    assert_eq!(gateway.client.refused("apigateway", "CreateResource", child).await, "ConflictException");
    let nothing = json!({ "restApiId": id, "stageName": "s" });
    assert_eq!(
        gateway.client.refused("apigateway", "CreateDeployment", nothing.clone()).await,
        "BadRequestException"
    );

    let method = json!({ "restApiId": id, "resourceId": pets["id"], "httpMethod": "GET" });
    let with = |more: serde_json::Value| {
        let mut input = method.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    gateway.must("PutMethod", with(json!({ "authorizationType": "NONE" }))).await;
    assert_eq!(
        gateway.client.refused("apigateway", "CreateDeployment", nothing.clone()).await,
        "BadRequestException"
    );
    gateway.must("PutMethodResponse", with(json!({ "statusCode": "200" }))).await;
    let templates = json!({ "application/json": "{\"statusCode\": 200}" });
    gateway.must("PutIntegration", with(json!({ "type": "MOCK", "requestTemplates": templates }))).await;
    gateway.must("PutIntegrationResponse", with(json!({ "statusCode": "200" }))).await;
    gateway.must("CreateDeployment", nothing).await;
    let id = id.as_str().unwrap();
    assert_eq!(gateway.get(id, "/s/pets").await.0, 200);

    // What is served is what was deployed, whatever becomes of the definition.
    gateway.must("DeleteMethod", method).await;
    assert_eq!(gateway.get(id, "/s/pets").await.0, 200);
    gateway.must("DeleteRestApi", json!({ "restApiId": id })).await;
    assert_eq!(gateway.get(id, "/s/pets").await, (403, r#"{"message":"Forbidden"}"#.to_owned()));
}

#[tokio::test]
async fn a_deployment_that_a_stage_serves_is_not_deleted() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.deploy(json!({ "/": { "get": crate::world::mock("200", "one") } })).await;
    let stage = gateway.must("GetStage", json!({ "restApiId": api, "stageName": "s" })).await;
    let input = json!({ "restApiId": api, "deploymentId": stage["deploymentId"] });
    assert_eq!(
        gateway.client.refused("apigateway", "DeleteDeployment", input.clone()).await,
        "BadRequestException"
    );
    let newer = gateway.must("CreateDeployment", json!({ "restApiId": api })).await;
    let patch = json!({ "op": "replace", "path": "/deploymentId", "value": newer["id"] });
    gateway
        .must("UpdateStage", json!({ "restApiId": api, "stageName": "s", "patchOperations": [patch] }))
        .await;
    gateway.must("DeleteDeployment", input).await;
    assert_eq!(gateway.get(&api, "/s").await, (200, "one".to_owned()));
}

#[tokio::test]
async fn what_nothing_acts_on_is_refused_by_name() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    for (operation, input) in [
        ("CreateRestApi", json!({ "name": "n", "securityPolicy": "TLS_1_2" })),
        ("CreateRestApi", json!({ "name": "n", "endpointConfiguration": { "types": ["PRIVATE"] } })),
    ] {
        assert_eq!(gateway.client.refused("apigateway", operation, input).await, "NotImplemented");
    }
    assert!(gateway.must("GetRestApis", json!({})).await["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_definitions_parameters_are_the_methods() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let mut operation = crate::world::mock("200", "one");
    operation["parameters"] = json!([
        { "in": "query", "name": "q", "required": true },
        { "in": "header", "name": "X-H" },
        { "in": "body", "name": "b" },
    ]);
    let shared = json!([{ "in": "path", "name": "id", "required": true }]);
    let api = gateway.deploy(json!({ "/{id}": { "parameters": shared, "get": operation } })).await;
    let resources = gateway.must("GetResources", json!({ "restApiId": api })).await;
    let resource = resources["items"].as_array().unwrap().iter().find(|one| one["path"] == "/{id}").unwrap();
    let input = json!({ "restApiId": api, "resourceId": resource["id"], "httpMethod": "GET" });
    let expected = json!({
        "method.request.querystring.q": true, "method.request.header.X-H": false, "method.request.path.id": true,
    });
    assert_eq!(gateway.must("GetMethod", input).await["requestParameters"], expected);
}

#[tokio::test]
async fn reserved_tags_are_refused() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.deploy(json!({ "/": { "get": crate::world::mock("200", "one") } })).await;
    let stage = gateway.must("GetStage", json!({ "restApiId": api, "stageName": "s" })).await;
    let (tags, arn) = (json!({ "aws:x": "1" }), format!("arn:aws:apigateway:us-east-1::/restapis/{api}"));
    let deployed =
        json!({ "restApiId": api, "stageName": "t", "deploymentId": stage["deploymentId"], "tags": tags });
    for (operation, input) in [
        ("CreateRestApi", json!({ "name": "n", "tags": tags })),
        ("CreateStage", deployed),
        ("TagResource", json!({ "resourceArn": arn, "tags": tags })),
        ("UntagResource", json!({ "resourceArn": arn, "tagKeys": ["aws:x"] })),
    ] {
        assert_eq!(
            gateway.client.refused("apigateway", operation, input).await,
            "BadRequestException",
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_definitions_endpoint_is_refused_by_name() {
    use base64::Engine as _;
    let world = World::new();
    let gateway = Gateway::new(&world);
    let endpoint = json!({ "disableExecuteApiEndpoint": true });
    let definition = json!({
        "openapi": "3.0.1", "info": { "title": "t", "version": "1" }, "paths": {},
        "servers": [{ "url": "/", "x-amazon-apigateway-endpoint-configuration": endpoint }],
    });
    let body = base64::engine::general_purpose::STANDARD.encode(definition.to_string());
    let refused = gateway.client.refused("apigateway", "ImportRestApi", json!({ "body": body })).await;
    assert_eq!(refused, "NotImplemented");
    assert!(gateway.must("GetRestApis", json!({})).await["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_resource_moves_with_all_below_it() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway
        .deploy(json!({ "/a/b": { "get": mock("200", "b") }, "/c": { "get": mock("200", "c") } }))
        .await;
    let find = async |path: &str| {
        let all = gateway.must("GetResources", json!({ "restApiId": api })).await;
        let all = all["items"].as_array().unwrap().clone();
        all.iter().find(|one| one["path"] == path).map(|one| one["id"].clone())
    };
    let (root, a, b, c) = (
        find("/").await.unwrap(),
        find("/a").await.unwrap(),
        find("/a/b").await.unwrap(),
        find("/c").await.unwrap(),
    );
    let input = |id: &Value, path: &str, value: &Value| json!({ "restApiId": api, "resourceId": id, "patchOperations": [{ "op": "replace", "path": path, "value": value }] });
    for (id, path, value, code) in [
        (&root, "/pathPart", json!("r"), "BadRequestException"),
        (&a, "/pathPart", json!("c"), "ConflictException"),
        (&a, "/pathPart", json!("{p+}"), "BadRequestException"),
        (&a, "/pathPart", json!("/"), "BadRequestException"),
        (&a, "/parentId", b.clone(), "BadRequestException"),
        (&a, "/parentId", json!("none"), "NotFoundException"),
        (&a, "/path", json!("x"), "BadRequestException"),
        (&json!("none"), "/pathPart", json!("x"), "NotFoundException"),
    ] {
        let refused = gateway.client.refused("apigateway", "UpdateResource", input(id, path, &value)).await;
        assert_eq!(refused, code, "{path} {value}");
    }
    let moved = gateway.must("UpdateResource", input(&a, "/parentId", &c)).await;
    assert_eq!((&moved["path"], &moved["parentId"]), (&json!("/c/a"), &c));
    gateway.must("UpdateResource", input(&c, "/pathPart", &json!("{id}"))).await;
    assert_eq!(find("/{id}/a/b").await, Some(b));
    let deployment = gateway.must("CreateDeployment", json!({ "restApiId": api, "stageName": "s" })).await;
    assert_eq!(gateway.get(&api, "/s/1/a/b").await, (200, "b".to_owned()));
    assert_eq!(gateway.get(&api, "/s/a/b").await.0, 403);
    let described = json!({ "restApiId": api, "deploymentId": deployment["id"],
        "patchOperations": [{ "op": "replace", "path": "/description", "value": "d" }] });
    assert_eq!(gateway.must("UpdateDeployment", described).await["description"], "d");
}

#[tokio::test]
async fn a_method_is_tried_without_a_deployment() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let template = "{\"id\":\"$input.params('id')\",\"q\":\"$input.params('q')\",\"v\":\"$stageVariables.v\",\"stage\":\"$context.stage\",\"h\":\"$input.params('H')\"}";
    let mut method = mock("200", template);
    method["x-amazon-apigateway-integration"]["requestTemplates"]["application/json"] =
        json!("{\"statusCode\": #if($input.path('$.fail'))400#{else}200#end}");
    method["x-amazon-apigateway-integration"]["responses"]["400"] = json!({ "statusCode": "422" });
    method["security"] = json!([{ "iam": [] }]);
    let api = gateway
        .deploy(json!({ "/pets/{id}": { "post": method }, "/other": { "get": mock("200", "1") } }))
        .await;
    let resources = gateway.must("GetResources", json!({ "restApiId": api })).await;
    let resources = resources["items"].as_array().unwrap().clone();
    let resource = resources.iter().find(|one| one["path"] == "/pets/{id}").unwrap()["id"].clone();
    let with = |more: Value| {
        let mut input = json!({ "restApiId": api, "resourceId": resource, "httpMethod": "POST" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let tried = gateway
        .must(
            "TestInvokeMethod",
            with(json!({ "pathWithQueryString": "/pets/7?q=1", "headers": { "H": "h" }, "stageVariables": { "v": "2" } })),
        )
        .await;
    assert_eq!((&tried["status"], &tried["headers"]["x-mock"]), (&json!(200), &json!("yes")));
    let body: Value = serde_json::from_str(tried["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({ "id": "7", "q": "1", "v": "2", "stage": "test-invoke-stage", "h": "h" }));
    let log = tried["log"].as_str().unwrap();
    assert!(
        log.starts_with("Execution log for request ")
            && log.ends_with(" : Method completed with status: 200\n"),
        "{log}"
    );
    let failed = gateway.must("TestInvokeMethod", with(json!({ "body": "{\"fail\": true}" }))).await;
    assert_eq!(failed["status"], 422);
    for (more, code) in [
        (json!({ "httpMethod": "GET" }), "NotFoundException"),
        (json!({ "pathWithQueryString": "/other" }), "BadRequestException"),
        (json!({ "pathWithQueryString": "no path" }), "BadRequestException"),
        (json!({ "headers": { "a b": "c" } }), "BadRequestException"),
        (json!({ "resourceId": "none" }), "NotFoundException"),
        (json!({ "clientCertificateId": "c" }), "NotImplemented"),
    ] {
        let refused = gateway.client.refused("apigateway", "TestInvokeMethod", with(more.clone())).await;
        assert_eq!(refused, code, "{more}");
    }
}

#[tokio::test]
async fn an_api_is_cloned_with_all_that_it_has() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let more = json!({
        "definitions": { "Pet": { "type": "object", "properties": { "kind": { "$ref": "#/definitions/Kind" } } }, "Kind": { "type": "string" } },
        "x-amazon-apigateway-binary-media-types": ["image/png"],
        "x-amazon-apigateway-gateway-responses": { "DEFAULT_4XX": { "statusCode": 418 } },
    });
    let source = gateway.deploy_with(json!({ "/a/b": { "get": mock("200", "b") } }), more).await;
    let clone = gateway.must("CreateRestApi", json!({ "name": "clone", "cloneFrom": source })).await;
    assert_eq!((&clone["name"], &clone["binaryMediaTypes"]), (&json!("clone"), &json!(["image/png"])));
    let id = clone["id"].as_str().unwrap();
    let paths = async |api: &str| {
        let all = gateway.must("GetResources", json!({ "restApiId": api })).await;
        all["items"].as_array().unwrap().iter().map(|one| one["path"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(paths(id).await, paths(&source).await);
    let pet = gateway.must("GetModel", json!({ "restApiId": id, "modelName": "Pet" })).await;
    assert!(pet["schema"].as_str().unwrap().contains(&format!("/restapis/{id}/models/Kind")), "{pet}");
    gateway.must("CreateDeployment", json!({ "restApiId": id, "stageName": "s" })).await;
    assert_eq!(gateway.get(id, "/s/a/b").await, (200, "b".to_owned()));
    assert_eq!(gateway.get(id, "/s/none").await.0, 418);
    gateway.must("DeleteRestApi", json!({ "restApiId": source })).await;
    assert_eq!(gateway.get(id, "/s/a/b").await.0, 200, "they share nothing");
    let missing = json!({ "name": "n", "cloneFrom": source });
    assert_eq!(gateway.client.refused("apigateway", "CreateRestApi", missing).await, "NotFoundException");
}
