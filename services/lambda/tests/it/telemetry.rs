//! The Telemetry API: what extensions are told of their instance.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::{Archive, python};
use crate::layers::publish;
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_subscriber_is_told_what_happens", a_subscriber_is_told_what_happens),
        trial("wrong_subscriptions_are_refused", wrong_subscriptions_are_refused),
    ]
}

/// Subscribes with `request`, waits for each event until all telemetry of it is there, and writes it down.
fn program(request: &Value) -> Archive {
    let source = r#"#!/usr/bin/python3
import http.server, json, os, queue, threading, urllib.error, urllib.request as u
api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API']
def call(path, body=None, method=None, **headers):
    headers = {name.replace('_', '-'): value for name, value in headers.items()}
    try: return u.urlopen(u.Request(api + path, body, headers, method=method))
    except urllib.error.HTTPError as error: return error
got = queue.Queue()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        batch = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        self.send_response(200)
        self.send_header('Content-Length', '0')
        self.end_headers()
        for event in batch: got.put((self.path, event))
    def log_message(self, *values): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 4243), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
me = call('/2020-01-01/extension/register', b'{"events": ["INVOKE"]}', Lambda_Extension_Name='beside').headers['Lambda-Extension-Identifier']
answer = call('/2022-07-01/telemetry', json.dumps(REQUEST).encode(), 'PUT', Lambda_Extension_Identifier=me)
print('subscribed', answer.status, answer.read().decode(), flush=True)
while answer.status == 200:
    event = json.loads(call('/2020-01-01/extension/event/next', Lambda_Extension_Identifier=me).read())
    seen = []
    while not seen or seen[-1][1]['type'] != 'platform.runtimeDone':
        seen.append(got.get())
    with open('/tmp/seen', 'w') as file: json.dump(seen, file)
    os.rename('/tmp/seen', '/tmp/told')
while True: call('/2020-01-01/extension/event/next', Lambda_Extension_Identifier=me)
"#;
    let source = source.replace("REQUEST", &request.to_string().replace("true", "True"));
    Archive::new().with_mode("extensions/beside", &source, 0o755)
}

async fn scene(request: &Value) -> Scene {
    let scene = Scene::new();
    let layer = publish(&scene, "l", program(request), json!({})).await;
    let source = "import json, os\ndef handler(e, c):\n    print('written', e)\n    \
        return json.load(open('/tmp/told')) if os.path.exists('/tmp/told') else None\n";
    let more = json!({"Layers": [layer["LayerVersionArn"]], "MemorySize": 256, "Timeout": 20});
    scene.create("f", python(source), more).await.unwrap();
    scene
}

fn request() -> Value {
    json!({"schemaVersion": "2022-12-13", "types": ["platform", "function"],
        "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
        "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/here"}})
}

async fn a_subscriber_is_told_what_happens() {
    let scene = scene(&request()).await;
    assert_eq!(scene.ask("f", json!(1)).await, Value::Null);
    let told = scene.ask("f", json!(2)).await;
    let told: Vec<(String, Value)> = serde_json::from_value(told).unwrap();
    assert!(
        told.iter().all(|(path, event)| path == "/here" && event["time"].as_str().unwrap().ends_with('Z'))
    );
    let of =
        |kind: &str| told.iter().find(|(_, event)| event["type"] == kind).map(|(_, event)| &event["record"]);
    let started = of("platform.initStart").unwrap();
    assert_eq!((&started["functionName"], &started["phase"]), (&json!("f"), &json!("init")));
    let subscribed = of("platform.telemetrySubscription").unwrap();
    let expected = json!({"name": "beside", "state": "Subscribed", "types": ["platform", "function"]});
    assert_eq!(subscribed, &expected);
    assert_eq!(of("platform.start").unwrap()["version"], "$LATEST");
    let done = of("platform.runtimeDone").unwrap();
    assert_eq!(
        (&done["status"], &done["requestId"]),
        (&json!("success"), &of("platform.start").unwrap()["requestId"])
    );
    let written = told.iter().filter(|(_, event)| event["type"] == "function");
    assert!(written.clone().any(|(_, event)| event["record"] == "written 1"), "{told:?}");
    let third = scene.ask("f", json!(3)).await.to_string();
    assert!(
        third.contains("platform.report") && third.contains("written 2"),
        "the rest came with the next: {third}"
    );
}

async fn wrong_subscriptions_are_refused() {
    let mut wrong = request();
    wrong["buffering"]["timeoutMs"] = json!(1);
    let scene = scene(&wrong).await;
    scene.ask("f", json!(1)).await;
    let lines = scene.lines.of("/aws/lambda/f", "subscribed").await;
    let line = lines.iter().find(|line| line.starts_with("subscribed")).unwrap();
    assert!(line.starts_with("subscribed 400 ") && line.contains("ValidationError"), "{line}");
}
