//! Packages: hostile archives, archives in S3, and what remains on disk.

use std::fs;
use std::os::unix::fs::MetadataExt;

use bytes::Bytes;
use libtest_mimic::Trial;
use pagoda_service::Background;
use serde_json::json;

use crate::archive::{Archive, python};
use crate::scene::{Scene, base64, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("large_packages_are_compiled_once", large_packages_are_compiled_once),
        trial("hostile_archives_are_refused", hostile_archives_are_refused),
        trial("links_inside_a_package_work", links_inside_a_package_work),
        trial("packages_come_from_s3", packages_come_from_s3),
        trial("packages_are_shared_and_removed", packages_are_shared_and_removed),
        trial("guests_can_read_what_the_archive_hides", guests_can_read_what_the_archive_hides),
        trial("a_dry_run_changes_nothing", a_dry_run_changes_nothing),
    ]
}

const PLAIN: &str = "def handler(e, c):\n    return 1\n";

async fn hostile_archives_are_refused() {
    let scene = Scene::new();
    let renamed = |name: &str| patched(&Archive::new().file("XXXXXXXXXX", "x").done(), name);
    let mut cut = python(PLAIN).to_vec();
    cut.truncate(40);
    for (archive, expected) in [
        (Bytes::from_static(b"no archive"), "Could not unzip"),
        (Bytes::new(), "Could not unzip"),
        (cut.into(), "Could not unzip"),
        (Archive::new().done(), "non-empty zip"),
        (renamed("../escaped"), "does not stay inside"),
        (renamed("a/../../bb"), "does not stay inside"),
        (renamed("/etc/passw"), "does not stay inside"),
        (renamed("a//////bbb"), "does not stay inside"),
        (renamed("null\0bytes"), "does not stay inside"),
        (Archive::new().link("l", "/etc/passwd").done(), "leaves the package"),
        (Archive::new().link("l", "../l").done(), "leaves the package"),
        (Archive::new().directory("d").link("d/l", "../../x").done(), "leaves the package"),
        (Archive::new().link("l", "d").file("l/x", "through").done(), "there twice"),
        (Archive::new().file("l/x", "through").link("l", "d").done(), "there twice"),
        (Archive::new().file("f", "").file("f/x", "").done(), "there twice"),
        (Archive::new().zeros("bomb", 251).done(), "Unzipped size must be smaller than 262144000 bytes"),
    ] {
        let refused = scene.create("f", archive, json!({})).await.unwrap_err();
        assert_eq!(refused.code, "InvalidParameterValueException", "{refused}");
        assert!(refused.message.contains(expected), "{expected}: {refused}");
    }
    assert_eq!(fs::read_dir(scene.data.path().join("functions")).unwrap().count(), 0);
    assert_eq!(
        fs::read_dir(scene.data.path()).unwrap().count(),
        3,
        "nothing beside functions, images and runtimes"
    );
}

/// The archive with its one name changed to another of ten bytes, which no zip writer would accept.
fn patched(archive: &Bytes, name: &str) -> Bytes {
    let name: [u8; 10] = name.as_bytes().try_into().unwrap();
    let mut bytes = archive.to_vec();
    let places: Vec<usize> =
        (0..bytes.len() - 10).filter(|&at| &bytes[at..at + 10] == b"XXXXXXXXXX").collect();
    assert_eq!(places.len(), 2, "the local header and the directory");
    for at in places {
        bytes[at..at + 10].copy_from_slice(&name);
    }
    bytes.into()
}

async fn links_inside_a_package_work() {
    let scene = Scene::new();
    let archive = Archive::new().file("real/inner.py", PLAIN).link("app.py", "real/inner.py").done();
    scene.create("f", archive, json!({})).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, 1);
}

async fn packages_come_from_s3() {
    let scene = Scene::new();
    scene.objects.0.lock().unwrap().insert("f.zip".into(), python(PLAIN));
    let code = json!({"Code": {"S3Bucket": "code", "S3Key": "f.zip"}});
    scene.create("f", Bytes::new(), code).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, 1);
    for (code, expected) in [
        (json!({"S3Bucket": "code", "S3Key": "gone"}), "S3 Error Code: NoSuchKey"),
        (json!({"S3Bucket": "code"}), "both an S3Bucket and an S3Key"),
        (json!({"S3Bucket": "code", "S3Key": "f.zip", "ZipFile": "AA=="}), "when providing a ZipFile"),
        (json!({}), "Please provide a source for function code"),
    ] {
        let refused = scene.create("g", Bytes::new(), json!({ "Code": code })).await.unwrap_err();
        assert_eq!(refused.code, "InvalidParameterValueException");
        assert!(refused.message.contains(expected), "{refused}");
    }
}

async fn packages_are_shared_and_removed() {
    let scene = Scene::new();
    let packages = || fs::read_dir(scene.data.path().join("functions")).unwrap().count();
    scene.create("a", python(PLAIN), json!({})).await.unwrap();
    scene.create("b", python(PLAIN), json!({})).await.unwrap();
    assert_eq!(packages(), 1);
    scene.call("DeleteFunction", json!({"FunctionName": "a"})).await.unwrap();
    sweep(&scene).await;
    assert_eq!(packages(), 1);
    assert_eq!(scene.ask("b", json!({})).await, 1);
    let other =
        json!({"FunctionName": "b", "ZipFile": base64(&python("def handler(e, c):\n    return 2\n"))});
    scene.call("UpdateFunctionCode", other).await.unwrap();
    assert_eq!(scene.ask("b", json!({})).await, 2);
    scene.lambda.close().await;
    sweep(&scene).await;
    assert_eq!(packages(), 1);
}

/// Lets the background work run for a whole round: until it has removed what surely nothing uses.
async fn sweep(scene: &Scene) {
    let unused = scene.data.path().join("functions/unused");
    fs::create_dir(&unused).unwrap();
    let mut background = Background::default();
    scene.lambda.run(&mut background);
    while unused.exists() {
        tokio::task::yield_now().await;
    }
    background.stop().await;
}

async fn guests_can_read_what_the_archive_hides() {
    let scene = Scene::new();
    let archive = Archive::new()
        .with_mode("app.py", "import os\ndef handler(e, c):\n    return [open('d/secret').read(), oct(os.stat('run').st_mode & 0o777)]\n", 0o400)
        .with_mode("d/secret", "word", 0o000)
        .with_mode("run", "", 0o700)
        .done();
    scene.create("f", archive, json!({})).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, json!(["word", "0o755"]));
    let functions = scene.data.path().join("functions");
    let package = fs::read_dir(functions).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::metadata(package.join("task/d/secret")).unwrap().mode() & 0o777, 0o644);
    assert!(package.join("package.zip").exists());
}

async fn a_dry_run_changes_nothing() {
    let scene = Scene::new();
    scene.create("f", python(PLAIN), json!({})).await.unwrap();
    let input = |archive: &Bytes| json!({"FunctionName": "f", "ZipFile": base64(archive), "DryRun": true});
    let other = python("def handler(e, c):\n    return 2\n");
    let tried = scene.call("UpdateFunctionCode", input(&other)).await.unwrap();
    let present = scene.call("GetFunctionConfiguration", json!({"FunctionName": "f"})).await.unwrap();
    assert_ne!(tried["CodeSha256"], present["CodeSha256"]);
    assert_eq!(tried["RevisionId"], present["RevisionId"]);
    assert_eq!(scene.ask("f", json!({})).await, 1);
    assert!(scene.call("UpdateFunctionCode", input(&Bytes::from_static(b"x"))).await.is_err());
}

/// Whether the interpreter finds `large` compiled, from the source that is there.
const CACHED: &str = "import importlib.util as u, os
def handler(e, c):
    spec = u.find_spec('inner.large')
    if not os.path.exists(spec.cached): return None
    head, source = open(spec.cached, 'rb').read(16), os.stat(spec.origin)
    same = head[:4] == u.MAGIC_NUMBER and head[8:12] == int(source.st_mtime).to_bytes(4, 'little')
    return [same and head[12:] == source.st_size.to_bytes(4, 'little'), u.module_from_spec(spec) and spec.loader.get_code('inner.large').co_filename]
";

async fn large_packages_are_compiled_once() {
    let scene = Scene::new();
    let large: String =
        (0..2_000).map(|n| format!("def function_{n}(a, b):\n    return a + b * {n}\n")).collect();
    let archive =
        Archive::new().file("app.py", CACHED).file("inner/__init__.py", "").file("inner/large.py", &large);
    let archive = archive.file("inner/broken.py", "def (").done();
    scene.create("f", archive.clone(), json!({"Timeout": 10})).await.unwrap();
    scene.lambda.compiled_settled().await;
    assert_eq!(scene.ask("f", json!({})).await, json!([true, "/var/task/inner/large.py"]));
    scene.create("small", python(CACHED), json!({})).await.unwrap();
    scene.lambda.compiled_settled().await;
    let caches =
        walk(&scene.data.path().join("functions")).into_iter().filter(|path| path.ends_with("__pycache__"));
    assert_eq!(caches.count(), 2, "the large package's, beside its modules");
}

/// All directories below one.
fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let directories = entries.filter(|path| path.is_dir() && !path.is_symlink());
    directories.flat_map(|path| [walk(&path), vec![path]].concat()).collect()
}
