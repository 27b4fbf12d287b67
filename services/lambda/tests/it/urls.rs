//! Function URLs: who may call, what the function is told, and what the caller gets.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request};
use libtest_mimic::Trial;
use pagoda_protocol::Body;
use pagoda_service::{Arrival, Caller, DataPlane};
use serde_json::{Value, json};

use crate::archive::python;
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_url_is_public_if_the_policy_says_so", a_url_is_public_if_the_policy_says_so),
        trial("a_signed_url_wants_a_signature", a_signed_url_wants_a_signature),
        trial("a_function_is_told_the_request", a_function_is_told_the_request),
        trial("answers_are_shaped", answers_are_shaped),
        trial("pages_of_other_sites_are_answered", pages_of_other_sites_are_answered),
        trial("urls_come_and_go", urls_come_and_go),
    ]
}

const ECHO: &str =
    "def handler(e, c):\n    if e.get('body') == 'fail': raise ValueError('no')\n    return e\n";

/// A scene with a function whose URL is of this kind.
async fn scene(auth: &str, more: Value) -> (Scene, String) {
    let scene = Scene::new();
    scene.create("f", python(ECHO), json!({})).await.unwrap();
    let mut input = json!({"FunctionName": "f", "AuthType": auth});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    let url = scene.call("CreateFunctionUrlConfig", input).await.unwrap();
    let url = url["FunctionUrl"].as_str().unwrap().to_owned();
    assert!(url.ends_with(".lambda-url.us-east-1.localhost/"), "{url}");
    let id = url.strip_prefix("https://").unwrap().split('.').next().unwrap().to_owned();
    (scene, id)
}

async fn open(scene: &Scene) {
    for (id, action, key, value) in [
        ("url", "lambda:InvokeFunctionUrl", "FunctionUrlAuthType", json!("NONE")),
        ("invoke", "lambda:InvokeFunction", "InvokedViaFunctionUrl", json!(true)),
    ] {
        let mut input = json!({"FunctionName": "f", "StatementId": id, "Action": action, "Principal": "*"});
        input[key] = value;
        scene.call("AddPermission", input).await.unwrap();
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn ask(
    scene: &Scene,
    id: &str,
    method: Method,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let mut cx = scene.cx();
    cx.caller = Caller::anonymous();
    let path = parts.uri.path().to_owned();
    let arrival = Arrival { parts, body: Body::from(body.to_owned()), cx, name: id.to_owned(), path };
    let (parts, body) = scene.lambda.serve(arrival).await.into_parts();
    let body = body.collect(1 << 20).await.unwrap().to_vec();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

async fn a_url_is_public_if_the_policy_says_so() {
    let (scene, id) = scene("NONE", json!({})).await;
    let refused = ask(&scene, &id, Method::GET, "/", &[], "").await;
    assert_eq!(refused.status, 403);
    assert!(refused.json()["Message"].as_str().unwrap().starts_with("Forbidden"));
    open(&scene).await;
    assert_eq!(ask(&scene, &id, Method::GET, "/", &[], "").await.status, 200);
    let remove = json!({"FunctionName": "f", "StatementId": "invoke"});
    scene.call("RemovePermission", remove).await.unwrap();
    assert_eq!(ask(&scene, &id, Method::GET, "/", &[], "").await.status, 403, "both are needed");
    assert_eq!(ask(&scene, "another", Method::GET, "/", &[], "").await.status, 403);
}

async fn a_signed_url_wants_a_signature() {
    let (scene, id) = scene("AWS_IAM", json!({})).await;
    assert_eq!(ask(&scene, &id, Method::GET, "/", &[], "").await.status, 403);
    let wrong = ask(&scene, &id, Method::GET, "/", &[("authorization", "forged")], "").await;
    assert_eq!((wrong.status, wrong.json()["message"].clone()), (403, json!("The signature is wrong.")));
    let signed = ask(&scene, &id, Method::GET, "/", &[("authorization", "user")], "").await;
    assert_eq!(signed.status, 200);
    let iam = &signed.json()["requestContext"]["authorizer"]["iam"];
    assert_eq!(iam["userArn"], "arn:aws:iam::123456789012:user/test");
    open(&scene).await;
    assert_eq!(ask(&scene, &id, Method::GET, "/", &[], "").await.status, 403, "the policy is for NONE");
}

async fn a_function_is_told_the_request() {
    let (scene, id) = scene("NONE", json!({})).await;
    open(&scene).await;
    let host = format!("{id}.lambda-url.us-east-1.localhost");
    let headers = [
        ("host", host.as_str()),
        ("content-type", "text/plain"),
        ("cookie", "a=1; b=2"),
        ("x-m", "1"),
        ("x-m", "2"),
    ];
    let event = ask(&scene, &id, Method::POST, "/p%20q/r?a=1&a=2&b=%C3%BC", &headers, "body").await.json();
    for (pointer, expected) in [
        ("/version", json!("2.0")),
        ("/rawPath", json!("/p q/r")),
        ("/rawQueryString", json!("a=1&a=2&b=%C3%BC")),
        ("/queryStringParameters", json!({"a": "1,2", "b": "ü"})),
        ("/cookies", json!(["a=1", "b=2"])),
        ("/headers/x-m", json!("1,2")),
        ("/body", json!("body")),
        ("/isBase64Encoded", json!(false)),
        ("/requestContext/http/method", json!("POST")),
        ("/requestContext/http/sourceIp", json!("127.0.0.1")),
        ("/requestContext/domainName", json!(host)),
        ("/requestContext/apiId", json!(id)),
        ("/requestContext/accountId", json!("anonymous")),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
    }
}

async fn answers_are_shaped() {
    let (scene, id) = scene("NONE", json!({})).await;
    open(&scene).await;
    let failed = ask(&scene, &id, Method::POST, "/", &[("content-type", "text/plain")], "fail").await;
    assert_eq!((failed.status, failed.body.as_slice()), (502, b"Internal Server Error".as_slice()));
    let large = "x".repeat(6_291_457);
    assert_eq!(ask(&scene, &id, Method::POST, "/", &[], &large).await.status, 413);
    let source = "def handler(e, c):\n    return {'statusCode': 201, 'cookies': ['a=1', 'b=2'], 'headers': {'X-A': 'b'}, 'body': 'made'}\n";
    let code = crate::scene::base64(&python(source));
    scene.call("UpdateFunctionCode", json!({"FunctionName": "f", "ZipFile": code})).await.unwrap();
    let made = ask(&scene, &id, Method::POST, "/", &[], "").await;
    assert_eq!((made.status, made.header("x-a"), made.body.as_slice()), (201, Some("b"), b"made".as_slice()));
    assert_eq!(made.headers.get_all("set-cookie").iter().count(), 2);
    assert!(made.header("x-amzn-requestid").is_some());
}

async fn pages_of_other_sites_are_answered() {
    let cors = json!({"AllowOrigins": ["https://a"], "AllowMethods": ["POST"], "AllowHeaders": ["x-a"], "MaxAge": 60});
    let (scene, id) = scene("NONE", json!({"Cors": cors})).await;
    open(&scene).await;
    let asked = [("origin", "https://a"), ("access-control-request-method", "POST")];
    let answer = ask(&scene, &id, Method::OPTIONS, "/", &asked, "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some("https://a")));
    assert_eq!(
        (answer.header("access-control-allow-methods"), answer.header("access-control-max-age")),
        (Some("POST"), Some("60"))
    );
    for headers in [
        [("origin", "https://b"), ("access-control-request-method", "POST")],
        [("origin", "https://a"), ("access-control-request-method", "GET")],
    ] {
        let answer = ask(&scene, &id, Method::OPTIONS, "/", &headers, "").await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{headers:?}");
    }
    let answer = ask(&scene, &id, Method::POST, "/", &[("origin", "https://a")], "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some("https://a")));
}

async fn urls_come_and_go() {
    let (scene, id) = scene("NONE", json!({})).await;
    open(&scene).await;
    let of = |more: Value| {
        let mut input = json!({"FunctionName": "f"});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    let twice = scene.call("CreateFunctionUrlConfig", of(json!({"AuthType": "NONE"}))).await.unwrap_err();
    assert_eq!(twice.code, "ResourceConflictException");
    scene.call("PublishVersion", of(json!({}))).await.unwrap();
    scene.call("CreateAlias", of(json!({"Name": "live", "FunctionVersion": "1"}))).await.unwrap();
    for (qualifier, fits) in [("1", false), ("gone", false), ("live", true)] {
        let input = of(json!({"AuthType": "AWS_IAM", "Qualifier": qualifier}));
        assert_eq!(scene.call("CreateFunctionUrlConfig", input).await.is_ok(), fits, "{qualifier}");
    }
    let listed = scene.call("ListFunctionUrlConfigs", of(json!({}))).await.unwrap();
    assert_eq!(listed["FunctionUrlConfigs"].as_array().unwrap().len(), 2);
    let updated = scene.call("UpdateFunctionUrlConfig", of(json!({"AuthType": "AWS_IAM"}))).await.unwrap();
    assert_eq!(updated["AuthType"], "AWS_IAM");
    assert_eq!(scene.call("GetFunctionUrlConfig", of(json!({}))).await.unwrap(), updated);
    let streamed = scene.call("UpdateFunctionUrlConfig", of(json!({"InvokeMode": "RESPONSE_STREAM"}))).await;
    assert_eq!(streamed.unwrap()["InvokeMode"], "RESPONSE_STREAM");
    scene.call("DeleteFunctionUrlConfig", of(json!({}))).await.unwrap();
    assert_eq!(
        scene.call("GetFunctionUrlConfig", of(json!({}))).await.unwrap_err().code,
        "ResourceNotFoundException"
    );
    assert_eq!(ask(&scene, &id, Method::GET, "/", &[], "").await.status, 403);
}
