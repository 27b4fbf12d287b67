//! What a function sees from inside.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::{Archive, python};
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("the_environment_is_lambdas", the_environment_is_lambdas),
        trial("functions_see_nothing_of_each_other", functions_see_nothing_of_each_other),
        trial("the_platform_is_reachable", the_platform_is_reachable),
        trial("the_sdk_comes_last", the_sdk_comes_last),
        trial("only_tmp_is_writable", only_tmp_is_writable),
        trial("another_version_of_python_runs", another_version_of_python_runs),
    ]
}

async fn the_environment_is_lambdas() {
    let scene = Scene::new();
    let source = "import os\ndef handler(e, c):\n    return dict(os.environ)\n";
    let more = json!({"Environment": {"Variables": {"OWN": "x y", "TZ": "Asia/Tokyo"}}});
    scene.create("f", python(source), more).await.unwrap();
    let seen = scene.ask("f", json!({})).await;
    for (name, expected) in [
        ("OWN", "x y"),
        ("TZ", "Asia/Tokyo"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.11"),
        ("AWS_ACCESS_KEY_ID", "ASIAf"),
        ("AWS_SESSION_TOKEN", "token"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
        ("_HANDLER", "app.handler"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
    ] {
        assert_eq!(seen[name], expected, "{name}");
    }
    let host = ["HOME", "CARGO", "CARGO_MANIFEST_DIR", "USER", "SHELL"];
    assert!(host.iter().all(|name| seen[name].is_null()), "{seen}");
}

async fn functions_see_nothing_of_each_other() {
    let scene = Scene::new();
    let source = "import os\ndef handler(e, c):\n    \
        open('/tmp/mine', 'w').write(c.function_name)\n    \
        found = [os.path.join(d, f) for d, _, fs in os.walk('/tmp') for f in fs]\n    \
        return [os.getuid(), os.listdir('/var/task'), found, [p for p in os.listdir('/proc') if p.isdigit()]]\n";
    for name in ["a", "b"] {
        let archive = Archive::new().file("app.py", source).file(&format!("of_{name}"), "").done();
        scene.create(name, archive, json!({})).await.unwrap();
    }
    let (a, b) = (scene.ask("a", json!({})).await, scene.ask("b", json!({})).await);
    assert_ne!(a[0], b[0], "user ids");
    let names = |seen: &Value| {
        let mut names: Vec<String> = serde_json::from_value(seen[1].clone()).unwrap();
        names.sort();
        names
    };
    assert_eq!(
        (names(&a), names(&b)),
        (vec!["app.py".into(), "of_a".into()], vec!["app.py".into(), "of_b".into()])
    );
    for seen in [a, b] {
        assert_eq!(seen[2], json!(["/tmp/mine"]));
        assert_eq!(seen[3], json!(["2"]), "its own process alone");
    }
}

async fn the_platform_is_reachable() {
    let scene = Scene::new();
    let source = "import os, urllib.request\ndef handler(e, c):\n    \
                  return urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL']).read().decode()\n";
    scene.create("f", python(source), json!({})).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, "pagoda");
}

async fn the_sdk_comes_last() {
    let sdk = tempfile::tempdir().unwrap();
    open(sdk.path());
    std::fs::write(sdk.path().join("boto3.py"), "NAME = 'sdk'\n").unwrap();
    std::fs::write(sdk.path().join("own.py"), "NAME = 'sdk'\n").unwrap();
    let path = sdk.path().to_owned();
    let scene = Scene::with(|config| config.sdk.python = Some(path));
    let archive = Archive::new()
        .file("app.py", "import boto3, own\ndef handler(e, c):\n    return [boto3.NAME, own.NAME]\n")
        .file("own.py", "NAME = 'own'\n")
        .done();
    scene.create("f", archive, json!({})).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, json!(["sdk", "own"]));
}

/// Temporary directories are their owner's only.
pub(crate) fn open(directory: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
}

async fn only_tmp_is_writable() {
    let scene = Scene::new();
    let source = "def handler(e, c):\n    \
        try:\n        open(e, 'w')\n        return 'written'\n    \
        except OSError as error:\n        return error.strerror\n";
    scene.create("f", python(source), json!({})).await.unwrap();
    for (path, expected) in [
        ("/tmp/x", "written"),
        ("/var/task/x", "Read-only file system"),
        ("/var/runtime/x", "Read-only file system"),
    ] {
        assert_eq!(scene.ask("f", json!(path)).await, expected, "{path}");
    }
}

async fn another_version_of_python_runs() {
    let scene = Scene::new();
    let source = "import sys, ssl, sqlite3\ndef handler(e, c):\n    return list(sys.version_info[:2])\n";
    let more = json!({"Runtime": "python3.12"});
    let created = scene.create("f", python(source), more).await.unwrap();
    let version = scene.ask("f", json!({})).await;
    let exact = scene.lambda.interpreters().all().any(|one| one.to_string() == "python3.12");
    if exact {
        assert_eq!((version, &created["StateReason"]), (json!([3, 12]), &Value::Null));
    } else {
        assert!(created["StateReason"].as_str().unwrap().starts_with("python3.12 is not installed"));
        scene.lines.of("/aws/lambda/f", "(instead of python3.12, which is not installed)").await;
    }
}
