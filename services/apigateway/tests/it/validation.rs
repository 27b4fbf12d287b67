//! Models and request validators.

use http::Request;
use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Gateway, mock};

const HOST: &str = "a.execute-api.us-east-1.localhost:4566";

#[tokio::test]
async fn requests_are_checked_as_their_validator_says() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let mut method = mock("200", "ok");
    method["parameters"] = json!([
        { "name": "q", "in": "query", "required": true, "type": "string" },
        { "name": "X-H", "in": "header", "required": true, "type": "string" },
        { "name": "free", "in": "query", "type": "string" },
        { "name": "body", "in": "body", "schema": { "$ref": "#/definitions/Pet" } },
    ]);
    method["x-amazon-apigateway-request-validator"] = "all".into();
    let definition = json!({
        "x-amazon-apigateway-request-validators": {
            "all": { "validateRequestBody": true, "validateRequestParameters": true },
            "none": { "validateRequestBody": false, "validateRequestParameters": false },
        },
        "x-amazon-apigateway-gateway-responses": { "BAD_REQUEST_BODY": { "responseTemplates": {
            "application/json": "{\"why\": \"$context.error.validationErrorString\"}",
        } } },
        "definitions": {
            "Pet": { "type": "object", "required": ["id"], "properties": {
                "id": { "type": "integer" }, "kind": { "$ref": "#/definitions/Kind" } } },
            "Kind": { "type": "string", "enum": ["cat", "dog"] },
        },
    });
    let mut unchecked = method.clone();
    unchecked["x-amazon-apigateway-request-validator"] = "none".into();
    let paths = json!({ "/a": { "post": method }, "/b": { "post": unchecked } });
    let api = gateway.deploy_with(paths, definition).await;
    let full = "/s/a?q=1";
    for (uri, header, body, status, answer) in [
        (full, true, r#"{"id":1,"kind":"cat"}"#, 200, "ok"),
        ("/s/a", false, "{}", 400, r#"{"message":"Missing required request parameters: [X-H, q]"}"#),
        ("/s/a?q=", true, r#"{"id":1}"#, 400, r#"{"message":"Missing required request parameters: [q]"}"#),
        (full, true, "no json", 400, r#"{"why": "[Invalid JSON]"}"#),
        (full, true, "{}", 400, r#"{"why": "["id" is a required property]"}"#),
        (full, true, r#"{"id":"1"}"#, 400, r#"{"why": "[/id: "1" is not of type "integer"]"}"#),
        (
            full,
            true,
            r#"{"id":1,"kind":"cow"}"#,
            400,
            r#"{"why": "[/kind: "cow" is not one of "cat" or "dog"]"}"#,
        ),
        ("/s/b", false, "no json", 200, "ok"),
    ] {
        let mut request = Request::post(uri).header("host", HOST);
        if header {
            request = request.header("x-h", "1");
        }
        let (found, _, said) = gateway.request(&api, request, body).await;
        assert_eq!((found, said.as_str()), (status, answer), "{uri} {body}");
    }
    // A media type without a model is not checked.
    let request =
        Request::post(full).header("host", HOST).header("x-h", "1").header("content-type", "text/plain");
    assert_eq!(gateway.request(&api, request, "{\"statusCode\": 200}").await.0, 200);
}

#[tokio::test]
async fn models_are_kept_and_used() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.must("CreateRestApi", json!({ "name": "n" })).await;
    let of = |more: Value| {
        let mut input = json!({ "restApiId": api["id"] });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let names = |models: &Value| {
        let items = models["items"].as_array().unwrap().iter();
        items.map(|model| model["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&gateway.must("GetModels", of(json!({}))).await), ["Empty", "Error"]);
    let schema = json!({ "type": "object", "properties": { "id": { "type": "integer" }, "name": { "type": "string" },
        "tags": { "type": "array", "items": { "type": "string" } } } });
    let pet = of(json!({ "name": "Pet", "contentType": "application/json", "schema": schema.to_string() }));
    gateway.must("CreateModel", pet.clone()).await;
    assert_eq!(gateway.client.refused("apigateway", "CreateModel", pet).await, "ConflictException");
    for (name, schema) in [("a b", "{}"), ("A", "no json"), ("A", "[]")] {
        let input = of(json!({ "name": name, "contentType": "application/json", "schema": schema }));
        assert_eq!(gateway.client.refused("apigateway", "CreateModel", input).await, "BadRequestException");
    }
    let template = gateway.must("GetModelTemplate", of(json!({ "modelName": "Pet" }))).await;
    let expected = "#set($inputRoot = $input.path('$'))\n{\n  \"id\" : $inputRoot.id,\n  \"name\" : \"$inputRoot.name\",\n  \"tags\" : [\n  #foreach($elem1 in $inputRoot.tags)\n    \"$elem1\"#if($foreach.hasNext),#end\n  #end\n  ]\n}";
    assert_eq!(template["value"], expected);
    let reference =
        format!("https://apigateway.amazonaws.com/restapis/{}/models/Pet", api["id"].as_str().unwrap());
    let pets = json!({ "type": "array", "items": { "$ref": reference } }).to_string();
    gateway
        .must("CreateModel", of(json!({ "name": "Pets", "contentType": "application/json", "schema": pets })))
        .await;
    let flat = gateway.must("GetModel", of(json!({ "modelName": "Pets", "flatten": true }))).await;
    let flat: Value = serde_json::from_str(flat["schema"].as_str().unwrap()).unwrap();
    assert_eq!(flat["items"], schema);
    let named = |name: &str| of(json!({ "modelName": name }));
    assert_eq!(gateway.client.refused("apigateway", "DeleteModel", named("Pet")).await, "ConflictException");

    let method = of(json!({ "resourceId": api["rootResourceId"], "httpMethod": "POST" }));
    let with = |more: Value| {
        let mut input = method.clone();
        input["authorizationType"] = "NONE".into();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    for wrong in [
        json!({ "requestModels": { "application/json": "None" } }),
        json!({ "requestValidatorId": "none" }),
        json!({ "requestParameters": { "method.request.cookie.x": true } }),
    ] {
        assert_eq!(
            gateway.client.refused("apigateway", "PutMethod", with(wrong)).await,
            "BadRequestException"
        );
    }
    gateway.must("PutMethod", with(json!({ "requestModels": { "application/json": "Pets" } }))).await;
    assert_eq!(gateway.client.refused("apigateway", "DeleteModel", named("Pets")).await, "ConflictException");
    gateway.must("DeleteMethod", method.clone()).await;
    gateway.must("DeleteModel", named("Pets")).await;
    gateway.must("DeleteModel", named("Pet")).await;
    assert_eq!(gateway.client.refused("apigateway", "GetModel", named("Pet")).await, "NotFoundException");
}

#[tokio::test]
async fn patches_change_what_they_name_and_are_checked() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.must("CreateRestApi", json!({ "name": "n" })).await;
    let place = json!({ "restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET" });
    let at = |more: Value| {
        let mut input = place.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let patch = |op: &str, path: &str, value: &str| json!({ "patchOperations": [{ "op": op, "path": path, "value": value }] });
    let validator = gateway
        .must(
            "CreateRequestValidator",
            json!({ "restApiId": api["id"], "name": "v", "validateRequestBody": true }),
        )
        .await;
    let id = validator["id"].as_str().unwrap();
    gateway.must("PutMethod", at(json!({ "authorizationType": "NONE" }))).await;
    gateway.must("UpdateMethod", at(patch("replace", "/requestValidatorId", id))).await;
    gateway.must("UpdateMethod", at(patch("add", "/requestModels/application~1json", "Empty"))).await;
    let method = gateway
        .must("UpdateMethod", at(patch("add", "/requestParameters/method.request.header.X", "true")))
        .await;
    assert_eq!(method["requestValidatorId"], id);
    assert_eq!(method["requestModels"], json!({ "application/json": "Empty" }));
    let used = json!({ "restApiId": api["id"], "requestValidatorId": id });
    assert_eq!(
        gateway.client.refused("apigateway", "DeleteRequestValidator", used).await,
        "ConflictException"
    );

    gateway
        .must(
            "PutIntegration",
            at(json!({ "type": "HTTP", "integrationHttpMethod": "GET", "uri": "http://h/" })),
        )
        .await;
    for (op, path, value) in [
        ("replace", "/uri", "https://h/{p}"),
        ("add", "/requestParameters/integration.request.path.p", "method.request.header.X"),
        ("add", "/requestTemplates/application~1json", "$input.body"),
        ("replace", "/passthroughBehavior", "NEVER"),
        ("replace", "/contentHandling", "CONVERT_TO_TEXT"),
        ("replace", "/timeoutInMillis", "100"),
        ("replace", "/tlsConfig/insecureSkipVerification", "true"),
    ] {
        gateway.must("UpdateIntegration", at(patch(op, path, value))).await;
    }
    let integration = gateway.must("GetIntegration", place.clone()).await;
    for (pointer, expected) in [
        ("/uri", json!("https://h/{p}")),
        ("/requestParameters/integration.request.path.p", json!("method.request.header.X")),
        ("/passthroughBehavior", json!("NEVER")),
        ("/contentHandling", json!("CONVERT_TO_TEXT")),
        ("/timeoutInMillis", json!(100)),
        ("/tlsConfig/insecureSkipVerification", json!(true)),
    ] {
        assert_eq!(integration.pointer(pointer), Some(&expected), "{pointer}");
    }
    for (op, path, value) in [
        ("replace", "/uri", "ftp://h"),
        ("replace", "/timeoutInMillis", "30000"),
        ("replace", "/type", "NONE"),
        ("replace", "/nothing", "x"),
        ("add", "/requestParameters/integration.request.header.A", "method.request.header.Undeclared"),
        ("add", "/requestParameters/integration.request.cookie.A", "'x'"),
    ] {
        let refused =
            gateway.client.refused("apigateway", "UpdateIntegration", at(patch(op, path, value))).await;
        assert_eq!(refused, "BadRequestException", "{path} {value}");
    }
    assert_eq!(gateway.must("GetIntegration", place.clone()).await, integration);

    let response = |more: Value| {
        let mut input = at(json!({ "statusCode": "200" }));
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    gateway.must("PutMethodResponse", response(json!({}))).await;
    let header = "/responseParameters/method.response.header.X";
    gateway.must("PutIntegrationResponse", response(json!({}))).await;
    let mapped = response(patch("add", header, "integration.response.header.Y"));
    assert_eq!(
        gateway.client.refused("apigateway", "UpdateIntegrationResponse", mapped.clone()).await,
        "BadRequestException"
    );
    gateway.must("UpdateMethodResponse", response(patch("add", header, "false"))).await;
    gateway.must("UpdateIntegrationResponse", mapped).await;
    let found = gateway
        .must("UpdateIntegrationResponse", response(patch("replace", "/selectionPattern", "2..")))
        .await;
    assert_eq!(found["selectionPattern"], "2..");
}
