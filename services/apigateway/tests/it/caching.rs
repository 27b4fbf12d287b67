//! Answers that a stage keeps.

use http::{HeaderMap, Request};
use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{AUTHORIZER, FUNCTION, Gateway, mock, proxy};

const HOST: &str = "a.execute-api.us-east-1.localhost:4566";

/// An API of functions, whose stage has a cache, with these settings.
async fn cached(gateway: &Gateway<'_>, paths: Value, settings: &[(&str, &str)]) -> String {
    let api = gateway.deploy(paths).await;
    let on = [
        ("/cacheClusterEnabled", "true"),
        ("/*/*/caching/enabled", "true"),
        ("/*/*/metrics/enabled", "true"),
    ];
    patch(gateway, &api, &on).await;
    patch(gateway, &api, settings).await;
    api
}

async fn patch(gateway: &Gateway<'_>, api: &str, settings: &[(&str, &str)]) -> Value {
    let patches: Vec<_> = settings
        .iter()
        .map(|(path, value)| json!({ "op": "replace", "path": path, "value": value }))
        .collect();
    let input = json!({ "restApiId": api, "stageName": "s", "patchOperations": patches });
    gateway.must("UpdateStage", input).await
}

/// What the function answers from here on.
fn answers(gateway: &Gateway<'_>, body: &str) {
    *gateway.function.answer.lock().unwrap() =
        json!({ "statusCode": 200, "headers": { "X-Body": body }, "body": body }).to_string();
}

/// The answer to a request that asks for a fresh one.
async fn fresh(gateway: &Gateway<'_>, api: &str, uri: &str) -> (u16, HeaderMap, String) {
    let request = Request::get(uri).header("host", HOST).header("cache-control", "max-age=0");
    gateway.request(api, request, "").await
}

/// The function, keyed by these parameters of the method.
fn keyed(names: &[&str]) -> Value {
    let mut method = proxy();
    let places = |name: &str| match name.split('.').nth(2) {
        Some("querystring") => "query",
        Some(place) => ["header", "path"].into_iter().find(|known| *known == place).unwrap(),
        None => panic!("no parameter"),
    };
    let declared = names.iter().map(|name| {
        json!({ "name": name.rsplit('.').next(), "in": places(name), "type": "string", "required": places(name) == "path" })
    });
    method["parameters"] = declared.collect();
    method["x-amazon-apigateway-integration"]["cacheKeyParameters"] = json!(names);
    method
}

#[tokio::test]
async fn an_answer_is_kept_for_its_time() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let paths = json!({ "/a": { "get": proxy(), "post": proxy() }, "/any": { "x-amazon-apigateway-any-method": proxy() } });
    let api = cached(&gateway, paths, &[("/*/*/caching/ttlInSeconds", "3600")]).await;
    for (body, expected) in [("1", "1"), ("2", "1")] {
        answers(&gateway, body);
        let (status, headers, body) =
            gateway.request(&api, Request::get("/s/a?q=1").header("host", HOST), "").await;
        assert_eq!((status, headers["x-body"].to_str().unwrap(), body.as_str()), (200, expected, expected));
        assert!(headers.contains_key("x-amzn-requestid"));
    }
    let post = Request::post("/s/a").header("host", HOST);
    assert_eq!(gateway.request(&api, post, "").await.2, "2", "only GET is kept");
    assert_eq!(gateway.get(&api, "/s/any").await.1, "2");
    answers(&gateway, "3");
    assert_eq!(gateway.get(&api, "/s/any").await.1, "2");
    let post = Request::post("/s/any").header("host", HOST);
    assert_eq!(gateway.request(&api, post, "").await.2, "3");
    gateway.must("CreateDeployment", json!({ "restApiId": api, "stageName": "s" })).await;
    assert_eq!(gateway.get(&api, "/s/a").await.1, "1", "a deployment empties no cache");
    world.advance_hours(1);
    assert_eq!(gateway.get(&api, "/s/a").await.1, "3");
    let name =
        gateway.must("GetRestApi", json!({ "restApiId": api })).await["name"].as_str().unwrap().to_owned();
    let measured = |meter: &str| gateway.measured.of(&format!("{meter} {name} s GET /a")).len();
    assert_eq!((measured("CacheHitCount"), measured("CacheMissCount")), (2, 2));
    assert_eq!(measured("IntegrationLatency"), 2);
}

#[tokio::test]
async fn parameters_choose_the_answer() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let names = ["method.request.querystring.q", "method.request.header.H", "method.request.path.id"];
    let paths = json!({ "/p/{id}": { "get": keyed(&names) }, "/plain/{id}": { "get": proxy() } });
    let api = cached(&gateway, paths, &[]).await;
    let get = async |uri: &str, header: &str| {
        let request = Request::get(uri).header("host", HOST).header("h", header);
        gateway.request(&api, request, "").await.2
    };
    answers(&gateway, "1");
    assert_eq!((get("/s/p/1?q=a", "x").await, get("/s/plain/1", "x").await), ("1".into(), "1".into()));
    answers(&gateway, "2");
    assert_eq!(get("/s/p/1?q=a&other=1", "x").await, "1");
    for (uri, header) in [("/s/p/1?q=b", "x"), ("/s/p/1", "x"), ("/s/p/1?q=a", "y"), ("/s/p/2?q=a", "x")] {
        assert_eq!(get(uri, header).await, "2", "{uri} {header}");
    }
    assert_eq!(get("/s/plain/2", "x").await, "1", "no parameter of it chooses");
}

#[tokio::test]
async fn resources_share_a_namespace() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let mut method = proxy();
    method["x-amazon-apigateway-integration"]["cacheNamespace"] = json!("one");
    let api = cached(
        &gateway,
        json!({ "/a": { "get": method }, "/b": { "get": method }, "/c": { "get": proxy() } }),
        &[],
    )
    .await;
    answers(&gateway, "1");
    assert_eq!(gateway.get(&api, "/s/a").await.1, "1");
    answers(&gateway, "2");
    assert_eq!(gateway.get(&api, "/s/b").await.1, "1");
    assert_eq!(gateway.get(&api, "/s/c").await.1, "2");
}

#[tokio::test]
async fn who_may_can_have_an_answer_renewed() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let strategy = "/*/*/caching/unauthorizedCacheControlHeaderStrategy";
    let api = cached(&gateway, json!({ "/a": { "get": proxy() } }), &[]).await;
    answers(&gateway, "1");
    assert_eq!(gateway.get(&api, "/s/a").await.1, "1");
    answers(&gateway, "2");
    let (status, headers, body) = fresh(&gateway, &api, "/s/a").await;
    assert_eq!((status, body.as_str()), (200, "1"), "nobody has let it");
    assert!(headers["warning"].to_str().unwrap().starts_with("199 "));
    patch(&gateway, &api, &[(strategy, "SUCCEED_WITHOUT_RESPONSE_HEADER")]).await;
    let (_, headers, body) = fresh(&gateway, &api, "/s/a").await;
    assert_eq!((body.as_str(), headers.get("warning")), ("1", None));
    patch(&gateway, &api, &[(strategy, "FAIL_WITH_403")]).await;
    assert_eq!(fresh(&gateway, &api, "/s/a").await.0, 403);
    let policy = |action: &str| {
        json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*" },
            { "Effect": "Allow", "Principal": "*", "Action": action, "Resource": "execute-api:/s/GET/a" },
        ] })
        .to_string()
    };
    for (action, expected) in [("execute-api:Other", 403), ("execute-api:InvalidateCache", 200)] {
        let patches = json!([{ "op": "replace", "path": "/policy", "value": policy(action) }]);
        gateway.must("UpdateRestApi", json!({ "restApiId": api, "patchOperations": patches })).await;
        gateway.must("CreateDeployment", json!({ "restApiId": api, "stageName": "s" })).await;
        assert_eq!(fresh(&gateway, &api, "/s/a").await.0, expected, "{action}");
    }
    assert_eq!(gateway.get(&api, "/s/a").await.1, "2", "the new answer is kept");
    answers(&gateway, "3");
    patch(&gateway, &api, &[("/*/*/caching/requireAuthorizationForCacheControl", "false")]).await;
    assert_eq!(fresh(&gateway, &api, "/s/a").await.2, "3");
}

#[tokio::test]
async fn an_authorizer_can_let_an_answer_be_renewed() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let mut method = proxy();
    method["security"] = json!([{ "function": [] }]);
    let uri =
        format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{AUTHORIZER}/invocations");
    let authorizer = json!({ "type": "token", "authorizerUri": uri, "authorizerResultTtlInSeconds": 0 });
    let more = json!({ "securityDefinitions": { "function": {
        "type": "apiKey", "name": "Authorization", "in": "header",
        "x-amazon-apigateway-authtype": "custom", "x-amazon-apigateway-authorizer": authorizer,
    } } });
    let api = gateway.deploy_with(json!({ "/a": { "get": method } }), more).await;
    patch(&gateway, &api, &[("/cacheClusterEnabled", "true"), ("/*/*/caching/enabled", "true")]).await;
    for (actions, body, expected) in [
        (json!("execute-api:Invoke"), "1", "1"),
        (json!("execute-api:Invoke"), "2", "1"),
        (json!(["execute-api:Invoke", "execute-api:InvalidateCache"]), "3", "3"),
    ] {
        let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
        *gateway.function.verdict.lock().unwrap() = json!({ "principalId": "u", "policyDocument": { "Version": "2012-10-17", "Statement": [statement] } });
        answers(&gateway, body);
        let request = Request::get("/s/a").header("host", HOST).header("authorization", "t");
        let request = request.header("cache-control", "max-age=0");
        assert_eq!(gateway.request(&api, request, "").await.2, expected, "{actions}");
    }
}

#[tokio::test]
async fn caches_are_flushed_and_given_up() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = cached(&gateway, json!({ "/a": { "get": proxy() } }), &[]).await;
    let stage = json!({ "restApiId": api, "stageName": "s" });
    let serves = async |body: &str, expected: &str| {
        answers(&gateway, body);
        assert_eq!(gateway.get(&api, "/s/a").await.1, expected);
    };
    serves("1", "1").await;
    serves("2", "1").await;
    gateway.must("FlushStageCache", stage.clone()).await;
    serves("3", "3").await;
    patch(&gateway, &api, &[("/cacheClusterSize", "1.6")]).await;
    serves("4", "4").await;
    patch(&gateway, &api, &[("/cacheClusterEnabled", "false")]).await;
    serves("5", "5").await;
    serves("6", "6").await;
    patch(&gateway, &api, &[("/cacheClusterEnabled", "true"), ("/a/GET/caching/enabled", "false")]).await;
    serves("7", "7").await;
    serves("8", "8").await;
    let missing = json!({ "restApiId": api, "stageName": "none" });
    assert_eq!(gateway.client.refused("apigateway", "FlushStageCache", missing).await, "NotFoundException");
}

#[tokio::test]
async fn what_fails_or_is_too_large_is_not_kept() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api =
        cached(&gateway, json!({ "/a": { "get": proxy() } }), &[("/*/*/caching/dataEncrypted", "true")])
            .await;
    *gateway.function.fails.lock().unwrap() = true;
    assert_eq!(gateway.get(&api, "/s/a").await.0, 502);
    *gateway.function.fails.lock().unwrap() = false;
    for length in [1_048_577, 1_048_576] {
        let body = "x".repeat(length);
        *gateway.function.answer.lock().unwrap() = json!({ "statusCode": 203, "body": body }).to_string();
        assert_eq!(gateway.get(&api, "/s/a").await.1.len(), length);
    }
    answers(&gateway, "small");
    assert_eq!(gateway.get(&api, "/s/a").await.0, 203, "kept, encrypted");
}

#[tokio::test]
async fn many_wait_for_one_answer() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = cached(&gateway, json!({ "/a": { "get": proxy() } }), &[]).await;
    answers(&gateway, "1");
    let ask = || gateway.get(&api, "/s/a");
    let (first, second, third) = tokio::join!(ask(), ask(), ask());
    assert!([first, second, third].iter().all(|(status, body)| (*status, body.as_str()) == (200, "1")));
    let name =
        gateway.must("GetRestApi", json!({ "restApiId": api })).await["name"].as_str().unwrap().to_owned();
    assert_eq!(gateway.measured.of(&format!("CacheMissCount {name} s GET /a")).len(), 1);
}

#[tokio::test]
async fn settings_are_kept_and_checked() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.deploy(json!({ "/a": { "get": mock("200", "1") } })).await;
    let stage = patch(
        &gateway,
        &api,
        &[
            ("/cacheClusterEnabled", "true"),
            ("/cacheClusterSize", "6.1"),
            ("/~1a/GET/caching/ttlInSeconds", "7"),
        ],
    )
    .await;
    assert_eq!(
        (&stage["cacheClusterEnabled"], &stage["cacheClusterSize"], &stage["cacheClusterStatus"]),
        (&json!(true), &json!("6.1"), &json!("AVAILABLE"))
    );
    let expected = json!({ "cachingEnabled": false, "cacheTtlInSeconds": 7, "cacheDataEncrypted": false,
        "requireAuthorizationForCacheControl": true,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER" });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&stage["methodSettings"]["a/GET"][name], value, "{name}");
    }
    for (path, value) in [
        ("/cacheClusterSize", "7"),
        ("/cacheClusterEnabled", "yes"),
        ("/*/*/caching/ttlInSeconds", "3601"),
        ("/*/*/caching/ttlInSeconds", "-1"),
        ("/*/*/caching/enabled", "1"),
        ("/*/*/caching/unauthorizedCacheControlHeaderStrategy", "IGNORE"),
        ("/*/*/caching/other", "true"),
    ] {
        let patches = json!([{ "op": "replace", "path": path, "value": value }]);
        let input = json!({ "restApiId": api, "stageName": "s", "patchOperations": patches });
        let refused = gateway.client.refused("apigateway", "UpdateStage", input).await;
        assert_eq!(refused, "BadRequestException", "{path} {value}");
    }
    let deployment = stage["deploymentId"].clone();
    let made = gateway
        .must("CreateStage", json!({ "restApiId": api, "stageName": "t", "deploymentId": deployment, "cacheClusterEnabled": true }))
        .await;
    assert_eq!((&made["cacheClusterEnabled"], &made["cacheClusterSize"]), (&json!(true), &json!("0.5")));
}

#[tokio::test]
async fn key_parameters_are_the_methods_own() {
    let world = World::new();
    let gateway = Gateway::new(&world);
    let api = gateway.deploy(json!({ "/a": { "get": mock("200", "1") } })).await;
    let resources = gateway.must("GetResources", json!({ "restApiId": api })).await;
    let resource =
        resources["items"].as_array().unwrap().iter().find(|one| one["path"] == "/a").unwrap()["id"].clone();
    let place = json!({ "restApiId": api, "resourceId": resource, "httpMethod": "GET" });
    let with = |more: Value| {
        let mut input = place.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let patches =
        json!([{ "op": "add", "path": "/requestParameters/method.request.querystring.q", "value": "false" }]);
    gateway.must("UpdateMethod", with(json!({ "patchOperations": patches }))).await;
    let uri = format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations");
    let integration = |names: Value| {
        with(
            json!({ "type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri, "cacheKeyParameters": names }),
        )
    };
    let put = gateway.must("PutIntegration", integration(json!(["method.request.querystring.q"]))).await;
    assert_eq!(
        (&put["cacheKeyParameters"], &put["cacheNamespace"]),
        (&json!(["method.request.querystring.q"]), &resource)
    );
    for name in
        ["method.request.querystring.other", "q", "method.request.body", "integration.request.header.a"]
    {
        let refused =
            gateway.client.refused("apigateway", "PutIntegration", integration(json!([name]))).await;
        assert_eq!(refused, "BadRequestException", "{name}");
    }
    let patches = json!([
        { "op": "replace", "path": "/cacheNamespace", "value": "n" },
        { "op": "remove", "path": "/cacheKeyParameters/method.request.querystring.q" },
    ]);
    let patched = gateway.must("UpdateIntegration", with(json!({ "patchOperations": patches }))).await;
    assert_eq!((&patched["cacheKeyParameters"], &patched["cacheNamespace"]), (&json!([]), &json!("n")));
}
