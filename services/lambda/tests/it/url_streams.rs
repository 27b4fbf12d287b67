//! Function URLs whose answers come in pieces.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use libtest_mimic::Trial;
use pagoda_protocol::Body;
use pagoda_service::{Arrival, DataPlane};
use serde_json::{Value, json};

use crate::archive::{Archive, python};
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_streamed_answer_comes_in_pieces", a_streamed_answer_comes_in_pieces),
        trial("a_prelude_is_the_head_of_the_response", a_prelude_is_the_head_of_the_response),
        trial("a_stream_that_fails_is_told", a_stream_that_fails_is_told),
        trial("what_is_not_streamed_is_shaped", what_is_not_streamed_is_shaped),
        trial("runtimes_of_their_own_stream", runtimes_of_their_own_stream),
    ]
}

/// The id of the URL of a function, whose caller may be anybody who signs.
async fn url(scene: &Scene) -> String {
    let input = json!({"FunctionName": "f", "AuthType": "AWS_IAM", "InvokeMode": "RESPONSE_STREAM"});
    let url = scene.call("CreateFunctionUrlConfig", input).await.unwrap();
    assert_eq!(url["InvokeMode"], "RESPONSE_STREAM");
    let url = url["FunctionUrl"].as_str().unwrap().to_owned();
    url.strip_prefix("https://").unwrap().split('.').next().unwrap().to_owned()
}

async fn scene(source: &str) -> (Scene, String) {
    let scene = Scene::new();
    let archive = Archive::new().file("index.js", source).done();
    let more = json!({"Runtime": "nodejs20.x", "Handler": "index.handler", "Timeout": 20});
    scene.create("f", archive, more).await.unwrap();
    let id = url(&scene).await;
    (scene, id)
}

async fn ask(scene: &Scene, id: &str, uri: &str) -> Response<Body> {
    let request = Request::builder().uri(uri).header("authorization", "user");
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let path = parts.uri.path().to_owned();
    let arrival = Arrival { parts, body: Body::from(""), cx: scene.cx(), name: id.to_owned(), path };
    scene.lambda.serve(arrival).await
}

async fn piece(body: &mut Body) -> Option<Bytes> {
    body.frame().await.map(|frame| frame.unwrap().into_data().unwrap())
}

/// Writes a first piece, and the second one half a second later.
const SLOW: &str = "
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.setContentType('text/plain');
  stream.write('first');
  await new Promise((resolve) => setTimeout(resolve, 500));
  stream.end('second');
});";

async fn a_streamed_answer_comes_in_pieces() {
    let (scene, id) = scene(SLOW).await;
    let response = ask(&scene, &id, "/").await;
    assert_eq!(
        (response.status().as_u16(), response.headers()["content-type"].as_bytes()),
        (200, &b"text/plain"[..])
    );
    let mut body = response.into_body();
    assert_eq!(piece(&mut body).await.unwrap(), "first");
    let between = std::time::Instant::now();
    assert_eq!(piece(&mut body).await.unwrap(), "second");
    assert!(between.elapsed() > std::time::Duration::from_millis(200), "they came together");
    assert_eq!(piece(&mut body).await, None);
}

async fn a_prelude_is_the_head_of_the_response() {
    let (scene, id) = scene(
        "exports.handler = awslambda.streamifyResponse(async (event, stream) => {
          const head = { statusCode: 203, headers: { 'X-A': 'b', 'Content-Type': 'text/html' }, cookies: ['a=1', 'b=2'] };
          stream = awslambda.HttpResponseStream.from(stream, event.rawPath === '/bare' ? {} : head);
          if (event.rawPath !== '/empty') stream.write('<p>' + 'x'.repeat(300000));
          stream.end();
        });",
    )
    .await;
    let response = ask(&scene, &id, "/").await;
    let headers = response.headers();
    assert_eq!((response.status().as_u16(), headers["x-a"].as_bytes()), (203, &b"b"[..]));
    assert_eq!(headers["content-type"], "text/html");
    assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
    assert_eq!(response.into_body().collect(1 << 20).await.unwrap().len(), 300_003);
    let response = ask(&scene, &id, "/bare").await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/octet-stream".parse().unwrap())
    );
    let response = ask(&scene, &id, "/empty").await;
    assert_eq!(response.status().as_u16(), 203);
    assert!(response.into_body().collect(1 << 20).await.unwrap().is_empty());
}

async fn a_stream_that_fails_is_told() {
    let (scene, id) = scene(
        "exports.handler = awslambda.streamifyResponse(async (event, stream) => {
          if (event.rawPath === '/late') { stream.write('begun'); await new Promise((resolve) => setTimeout(resolve, 50)); }
          throw new Error('no');
        });",
    )
    .await;
    assert_eq!(ask(&scene, &id, "/").await.status().as_u16(), 502);
    let mut body = ask(&scene, &id, "/late").await.into_body();
    assert_eq!(piece(&mut body).await.unwrap(), "begun");
    assert!(body.frame().await.unwrap().is_err(), "broken off");
}

async fn what_is_not_streamed_is_shaped() {
    let scene = Scene::new();
    let source = "def handler(e, c): return {'statusCode': 418, 'headers': {'X-A': 'b'}, 'body': 'tea'}";
    scene.create("f", python(source), json!({})).await.unwrap();
    let id = url(&scene).await;
    let response = ask(&scene, &id, "/").await;
    assert_eq!((response.status().as_u16(), response.headers()["x-a"].as_bytes()), (418, &b"b"[..]));
    assert_eq!(response.into_body().collect(1 << 20).await.unwrap(), "tea");
    let failing = python("def handler(e, c): raise ValueError('no')");
    let code = json!({"FunctionName": "f", "ZipFile": crate::scene::base64(&failing)});
    scene.call("UpdateFunctionCode", code).await.unwrap();
    assert_eq!(ask(&scene, &id, "/").await.status().as_u16(), 502);
}

/// A runtime that streams a prelude cut in the middle.
const OWN: &str = "#!/usr/bin/python3
import http.client, os
api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
while True:
    api.request('GET', '/2018-06-01/runtime/invocation/next')
    event = api.getresponse()
    event.read()
    def pieces():
        yield b'{\"statusCode\": 2'
        yield b'02}' + bytes(3)
        yield bytes(5) + b'own'
    api.request('POST', '/2018-06-01/runtime/invocation/' + event.headers['Lambda-Runtime-Aws-Request-Id'] + '/response', pieces(), {
        'Lambda-Runtime-Function-Response-Mode': 'streaming',
        'Content-Type': 'application/vnd.awslambda.http-integration-response'}, encode_chunked=True)
    api.getresponse().read()
";

async fn runtimes_of_their_own_stream() {
    let scene = Scene::new();
    let archive = Archive::new().with_mode("bootstrap", OWN, 0o755).done();
    scene.create("f", archive, json!({"Runtime": "provided.al2023"})).await.unwrap();
    let id = url(&scene).await;
    for _ in 0..2 {
        let response = ask(&scene, &id, "/").await;
        assert_eq!(response.status().as_u16(), 202);
        assert_eq!(response.into_body().collect(1 << 20).await.unwrap(), "own");
    }
    let (answer, error) = scene
        .invoke_raw("f", "1")
        .await
        .map(|one| (one["Payload"].clone(), one["FunctionError"].clone()))
        .unwrap();
    assert_eq!((error, answer.is_string()), (Value::Null, true), "who does not stream gets it whole");
}
