//! SnapStart: init code runs once for a version, and its instances go on from there.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::{Archive, python};
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("python_init_code_runs_once", python_init_code_runs_once),
        trial("node_init_code_runs_once", node_init_code_runs_once),
        trial("connections_of_the_init_code_are_broken_off", connections_of_the_init_code_are_broken_off),
        trial("only_versions_have_snapshots", only_versions_have_snapshots),
        trial("a_failed_init_fails_the_version", a_failed_init_fails_the_version),
        trial("a_snapshot_survives_the_platform", a_snapshot_survives_the_platform),
        trial("snap_start_is_refused_where_it_cannot_be", snap_start_is_refused_where_it_cannot_be),
    ]
}

const SNAP_START: &str = "PublishedVersions";

const PYTHON: &str = "import os, time, random, threading
from snapshot_restore_py import register_before_snapshot, register_after_restore
order = []
register_before_snapshot(order.append, 'before 1')
register_before_snapshot(order.append, 'before 2')
@register_after_restore
def after(): order.append('after ' + os.environ['AWS_LAMBDA_LOG_STREAM_NAME'][-4:])
token, stream = random.random(), os.environ['AWS_LAMBDA_LOG_STREAM_NAME']
thread = threading.Thread(target=time.sleep, args=(3600,), daemon=True); thread.start()
def handler(e, c):
    import urllib.request
    url = os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI']
    credentials = __import__('json').load(urllib.request.urlopen(url))
    return {'token': token, 'order': order, 'same': stream == c.log_stream_name, 'mine': c.log_stream_name[-4:],
            'drawn': random.random(), 'kind': os.environ['AWS_LAMBDA_INITIALIZATION_TYPE'],
            'key': credentials['AccessKeyId'], 'plain': 'AWS_ACCESS_KEY_ID' in os.environ, 'alive': thread.is_alive()}
";

async fn published(scene: &Scene, more: Value, archive: bytes::Bytes) {
    let mut all = json!({"SnapStart": {"ApplyOn": SNAP_START}, "Publish": true});
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    let created = scene.create("f", archive, all).await.unwrap();
    assert_eq!(created["State"], "Pending");
    scene.lambda.snapshots_settled().await;
}

async fn state(scene: &Scene, qualifier: &str) -> Value {
    scene
        .call("GetFunctionConfiguration", json!({"FunctionName": "f", "Qualifier": qualifier}))
        .await
        .unwrap()
}

async fn python_init_code_runs_once() {
    for templates in [false, true] {
        let scene = Scene::with(|config| config.templates = templates);
        scene.create("other", python("def handler(e, c): pass"), json!({})).await.unwrap();
        scene.lambda.starts().await;
        published(&scene, json!({}), python(PYTHON)).await;
        let described = state(&scene, "1").await;
        assert_eq!(described["State"], "Active", "{described}");
        assert_eq!(described["SnapStart"], json!({"ApplyOn": SNAP_START, "OptimizationStatus": "On"}));
        // Two at once, so that there are two instances.
        let (a, b) = tokio::join!(scene.ask("f:1", json!({})), scene.ask("f:1", json!({})));
        for answer in [&a, &b] {
            let after = format!("after {}", answer["mine"].as_str().unwrap());
            assert_eq!(answer["order"], json!(["before 2", "before 1", after]));
            assert_eq!((&answer["same"], &answer["alive"]), (&json!(false), &json!(true)));
            assert_eq!((&answer["kind"], &answer["plain"]), (&json!("snap-start"), &json!(false)));
            assert_eq!(answer["key"], "ASIAf");
        }
        assert_eq!(a["token"], b["token"]);
        assert_ne!(a["drawn"], b["drawn"]);
        let lines = scene.lines.of("/aws/lambda/f", "Restore Duration").await.join("\n");
        assert!(lines.contains("RESTORE_START Runtime Version: python3.11"), "{lines}");
    }
}

async fn node_init_code_runs_once() {
    let scene = Scene::with(|config| config.templates = true);
    let source = "let order = []; const token = Math.random(); let ticks = 0;
awslambda.registerBeforeSnapshot(async () => { order.push('before 1'); });
awslambda.registerBeforeSnapshot(() => { order.push('before 2'); });
awslambda.registerAfterRestore(async () => { order.push('after'); });
setInterval(() => { ticks += 1; }, 1).unref();
exports.handler = async () => { const had = ticks; await new Promise((done) => setTimeout(done, 20)); return { token, order, goes: ticks > had, drawn: Math.random() }; };
";
    published(&scene, json!({"Runtime": "nodejs20.x"}), Archive::new().file("app.js", source).done()).await;
    let (a, b) = tokio::join!(scene.ask("f:1", json!({})), scene.ask("f:1", json!({})));
    assert_eq!(a["order"], json!(["before 2", "before 1", "after"]));
    assert_eq!((&a["token"], &a["goes"]), (&b["token"], &json!(true)));
}

async fn connections_of_the_init_code_are_broken_off() {
    let scene = Scene::new();
    let source = "import os, socket
def connect():
    host, port = os.environ['AWS_ENDPOINT_URL'].removeprefix('http://').split(':')
    return socket.create_connection((host, int(port)))
kept = connect()
def handler(e, c):
    with connect() as new:
        new.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')
        return [kept.recv(1).decode(), new.recv(4096)[-6:].decode()]
";
    published(&scene, json!({}), python(source)).await;
    assert_eq!(state(&scene, "1").await["State"], "Active");
    assert_eq!(scene.ask("f:1", json!({})).await, json!(["", "pagoda"]));
}

async fn only_versions_have_snapshots() {
    let scene = Scene::new();
    let source = "import os\ndef handler(e, c): return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n";
    published(&scene, json!({}), python(source)).await;
    assert_eq!(scene.ask("f:1", json!({})).await, "snap-start");
    assert_eq!(scene.ask("f", json!({})).await, "on-demand");
    let latest = state(&scene, "$LATEST").await;
    assert_eq!(latest["SnapStart"], json!({"ApplyOn": SNAP_START, "OptimizationStatus": "Off"}));
    let off = json!({"FunctionName": "f", "SnapStart": {"ApplyOn": "None"}});
    scene.call("UpdateFunctionConfiguration", off).await.unwrap();
    scene.call("PublishVersion", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(scene.ask("f:2", json!({})).await, "on-demand");
    assert_eq!(scene.ask("f:1", json!({})).await, "snap-start");
    let images = || std::fs::read_dir(scene.data.path().join("images")).unwrap().count();
    assert_eq!(images(), 1);
    scene.call("DeleteFunction", json!({"FunctionName": "f", "Qualifier": "1"})).await.unwrap();
    assert_eq!(images(), 0, "the image goes with its version");
}

async fn a_failed_init_fails_the_version() {
    let scene = Scene::new();
    published(&scene, json!({}), python("raise ValueError('no init')\n")).await;
    let described = state(&scene, "1").await;
    assert_eq!(described["State"], "Failed");
    assert!(described["StateReason"].as_str().unwrap().contains("no init"), "{described}");
    let refused = scene.invoke_raw("f:1", "{}").await.unwrap_err();
    assert_eq!(refused.code, "ResourceConflictException");
}

async fn a_snapshot_survives_the_platform() {
    let scene = Scene::new();
    let source = "import random\ntoken = random.random()\ndef handler(e, c): return token\n";
    published(&scene, json!({}), python(source)).await;
    let token = scene.ask("f:1", json!({})).await;
    let scene = scene.reopened();
    scene.lambda.recover().await.unwrap();
    assert_eq!(state(&scene, "1").await["State"], "Active");
    assert_eq!(scene.ask("f:1", json!({})).await, token);
    // As after a restart of the machine, of which images are of no use: the init code runs again.
    let images = scene.data.path().join("images");
    let image = std::fs::read_dir(&images).unwrap().next().unwrap().unwrap().path();
    std::fs::write(image, "stale").unwrap();
    let scene = scene.reopened();
    assert_ne!(scene.ask("f:1", json!({})).await, token);
    scene.lambda.snapshots_settled().await;
    assert_eq!(state(&scene, "1").await["State"], "Active");
}

async fn snap_start_is_refused_where_it_cannot_be() {
    let scene = Scene::new();
    for more in [json!({"Runtime": "provided.al2023"}), json!({"EphemeralStorage": {"Size": 513}})] {
        let mut all = json!({"SnapStart": {"ApplyOn": SNAP_START}});
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        let refused = scene.create("f", python(""), all).await.unwrap_err();
        assert_eq!(refused.code, "InvalidParameterValueException", "{more}");
    }
    scene.create("f", python(""), json!({"SnapStart": {"ApplyOn": SNAP_START}})).await.unwrap();
    let change = json!({"FunctionName": "f", "EphemeralStorage": {"Size": 600}});
    let refused = scene.call("UpdateFunctionConfiguration", change).await.unwrap_err();
    assert_eq!(refused.code, "InvalidParameterValueException");
}
