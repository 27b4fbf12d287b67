//! Integrations between which and the method templates stand.

use http::Request;
use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{FUNCTION, Gateway, ROLE};

const HOST: &str = "a.execute-api.us-east-1.localhost:4566";

fn integration(more: Value) -> Value {
    let mut integration =
        json!({ "type": "mock", "requestTemplates": { "application/json": "{\"statusCode\": 200}" } });
    integration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "x-amazon-apigateway-integration": integration })
}

/// A mock that answers with a template.
fn template(text: &str) -> Value {
    integration(json!({ "responses": { "default": {
        "statusCode": "200", "responseTemplates": { "application/json": text },
    } } }))
}

fn function(more: Value) -> Value {
    let uri = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations");
    let mut all = json!({ "type": "aws", "httpMethod": "POST", "uri": uri, "requestTemplates": {} });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    integration(all)
}

#[tokio::test]
async fn templates_know_the_request() {
    for (text, expected) in [
        ("$input.params('id') $input.params('q') $input.params('X-A')", "7 two v"),
        (
            "$input.params().path.id|$input.params().querystring.get('q')|$input.params().header.x-a",
            "7|two|v",
        ),
        ("$context.stage $context.httpMethod $context.resourcePath", "s POST /p/{id}"),
        ("$context.identity.sourceIp|$context.identity.apiKey|$context.nothing.here|", "127.0.0.1||||"),
        ("$stageVariables.none|$util.base64Encode('ab')|$util.urlEncode('a b&')", "|YWI=|a+b%26"),
        ("$util.escapeJavaScript(\"it's\")", "it\\'s"),
        ("#set($p = $util.parseJson('{\"a\":[1,2]}'))$p.a[1]", "2"),
        ("#set($context.responseOverride.status = 418)x", "x"),
    ] {
        let world = World::new();
        let gateway = Gateway::new(&world);
        let api = gateway.deploy(json!({ "/p/{id}": { "post": template(text) } })).await;
        let request = Request::post("/s/p/7?q=one&q=two").header("host", HOST).header("x-a", "v");
        let (status, _, body) = gateway.request(&api, request, "{}").await;
        let expected = expected.trim_end_matches('|');
        assert_eq!(body.trim_end_matches('|'), expected, "{text}");
        assert_eq!(status, if text.contains("418") { 418 } else { 200 });
    }
}

#[tokio::test]
async fn a_function_gets_what_a_template_makes_of_the_request() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    *gateway.function.answer.lock().unwrap() = r#"{"items":[{"n":"a"},{"n":"b"}]}"#.into();
    let api = gateway
        .deploy(json!({ "/p/{id}": { "post": function(json!({
            "requestTemplates": { "application/json":
                "#set($in = $input.path('$'))\n{\"id\": \"$input.params('id')\", \"name\": \"$in.user.name\", \"all\": $input.json('$.user')}" },
            "responses": {
                "default": { "statusCode": "200",
                    "responseTemplates": { "application/json":
                        "[#foreach($i in $input.path('$.items'))\"$i.n\"#if($foreach.hasNext),#end#end]" },
                    "responseParameters": {
                        "method.response.header.X-First": "integration.response.body.items[0].n",
                        "method.response.header.X-Stage": "context.stage",
                        "method.response.header.X-Fixed": "'f'",
                    } },
                ".*bad.*": { "statusCode": "400", "responseTemplates": { "application/json":
                    "{\"why\": $input.json('$.errorMessage')}" } },
            },
        })) } }))
        .await;
    let ask = || Request::post("/s/p/7").header("host", HOST);
    let (status, headers, body) = gateway.request(&api, ask(), r#"{"user":{"name":"n"}}"#).await;
    assert_eq!((status, body.as_str()), (200, r#"["a","b"]"#));
    for (name, value) in
        [("x-first", "a"), ("x-stage", "s"), ("x-fixed", "f"), ("content-type", "application/json")]
    {
        assert_eq!(headers[name], value);
    }
    let (_, invocation) = gateway.function.asked.lock().unwrap().take().unwrap();
    let event: Value = serde_json::from_slice(&invocation.payload).unwrap();
    assert_eq!(event, json!({ "id": "7", "name": "n", "all": { "name": "n" } }));

    *gateway.function.fails.lock().unwrap() = true;
    *gateway.function.answer.lock().unwrap() = r#"{"errorMessage":"a bad\nthing"}"#.into();
    let (status, _, body) = gateway.request(&api, ask(), "{}").await;
    assert_eq!((status, body.as_str()), (400, r#"{"why": "a bad\nthing"}"#));
    // What no pattern matches is the default response's.
    *gateway.function.answer.lock().unwrap() = r#"{"errorMessage":"other"}"#.into();
    assert_eq!(gateway.request(&api, ask(), "{}").await.0, 200);
}

#[tokio::test]
async fn an_event_is_queued() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway
        .deploy(json!({ "/": { "post": function(json!({
            "requestParameters": { "integration.request.header.X-Amz-Invocation-Type": "'Event'" },
            "responses": { "default": { "statusCode": "202" } },
        })) } }))
        .await;
    let (status, ..) = gateway.request(&api, Request::post("/s").header("host", HOST), "{\"a\":1}").await;
    assert_eq!(status, 202);
    assert_eq!(gateway.function.queued.lock().unwrap()[0].1.payload, "{\"a\":1}");
    assert!(gateway.function.asked.lock().unwrap().is_none());
}

#[tokio::test]
async fn bodies_without_a_template_pass_as_the_behaviour_says() {
    for (behaviour, templates, kind, expected) in [
        ("when_no_match", json!({}), "text/plain", 200),
        ("when_no_match", json!({ "application/json": "{}" }), "text/plain", 200),
        ("when_no_templates", json!({}), "text/plain", 200),
        ("when_no_templates", json!({ "application/json": "{}" }), "text/plain", 415),
        ("never", json!({}), "text/plain", 415),
        ("never", json!({ "text/plain": "$input.body" }), "text/plain; charset=utf-8", 200),
    ] {
        let world = World::new();
        let gateway = Gateway::new(&world);
        *gateway.function.answer.lock().unwrap() = "1".into();
        let more = json!({ "passthroughBehavior": behaviour, "requestTemplates": templates,
            "responses": { "default": { "statusCode": "200" } } });
        let api = gateway.deploy(json!({ "/": { "post": function(more) } })).await;
        let request = Request::post("/s").header("host", HOST).header("content-type", kind);
        let (status, _, body) = gateway.request(&api, request, "words").await;
        assert_eq!(status, expected, "{behaviour} {kind} {body}");
        if status == 200 {
            assert_eq!(gateway.function.asked.lock().unwrap().take().unwrap().1.payload, "words");
        }
    }
}

#[tokio::test]
async fn other_services_are_reached_by_action_and_by_path() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let responses = json!({
        "default": { "statusCode": "200",
            "responseParameters": { "method.response.header.X-R": "integration.response.header.x-relayed" } },
        "4\\d{2}": { "statusCode": "404" },
    });
    let service = |uri: &str, parameters: Value, credentials: Option<&str>| {
        let mut more = json!({ "type": "aws", "httpMethod": "PUT", "uri": uri, "requestTemplates": {},
            "requestParameters": parameters, "responses": responses });
        if let Some(credentials) = credentials {
            more["credentials"] = credentials.into();
        }
        integration(more)
    };
    let action = service("arn:aws:apigateway:eu-west-1:dynamodb:action/PutItem", json!({}), Some(ROLE));
    let mut path = service(
        "arn:aws:apigateway:us-east-1:bucket.s3:path/{key}",
        json!({ "integration.request.path.key": "method.request.path.id",
            "integration.request.querystring.tagging": "'a b'",
            "integration.request.header.X-Own": "method.request.header.X-Mine" }),
        None,
    );
    path["parameters"] = json!([{ "name": "X-Mine", "in": "header", "type": "string" }]);
    let api = gateway.deploy(json!({ "/a": { "post": action }, "/p/{id}": { "put": path } })).await;
    let (status, headers, body) =
        gateway.request(&api, Request::post("/s/a").header("host", HOST), "{\"TableName\":\"t\"}").await;
    let asked: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, headers["x-r"].to_str().unwrap()), (200, "yes"));
    for (pointer, expected) in [
        ("/service", json!("dynamodb")),
        ("/action", json!("PutItem")),
        ("/region", json!("eu-west-1")),
        ("/verb", json!("POST")),
        ("/body", json!("{\"TableName\":\"t\"}")),
    ] {
        assert_eq!(asked.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert!(asked["caller"].as_str().unwrap().contains(ROLE));

    let request = Request::put("/s/p/a%2Fb").header("host", HOST).header("x-mine", "m");
    let (_, _, body) = gateway.request(&api, request, "content").await;
    let asked: Value = serde_json::from_str(&body).unwrap();
    for (pointer, expected) in [
        ("/service", json!("s3")),
        ("/action", Value::Null),
        ("/verb", json!("PUT")),
        ("/uri", json!("/bucket/a%2Fb?tagging=a%20b")),
        ("/headers/x-own", json!("m")),
        ("/headers/host", json!("s3.us-east-1.amazonaws.com")),
        ("/body", json!("content")),
    ] {
        assert_eq!(asked.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert!(asked["caller"].as_str().unwrap().contains("apigateway.amazonaws.com"));
    *gateway.function.relayed.lock().unwrap() = 403;
    assert_eq!(gateway.request(&api, Request::post("/s/a").header("host", HOST), "{}").await.0, 404);
}

#[tokio::test]
async fn a_proxied_function_is_invoked_as_the_role() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    *gateway.function.answer.lock().unwrap() = "{}".into();
    let uri = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations");
    let proxy = json!({ "type": "aws_proxy", "httpMethod": "POST", "uri": uri, "credentials": ROLE });
    let api = gateway.deploy(json!({ "/": { "get": { "x-amazon-apigateway-integration": proxy } } })).await;
    assert_eq!(gateway.get(&api, "/s").await.0, 200);
    let (caller, _) = gateway.function.asked.lock().unwrap().take().unwrap();
    assert!(format!("{:?}", caller.principal).contains(ROLE));
}

#[tokio::test]
async fn settings_that_would_do_nothing_are_refused_by_name() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.must("CreateRestApi", json!({ "name": "n" })).await;
    let place = json!({ "restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET" });
    let at = |more: Value| {
        let mut input = place.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    gateway.must("PutMethod", at(json!({ "authorizationType": "NONE" }))).await;
    let http = json!({ "type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://h/" });
    let mock = json!({ "type": "MOCK" });
    for (base, name, value) in [
        (&http, "requestTemplates", json!({ "application/json": "{}" })),
        (&http, "contentHandling", json!("CONVERT_TO_TEXT")),
        (&http, "credentials", json!(ROLE)),
        (&mock, "tlsConfig", json!({ "insecureSkipVerification": true })),
        (&mock, "credentials", json!(ROLE)),
        (&http, "connectionType", json!("VPC_LINK")),
    ] {
        let mut input = at(base.clone());
        input[name] = value;
        let refused = gateway.client.refused("apigateway", "PutIntegration", input).await;
        assert_eq!(refused, "NotImplemented", "{name}");
    }
}

#[tokio::test]
async fn bodies_are_converted_between_bytes_and_base64() {
    for (handling, kind, body, expected) in [
        ("CONVERT_TO_TEXT", "image/png", "\u{1}x", "AXg="),
        ("CONVERT_TO_TEXT", "text/plain", "x", "x"),
        ("CONVERT_TO_BINARY", "text/plain", "eA==", "x"),
        ("CONVERT_TO_BINARY", "image/png", "x", "x"),
    ] {
        let world = World::new();
        let gateway = Gateway::new(&world);
        *gateway.function.answer.lock().unwrap() = "1".into();
        let more =
            json!({ "contentHandling": handling, "responses": { "default": { "statusCode": "200" } } });
        let types = json!({ "x-amazon-apigateway-binary-media-types": ["image/*"] });
        let api = gateway.deploy_with(json!({ "/": { "post": function(more) } }), types).await;
        let request = Request::post("/s").header("host", HOST).header("content-type", kind);
        assert_eq!(gateway.request(&api, request, body).await.0, 200);
        let payload = gateway.function.asked.lock().unwrap().take().unwrap().1.payload;
        assert_eq!(payload, expected, "{handling} {kind}");
    }
}

#[tokio::test]
async fn what_is_no_template_fails_when_it_is_used() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.deploy(json!({ "/": { "get": template("#if($x) no end") } })).await;
    assert_eq!(gateway.get(&api, "/s").await, (500, r#"{"message":"Internal server error"}"#.into()));
    let api = gateway.deploy(json!({ "/": { "get": template("#foreach($i in [1..1000])#foreach($j in [1..1000])#foreach($k in [1..1000])#end#end#end") } })).await;
    assert_eq!(gateway.get(&api, "/s").await.0, 500);
}

#[tokio::test]
async fn what_a_requests_template_overrode_its_responses_template_finds() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let echo = integration(json!({
        "requestTemplates": { "application/json":
            "#set($context.requestOverride.path.body = $input.body)#set($context.requestOverride.header.X-R = 'r'){\"statusCode\": 200}" },
        "responses": { "default": { "statusCode": "200", "responseTemplates": { "application/json":
            "$context.requestOverride.path.body#set($context.responseOverride.header.X-S = 's')" } } },
    }));
    let api = gateway.deploy(json!({ "/": { "post": echo } })).await;
    let (_, headers, body) =
        gateway.request(&api, Request::post("/s").header("host", HOST), "{\"a\": 1}").await;
    assert_eq!((body.as_str(), headers["x-s"].to_str().unwrap()), ("{\"a\": 1}", "s"));
    assert!(!headers.contains_key("x-r"));
}
