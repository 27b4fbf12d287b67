//! APIs as OpenAPI documents.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{AUTHORIZER, Gateway, mock, proxy};

/// A definition with something of everything.
fn definition() -> Value {
    let uri =
        format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{AUTHORIZER}/invocations");
    let mut get = mock("200", "{\"id\": \"$input.params('id')\"}");
    get["operationId"] = json!("getPet");
    get["parameters"] = json!([
        { "name": "id", "in": "path", "required": true, "type": "string" },
        { "name": "q", "in": "query", "required": true, "type": "string" },
        { "name": "X-H", "in": "header", "type": "string" },
    ]);
    get["responses"] = json!({ "200": { "description": "ok", "schema": { "$ref": "#/definitions/Pet" },
        "headers": { "X-Mock": { "type": "string" } } }, "404": { "description": "none" } });
    get["produces"] = json!(["application/json"]);
    get["security"] = json!([{ "iam": [] }, { "key": [] }]);
    let mut post = json!({
        "x-amazon-apigateway-integration": {
            "type": "http", "httpMethod": "PUT", "uri": "http://h/{id}", "timeoutInMillis": 1000,
            "passthroughBehavior": "never", "contentHandling": "CONVERT_TO_TEXT", "tlsConfig": { "insecureSkipVerification": true },
            "requestParameters": { "integration.request.path.id": "method.request.path.id" },
            "requestTemplates": { "application/json": "{}" }, "cacheNamespace": "n", "cacheKeyParameters": ["method.request.path.id"],
            "responses": { "default": { "statusCode": "200" }, "4\\d{2}": { "statusCode": "404",
                "responseTemplates": { "application/json": "none" } } },
        },
    });
    post["parameters"] = json!([
        { "name": "id", "in": "path", "required": true, "type": "string" },
        { "name": "Pet", "in": "body", "required": true, "schema": { "$ref": "#/definitions/Pet" } },
    ]);
    post["x-amazon-apigateway-request-validator"] = json!("all");
    post["security"] = json!([{ "function": [] }]);
    json!({
        "swagger": "2.0",
        "info": { "title": "pets", "version": "7", "description": "of all kinds" },
        "paths": { "/pets/{id}": { "get": get, "post": post }, "/{proxy+}": { "x-amazon-apigateway-any-method": proxy() } },
        "definitions": {
            "Pet": { "type": "object", "properties": { "kind": { "$ref": "#/definitions/Kind" } } },
            "Kind": { "type": "string", "enum": ["cat", "dog"] },
        },
        "securityDefinitions": {
            "iam": { "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4" },
            "key": { "type": "apiKey", "name": "x-api-key", "in": "header" },
            "function": { "type": "apiKey", "name": "X-Token", "in": "header", "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": { "type": "token", "authorizerUri": uri, "authorizerResultTtlInSeconds": 7,
                    "identityValidationExpression": "^t" } },
        },
        "x-amazon-apigateway-request-validators": { "all": { "validateRequestBody": true, "validateRequestParameters": true } },
        "x-amazon-apigateway-gateway-responses": { "DEFAULT_4XX": { "statusCode": 418,
            "responseParameters": { "gatewayresponse.header.X-A": "'1'" } } },
        "x-amazon-apigateway-binary-media-types": ["image/png"],
        "x-amazon-apigateway-minimum-compression-size": 100,
        "x-amazon-apigateway-policy": { "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*" }] },
    })
}

async fn import(gateway: &Gateway<'_>, document: &str) -> String {
    let api = gateway.must("ImportRestApi", json!({ "body": STANDARD.encode(document) })).await;
    let api = api["id"].as_str().unwrap().to_owned();
    gateway.must("CreateDeployment", json!({ "restApiId": api, "stageName": "s" })).await;
    api
}

async fn export(gateway: &Gateway<'_>, api: &str, kind: &str, more: Value) -> String {
    let mut input = json!({ "restApiId": api, "stageName": "s", "exportType": kind });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let exported = gateway.must("GetExport", input).await;
    assert!(exported["contentDisposition"].as_str().unwrap().starts_with("attachment; filename="));
    String::from_utf8(STANDARD.decode(exported["body"].as_str().unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_exported_imports_as_the_same() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let first = import(&gateway, &definition().to_string()).await;
    for kind in ["swagger", "oas30"] {
        for accepts in ["application/json", "application/yaml"] {
            let more = json!({ "parameters": { "extensions": "apigateway" }, "accepts": accepts });
            let exported = export(&gateway, &first, kind, more.clone()).await;
            let second = import(&gateway, &exported).await;
            let again = export(&gateway, &second, kind, more).await;
            assert_eq!(again.replace(&second, &first), exported, "{kind} {accepts}");
        }
    }
}

#[tokio::test]
async fn an_export_says_what_was_imported() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = import(&gateway, &definition().to_string()).await;
    let more = json!({ "parameters": { "extensions": "integrations,authorizers" } });
    let document: Value = serde_json::from_str(&export(&gateway, &api, "swagger", more).await).unwrap();
    let imported = definition();
    let at = |pointer: &str| document.pointer(pointer).unwrap_or(&Value::Null);
    assert_eq!((at("/info/title"), at("/info/version")), (&json!("pets"), &json!("7")));
    assert_eq!(at("/definitions/Pet/properties/kind/$ref"), "#/definitions/Kind");
    assert_eq!(at("/paths/~1pets~1{id}/get/operationId"), "getPet");
    assert_eq!(at("/paths/~1pets~1{id}/get/security"), &json!([{ "sigv4": [] }, { "api_key": [] }]));
    assert_eq!(at("/paths/~1pets~1{id}/get/responses/200/schema/$ref"), "#/definitions/Pet");
    let integration = "/paths/~1pets~1{id}/post/x-amazon-apigateway-integration";
    assert_eq!(Some(at(integration)), imported.pointer(integration));
    let authorizer = at("/securityDefinitions/function/x-amazon-apigateway-authorizer");
    assert_eq!(
        (&authorizer["type"], &authorizer["identitySource"]),
        (&json!("token"), &json!("method.request.header.X-Token"))
    );
    assert!(at("/paths/~1{proxy+}/x-amazon-apigateway-any-method").is_object());
    assert!(at("/x-amazon-apigateway-policy").is_null(), "not asked for");

    let plain = export(&gateway, &api, "oas30", json!({})).await;
    let document: Value = serde_json::from_str(&plain).unwrap();
    assert!(
        !plain.contains("x-amazon-apigateway-integration") && !plain.contains("authorizerUri"),
        "{plain}"
    );
    let url = document.pointer("/servers/0/url").and_then(Value::as_str).unwrap();
    assert!(url.ends_with(&format!("/_aws/execute-api/{api}/{{basePath}}")), "{url}");
    let body = "/paths/~1pets~1{id}/post/requestBody/content/application~1json/schema/$ref";
    assert_eq!(document.pointer(body), Some(&json!("#/components/schemas/Pet")));
    assert_eq!(document.pointer("/paths/~1pets~1{id}/get/parameters/0/schema/type"), Some(&json!("string")));
}

#[tokio::test]
async fn exports_are_of_deployments_and_checked() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.deploy(json!({ "/a": { "get": mock("200", "1") } })).await;
    for (more, code) in [
        (json!({ "exportType": "raml" }), "BadRequestException"),
        (json!({ "stageName": "none" }), "NotFoundException"),
        (json!({ "restApiId": "none" }), "NotFoundException"),
        (json!({ "accepts": "text/html" }), "BadRequestException"),
        (json!({ "parameters": { "extensions": "postman" } }), "NotImplemented"),
        (json!({ "parameters": { "other": "x" } }), "BadRequestException"),
    ] {
        let mut input = json!({ "restApiId": api, "stageName": "s", "exportType": "swagger" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(gateway.client.refused("apigateway", "GetExport", input).await, code, "{more}");
    }
    let resources = gateway.must("GetResources", json!({ "restApiId": api })).await;
    let resource =
        resources["items"].as_array().unwrap().iter().find(|one| one["path"] == "/a").unwrap()["id"].clone();
    gateway.must("DeleteResource", json!({ "restApiId": api, "resourceId": resource })).await;
    let exported: Value = serde_json::from_str(&export(&gateway, &api, "swagger", json!({})).await).unwrap();
    assert!(exported["paths"]["/a"]["get"].is_object(), "it is served still");
}
