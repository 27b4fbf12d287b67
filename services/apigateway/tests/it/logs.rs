//! What stages tell of their requests.

use http::Request;
use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Gateway, ROLE, mock, proxy};

const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:access";

async fn change(gateway: &Gateway<'_>, api: &str, patches: &[(&str, &str)]) -> Value {
    gateway.must("UpdateStage", changes(api, patches)).await
}

fn changes(api: &str, patches: &[(&str, &str)]) -> Value {
    let patches: Vec<_> = patches
        .iter()
        .map(|(path, value)| json!({ "op": "replace", "path": path, "value": value }))
        .collect();
    json!({ "restApiId": api, "stageName": "s", "patchOperations": patches })
}

/// Lets the account's role write logs.
async fn allow(gateway: &Gateway<'_>, resource: &str) {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "Service": "apigateway.amazonaws.com" } }] });
    let role = json!({ "RoleName": "authorizing", "AssumeRolePolicyDocument": trust.to_string() });
    gateway.client.must("iam", "CreateRole", role).await;
    let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "logs:*", "Resource": resource }] });
    let policy =
        json!({ "RoleName": "authorizing", "PolicyName": "p", "PolicyDocument": policy.to_string() });
    gateway.client.must("iam", "PutRolePolicy", policy).await;
    let patches = json!([{ "op": "replace", "path": "/cloudwatchRoleArn", "value": ROLE }]);
    let account = gateway.must("UpdateAccount", json!({ "patchOperations": patches })).await;
    assert_eq!(account["cloudwatchRoleArn"], ROLE);
}

#[tokio::test]
async fn a_stage_has_a_line_for_each_request() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    allow(&gateway, "*").await;
    *gateway.function.answer.lock().unwrap() = json!({ "statusCode": 201, "body": "done" }).to_string();
    let api =
        gateway.deploy(json!({ "/a/{id}": { "get": proxy() }, "/m": { "get": mock("200", "1") } })).await;
    let format = "$context.status $context.httpMethod $context.resourcePath $context.path $context.responseLength $context.integrationStatus $context.integration.status $context.error.responseType $context.identity.userAgent $context.requestId";
    let patches = [("/accessLogSettings/destinationArn", GROUP), ("/accessLogSettings/format", format)];
    let stage = change(&gateway, &api, &patches).await;
    assert_eq!(stage["accessLogSettings"], json!({ "destinationArn": GROUP, "format": format }));
    for uri in ["/s/a/1?q=1", "/s/m", "/s/none"] {
        gateway.get(&api, uri).await;
    }
    *gateway.function.fails.lock().unwrap() = true;
    gateway.get(&api, "/s/a/2").await;
    let lines = gateway.lines("access").await;
    let expected = [
        "201 GET /a/{id} /s/a/1 4 200 201 - ",
        "200 GET /m /s/m 1 - - - ",
        "403 GET - /s/none 42 - - MISSING_AUTHENTICATION_TOKEN ",
        "502 GET /a/{id} /s/a/2 35 - - DEFAULT_5XX ",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected) && !line.ends_with('-'), "{line} {expected}");
    }
    let removed = json!({ "restApiId": api, "stageName": "s", "patchOperations": [{ "op": "remove", "path": "/accessLogSettings" }] });
    assert_eq!(gateway.must("UpdateStage", removed).await.get("accessLogSettings"), None);
    gateway.get(&api, "/s/m").await;
    assert_eq!(gateway.lines("access").await.len(), expected.len());
}

#[tokio::test]
async fn a_method_tells_of_its_execution() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    allow(&gateway, "*").await;
    let api = gateway
        .deploy(json!({ "/a": { "get": proxy() }, "/b": { "get": proxy() }, "/c": { "get": proxy() } }))
        .await;
    let stage = change(
        &gateway,
        &api,
        &[
            ("/*/*/logging/loglevel", "ERROR"),
            ("/a/GET/logging/loglevel", "INFO"),
            ("/c/GET/logging/loglevel", "OFF"),
        ],
    )
    .await;
    assert_eq!(stage["methodSettings"]["a/GET"]["loggingLevel"], "INFO");
    let group = format!("API-Gateway-Execution-Logs_{api}/s");
    *gateway.function.answer.lock().unwrap() = json!({ "statusCode": 200, "body": "" }).to_string();
    for path in ["/s/a", "/s/b", "/s/c"] {
        gateway.get(&api, path).await;
    }
    let lines = gateway.lines(&group).await;
    for (line, expected) in lines.iter().zip([
        "Extended Request Id: ",
        "Starting execution for request: ",
        "HTTP Method: GET, Resource Path: /a",
        "Received response. Status: 200, Integration latency: ",
        "Successfully completed execution",
        "Method completed with status: 200",
    ]) {
        assert!(line.starts_with('(') && line.split_once(") ").unwrap().1.starts_with(expected), "{line}");
    }
    assert_eq!(lines.len(), 6, "{lines:?}");
    *gateway.function.fails.lock().unwrap() = true;
    for path in ["/s/b", "/s/c"] {
        gateway.get(&api, path).await;
    }
    let lines = gateway.lines(&group).await.split_off(6);
    let told: Vec<_> = lines.iter().map(|line| line.split_once(") ").unwrap().1).collect();
    let expected = [
        "Execution failed: Internal server error",
        "Gateway response type: DEFAULT_5XX with status code: 502",
        "Method completed with status: 502",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn nothing_is_written_where_the_role_may_not() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.deploy(json!({ "/m": { "get": mock("200", "1") } })).await;
    let patches =
        [("/accessLogSettings/destinationArn", GROUP), ("/accessLogSettings/format", "$context.requestId")];
    let refused = gateway.client.refused("apigateway", "UpdateStage", changes(&api, &patches)).await;
    assert_eq!(refused, "BadRequestException", "the account has no role");
    allow(&gateway, "arn:aws:logs:us-east-1:123456789012:log-group:other*").await;
    change(&gateway, &api, &patches).await;
    assert_eq!(gateway.get(&api, "/s/m").await.0, 200);
    assert!(gateway.lines("access").await.is_empty());
    let other = GROUP.replace("access", "other");
    change(&gateway, &api, &[("/accessLogSettings/destinationArn", &other)]).await;
    assert_eq!(gateway.get(&api, "/s/m").await.0, 200);
    assert_eq!(gateway.lines("other").await.len(), 1);
}

#[tokio::test]
async fn settings_of_logs_are_checked() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    allow(&gateway, "*").await;
    let api = gateway.deploy(json!({ "/m": { "get": mock("200", "1") } })).await;
    let firehose = "arn:aws:firehose:us-east-1:123456789012:deliverystream/amazon-apigateway-x";
    let elsewhere = GROUP.replace("us-east-1", "eu-west-1");
    for (path, value, code) in [
        ("/accessLogSettings/destinationArn", "access", "BadRequestException"),
        ("/accessLogSettings/destinationArn", &elsewhere, "BadRequestException"),
        ("/accessLogSettings/destinationArn", firehose, "NotImplemented"),
        ("/accessLogSettings/format", "$context.status", "BadRequestException"),
        ("/accessLogSettings/format", "$context.requestId\n$context.status", "BadRequestException"),
        ("/accessLogSettings/other", "x", "BadRequestException"),
        ("/*/*/logging/loglevel", "DEBUG", "BadRequestException"),
        ("/*/*/logging/dataTrace", "true", "NotImplemented"),
        ("/*/*/metrics/enabled", "1", "BadRequestException"),
        ("/*/*/metrics/loglevel", "INFO", "BadRequestException"),
        ("/*/*/logging/enabled", "true", "BadRequestException"),
    ] {
        let refused =
            gateway.client.refused("apigateway", "UpdateStage", changes(&api, &[(path, value)])).await;
        assert_eq!(refused, code, "{path} {value}");
    }
    let untrusted = json!([{ "op": "replace", "path": "/cloudwatchRoleArn", "value": "arn:aws:iam::123456789012:role/other" }]);
    let refused =
        gateway.client.refused("apigateway", "UpdateAccount", json!({ "patchOperations": untrusted })).await;
    assert_eq!(refused, "BadRequestException");
    let removed = json!([{ "op": "replace", "path": "/cloudwatchRoleArn", "value": "" }]);
    let account = gateway.must("UpdateAccount", json!({ "patchOperations": removed })).await;
    assert_eq!(account.get("cloudwatchRoleArn"), None);
}

#[tokio::test]
async fn a_callers_own_words_make_no_lines() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    allow(&gateway, "*").await;
    let api = gateway.deploy(json!({ "/m": { "get": mock("200", "1") } })).await;
    let format =
        "{\"id\":\"$context.requestId\",\"path\":\"$context.path\",\"host\":\"$context.domainName\"}";
    change(
        &gateway,
        &api,
        &[("/accessLogSettings/destinationArn", GROUP), ("/accessLogSettings/format", format)],
    )
    .await;
    let request = Request::get("/s/m").header("host", "x\",\"id\":\"forged");
    gateway.request(&api, request, "").await;
    let lines = gateway.lines("access").await;
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(line["host"], "x\",\"id\"");
}
