//! Lambda authorizers: their control plane, and what they let pass.

use http::Request;
use pagoda_policy::Principal;
use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{AUTHORIZER, Gateway, ROLE, proxy};

fn uri() -> String {
    format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{AUTHORIZER}/invocations")
}

/// An API whose `GET /p` and `GET /q` are guarded by an authorizer with these fields; its id.
async fn guarded(gateway: &Gateway<'_>, fields: Value, more: Value) -> String {
    let mut extension = json!({ "type": "token", "authorizerUri": uri() });
    extension.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let scheme = json!({
        "type": "apiKey", "name": "X-Token", "in": "header", "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": extension,
    });
    let mut method = proxy();
    method["security"] = json!([{ "mine": [] }]);
    let mut definition = json!({ "securityDefinitions": { "mine": scheme } });
    definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    *gateway.function.answer.lock().unwrap() = "{}".into();
    gateway.deploy_with(json!({ "/p": { "get": method }, "/q": { "get": method } }), definition).await
}

fn verdict(effect: &str, resource: &str) -> Value {
    let statement = json!({ "Effect": effect, "Action": "execute-api:Invoke", "Resource": resource });
    json!({
        "principalId": "ada",
        "policyDocument": { "Version": "2012-10-17", "Statement": [statement] },
        "context": { "team": "a", "level": 3, "on": true },
    })
}

/// Status and body of a request with this token.
async fn ask(gateway: &Gateway<'_>, api: &str, uri: &str, token: Option<&str>) -> (u16, String) {
    let mut request = Request::get(uri).header("host", "a.execute-api.us-east-1.localhost:4566");
    if let Some(token) = token {
        request = request.header("x-token", token);
    }
    let (status, _, body) = gateway.request(api, request, "").await;
    (status, body)
}

fn questions(gateway: &Gateway<'_>) -> usize {
    gateway.function.questions.lock().unwrap().len()
}

#[tokio::test]
async fn a_token_is_asked_about_once_while_the_answer_holds() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = guarded(&gateway, json!({ "authorizerResultTtlInSeconds": 60 }), json!({})).await;
    *gateway.function.verdict.lock().unwrap() = verdict("Allow", "arn:aws:execute-api:*:*:*/s/GET/p");
    assert_eq!(ask(&gateway, &api, "/s/p", Some("t")).await.0, 200);
    let (caller, question) = gateway.function.questions.lock().unwrap()[0].clone();
    assert_eq!(caller.principal, Principal::Service("apigateway.amazonaws.com".into()));
    let source = question.source_arn.unwrap();
    assert!(source.starts_with(&format!("arn:aws:execute-api:us-east-1:123456789012:{api}/authorizers/")));
    let event: Value = serde_json::from_slice(&question.payload).unwrap();
    let arn = format!("arn:aws:execute-api:us-east-1:123456789012:{api}/s/GET/p");
    assert_eq!(event, json!({ "type": "TOKEN", "authorizationToken": "t", "methodArn": arn }));

    let (_, invocation) = gateway.function.asked.lock().unwrap().take().unwrap();
    let event: Value = serde_json::from_slice(&invocation.payload).unwrap();
    let told = event.pointer("/requestContext/authorizer").unwrap();
    for (name, expected) in [("principalId", "ada"), ("team", "a"), ("level", "3"), ("on", "true")] {
        assert_eq!(told[name], expected);
    }

    // The answer that holds is judged against every method's own ARN.
    let refused = r#"{"Message":"User is not authorized to access this resource"}"#;
    assert_eq!(ask(&gateway, &api, "/s/q", Some("t")).await, (403, refused.into()));
    assert_eq!(ask(&gateway, &api, "/s/p", Some("t")).await.0, 200);
    assert_eq!(questions(&gateway), 1);
    ask(&gateway, &api, "/s/p", Some("other")).await;
    assert_eq!(questions(&gateway), 2);
    let stage = json!({ "restApiId": api, "stageName": "s" });
    gateway.must("FlushStageAuthorizersCache", stage).await;
    ask(&gateway, &api, "/s/p", Some("t")).await;
    assert_eq!(questions(&gateway), 3);
    world.advance_hours(1);
    ask(&gateway, &api, "/s/p", Some("t")).await;
    assert_eq!(questions(&gateway), 4);
}

#[tokio::test]
async fn who_does_not_say_who_they_are_is_not_asked_about() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let fields = json!({ "identityValidationExpression": "[a-z]+" });
    let api = guarded(&gateway, fields, json!({})).await;
    *gateway.function.verdict.lock().unwrap() = verdict("Allow", "*");
    let unauthorized = (401, r#"{"message":"Unauthorized"}"#.to_owned());
    for token in [None, Some(""), Some("A"), Some("a1")] {
        assert_eq!(ask(&gateway, &api, "/s/p", token).await, unauthorized, "{token:?}");
    }
    assert_eq!(questions(&gateway), 0);
    assert_eq!(ask(&gateway, &api, "/s/p", Some("abc")).await.0, 200);
}

#[tokio::test]
async fn a_request_authorizer_sees_all_but_the_body() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let fields = json!({
        "type": "request", "authorizerCredentials": ROLE,
        "identitySource": "method.request.header.X-Token, method.request.querystring.k, context.httpMethod",
    });
    let api = guarded(&gateway, fields, json!({})).await;
    *gateway.function.verdict.lock().unwrap() = verdict("Allow", "*");
    assert_eq!(ask(&gateway, &api, "/s/p", Some("t")).await.0, 401);
    assert_eq!(ask(&gateway, &api, "/s/p?k=1", Some("t")).await.0, 200);
    assert_eq!(ask(&gateway, &api, "/s/p?k=1&x=2", Some("t")).await.0, 200);
    assert_eq!(questions(&gateway), 1);
    let (caller, question) = gateway.function.questions.lock().unwrap()[0].clone();
    assert!(matches!(caller.principal, Principal::Session { role_arn, .. } if role_arn == ROLE));
    let event: Value = serde_json::from_slice(&question.payload).unwrap();
    for (pointer, expected) in [
        ("/type", json!("REQUEST")),
        ("/resource", json!("/p")),
        ("/path", json!("/p")),
        ("/headers/x-token", json!("t")),
        ("/queryStringParameters", json!({ "k": "1" })),
        ("/requestContext/stage", json!("s")),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!((event.get("body"), event.pointer("/requestContext/authorizer")), (None, None));
}

#[tokio::test]
async fn refusals_have_their_documented_bodies() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = guarded(&gateway, json!({ "authorizerResultTtlInSeconds": 0 }), json!({})).await;
    let nothing = r#"{"message":null}"#;
    let denied = r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#;
    for (answer, status, body) in [
        (verdict("Deny", "*"), 403, denied),
        (
            verdict("Allow", "arn:aws:execute-api:*:*:*/other/*"),
            403,
            r#"{"Message":"User is not authorized to access this resource"}"#,
        ),
        (json!({ "errorMessage": "Unauthorized" }), 401, r#"{"message":"Unauthorized"}"#),
        (json!({ "errorMessage": "boom" }), 500, nothing),
        (json!({ "principalId": "u" }), 500, nothing),
        (Value::Null, 500, nothing),
    ] {
        *gateway.function.verdict.lock().unwrap() = answer.clone();
        assert_eq!(ask(&gateway, &api, "/s/p", Some("t")).await, (status, body.to_owned()), "{answer}");
    }
}

#[tokio::test]
async fn the_apis_policy_has_a_say_too() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let statement = |effect: &str, path: &str| json!({ "Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": format!("execute-api:/s/GET/{path}") });
    let policy =
        json!({ "Version": "2012-10-17", "Statement": [statement("Allow", "p"), statement("Deny", "q")] });
    let more = json!({ "x-amazon-apigateway-policy": policy });
    let api = guarded(&gateway, json!({ "authorizerResultTtlInSeconds": 0 }), more).await;
    *gateway.function.verdict.lock().unwrap() = verdict("Allow", "*");
    assert_eq!(ask(&gateway, &api, "/s/q", Some("t")).await.0, 403);
    assert_eq!(questions(&gateway), 0);
    *gateway.function.verdict.lock().unwrap() = verdict("Allow", "arn:aws:execute-api:*:*:*/other/*");
    assert_eq!(ask(&gateway, &api, "/s/p", Some("t")).await.0, 200);
    *gateway.function.verdict.lock().unwrap() = verdict("Deny", "*");
    assert_eq!(ask(&gateway, &api, "/s/p", Some("t")).await.0, 403);
}

#[tokio::test]
async fn authorizers_are_made_changed_and_removed() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.must("CreateRestApi", json!({ "name": "n" })).await;
    let (id, root) = (api["id"].clone(), api["rootResourceId"].clone());
    let wanted = json!({
        "restApiId": id, "name": "a", "type": "TOKEN", "authorizerUri": uri(),
        "identitySource": "method.request.header.Authorization",
    });
    for (field, value) in [
        ("authorizerUri", json!("arn:aws:lambda:us-east-1:123456789012:function:f")),
        ("authorizerResultTtlInSeconds", json!(3601)),
        ("identitySource", json!("method.request.querystring.a")),
        ("identityValidationExpression", json!("(")),
        ("authorizerCredentials", json!("role")),
    ] {
        let mut input = wanted.clone();
        input[field] = value;
        assert_eq!(
            gateway.client.refused("apigateway", "CreateAuthorizer", input).await,
            "BadRequestException",
            "{field}"
        );
    }
    let mut cognito = wanted.clone();
    cognito["type"] = json!("COGNITO_USER_POOLS");
    assert_eq!(gateway.client.refused("apigateway", "CreateAuthorizer", cognito).await, "NotImplemented");
    let made = gateway.must("CreateAuthorizer", wanted.clone()).await;
    assert_eq!((&made["type"], &made["authorizerResultTtlInSeconds"]), (&json!("TOKEN"), &json!(300)));
    assert_eq!(gateway.client.refused("apigateway", "CreateAuthorizer", wanted).await, "BadRequestException");

    let place = json!({ "restApiId": id, "authorizerId": made["id"] });
    let patched = |path: &str, value: &str| {
        let mut input = place.clone();
        input["patchOperations"] = json!([{ "op": "replace", "path": path, "value": value }]);
        input
    };
    let changed = gateway.must("UpdateAuthorizer", patched("/authorizerResultTtlInSeconds", "7")).await;
    assert_eq!(changed["authorizerResultTtlInSeconds"], 7);
    assert_eq!(gateway.must("GetAuthorizer", place.clone()).await, changed);
    let listed = gateway.must("GetAuthorizers", json!({ "restApiId": id })).await;
    assert_eq!(listed["items"], json!([changed]));
    for (path, value) in [("/identitySource", "x"), ("/none", "x"), ("/authorizerResultTtlInSeconds", "x")] {
        let refused = gateway.client.refused("apigateway", "UpdateAuthorizer", patched(path, value)).await;
        assert_eq!(refused, "BadRequestException", "{path}");
    }

    let method = json!({ "restApiId": id, "resourceId": root, "httpMethod": "GET" });
    let with = |more: Value| {
        let mut input = method.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    for authorizer in [Value::Null, json!("none")] {
        let mut input = with(json!({ "authorizationType": "CUSTOM" }));
        if !authorizer.is_null() {
            input["authorizerId"] = authorizer;
        }
        assert_eq!(gateway.client.refused("apigateway", "PutMethod", input).await, "BadRequestException");
    }
    gateway.must("PutMethod", with(json!({ "authorizationType": "NONE" }))).await;
    let patches = json!([
        { "op": "replace", "path": "/authorizationType", "value": "CUSTOM" },
        { "op": "replace", "path": "/authorizerId", "value": made["id"] },
        { "op": "add", "path": "/requestParameters/method.request.header.A", "value": "true" },
    ]);
    let updated = gateway.must("UpdateMethod", with(json!({ "patchOperations": patches }))).await;
    assert_eq!((&updated["authorizationType"], &updated["authorizerId"]), (&json!("CUSTOM"), &made["id"]));
    assert_eq!(updated["requestParameters"], json!({ "method.request.header.A": true }));
    assert_eq!(
        gateway.client.refused("apigateway", "DeleteAuthorizer", place.clone()).await,
        "ConflictException"
    );
    gateway.must("DeleteMethod", method).await;
    gateway.must("DeleteAuthorizer", place.clone()).await;
    assert_eq!(gateway.client.refused("apigateway", "GetAuthorizer", place).await, "NotFoundException");
}

#[tokio::test]
async fn an_authorizer_can_be_tried() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.must("CreateRestApi", json!({ "name": "n" })).await["id"].clone();
    let wanted = json!({
        "restApiId": api, "name": "a", "type": "TOKEN", "authorizerUri": uri(),
        "identitySource": "method.request.header.X-Token",
    });
    let authorizer = gateway.must("CreateAuthorizer", wanted).await["id"].clone();
    let place = json!({ "restApiId": api, "authorizerId": authorizer });
    assert_eq!(gateway.must("TestInvokeAuthorizer", place.clone()).await["clientStatus"], 401);
    *gateway.function.verdict.lock().unwrap() = verdict("Allow", "*");
    let mut input = place;
    input["headers"] = json!({ "X-Token": "t" });
    let tried = gateway.must("TestInvokeAuthorizer", input).await;
    assert_eq!((&tried["clientStatus"], &tried["principalId"]), (&json!(200), &json!("ada")));
    let policy: Value = serde_json::from_str(tried["policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"][0]["Effect"], "Allow");
}
