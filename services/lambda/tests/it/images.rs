//! Functions that are container images.

use std::io::Write as _;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::python;
use crate::scene::{Scene, base64, trial};
use crate::stubs::ROLE;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("an_image_is_run", an_image_is_run),
        trial("a_function_says_how_its_image_is_run", a_function_says_how_its_image_is_run),
        trial("later_layers_hide_what_is_below", later_layers_hide_what_is_below),
        trial("nothing_of_an_image_leads_out_of_it", nothing_of_an_image_leads_out_of_it),
        trial("wrong_images_are_refused", wrong_images_are_refused),
        trial("images_have_no_runtime", images_have_no_runtime),
        trial("what_an_image_cannot_start_is_told", what_an_image_cannot_start_is_told),
    ]
}

/// A runtime in nothing but bash: answers what it sees.
const RUNTIME: &str = r#"#!/bin/bash
api=/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}
count=0
while true; do
  exec 3<>$api
  printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
  length=0
  while IFS= read -r line <&3; do
    line=${line%$'\r'}
    [ -z "$line" ] && break
    case "$line" in
      lambda-runtime-aws-request-id:*) id=${line#*: } ;;
      content-length:*) length=${line#*: } ;;
    esac
  done
  read -r -N "$length" event <&3
  exec 3>&-
  count=$((count + 1))
  echo "logged $event"
  echo x > /tmp/$count
  files=(/*)
  answer="{\"event\":$event,\"count\":$count,\"arguments\":\"$*\",\"directory\":\"$PWD\",\"word\":\"$WORD\",\"path\":\"$PATH\",\"name\":\"$AWS_LAMBDA_FUNCTION_NAME\",\"handler\":\"$_HANDLER\",\"user\":$UID,\"files\":\"${files[*]}\",\"data\":\"$(< /data)\"}"
  exec 3<>$api
  printf 'POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' "$id" "${#answer}" "$answer" >&3
  while read -r line <&3; do :; done
  exec 3>&-
done
"#;

/// What goes into a layer.
enum Item<'a> {
    File(&'a str, Vec<u8>, u32),
    Directory(&'a str),
    Symlink(&'a str, &'a str),
    Link(&'a str, &'a str),
}

use Item::{Directory, File, Link, Symlink};

fn layer(items: &[Item<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for item in items {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o755);
        let (name, content, target, kind) = match item {
            File(name, content, mode) => {
                header.set_mode(*mode);
                (name, &content[..], None, tar::EntryType::Regular)
            }
            Directory(name) => (name, &[][..], None, tar::EntryType::Directory),
            Symlink(name, target) => (name, &[][..], Some(target), tar::EntryType::Symlink),
            Link(name, target) => (name, &[][..], Some(target), tar::EntryType::Link),
        };
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        // As they are, dots and all.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        if let Some(target) = target {
            header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
        }
        header.set_cksum();
        archive.append(&header, content).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A shell with what it needs, and the runtime.
fn base() -> Vec<u8> {
    let needs = std::process::Command::new("ldd").arg("/bin/bash").output().unwrap().stdout;
    let needs = String::from_utf8(needs).unwrap();
    let libraries = needs.split_whitespace().filter(|word| word.starts_with('/'));
    let read = |path: &str| std::fs::read(Path::new(path)).unwrap();
    let mut items: Vec<Item<'_>> = libraries.map(|path| File(path, read(path), 0o755)).collect();
    items.push(File("bin/bash", read("/bin/bash"), 0o755));
    items.push(File("./opt/app/runtime", RUNTIME.into(), 0o755));
    items.push(Directory("work/"));
    items.push(File("data", b"base".to_vec(), 0o644));
    layer(&items)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An image layout: each layer's bytes are compressed if its number is even.
fn image(layers: &[Vec<u8>], run: Value) -> Bytes {
    layout(layers, run, |_| {})
}

fn layout(layers: &[Vec<u8>], run: Value, change: impl Fn(&mut Value)) -> Bytes {
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes).unwrap();
    };
    let mut blob = |kind: &str, bytes: &[u8]| {
        let hash = hex::encode(digest(&SHA256, bytes));
        add(&format!("blobs/sha256/{hash}"), bytes);
        json!({"mediaType": kind, "digest": format!("sha256:{hash}"), "size": bytes.len()})
    };
    let mut descriptors = Vec::new();
    for (number, bytes) in layers.iter().enumerate() {
        descriptors.push(match number % 2 {
            0 => blob("application/vnd.oci.image.layer.v1.tar+gzip", &gzip(bytes)),
            _ => blob("application/vnd.oci.image.layer.v1.tar", bytes),
        });
    }
    let mut all = json!({"configuration": {"architecture": "amd64", "os": "linux", "config": run}, "layers": descriptors});
    change(&mut all);
    let configuration =
        blob("application/vnd.oci.image.config.v1+json", all["configuration"].to_string().as_bytes());
    let manifest = json!({"schemaVersion": 2, "config": configuration, "layers": all["layers"]});
    let mut manifest = blob("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
    manifest["platform"] = json!({"architecture": "amd64", "os": "linux"});
    let other = json!({"digest": "sha256:0", "platform": {"architecture": "unknown", "os": "unknown"}});
    let index = json!({"schemaVersion": 2, "manifests": [other, manifest]});
    let inner = blob("application/vnd.oci.image.index.v1+json", index.to_string().as_bytes());
    add("oci-layout", br#"{"imageLayoutVersion": "1.0.0"}"#);
    add("index.json", json!({"schemaVersion": 2, "manifests": [inner]}).to_string().as_bytes());
    archive.into_inner().unwrap().into()
}

const URI: &str = "s3://code/image.tar";

fn put(scene: &Scene, image: Bytes) {
    scene.objects.0.lock().unwrap().insert("image.tar".into(), image);
}

fn input(more: Value) -> Value {
    let mut input = json!({"FunctionName": "f", "PackageType": "Image", "Role": ROLE, "Code": {"ImageUri": URI},
        "Timeout": 10});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

fn run() -> Value {
    json!({"Entrypoint": ["runtime"], "Cmd": ["one", "two"], "Env": ["PATH=/nowhere:/opt/app", "WORD=image", "AWS_REGION=no"],
        "WorkingDir": "/work"})
}

async fn an_image_is_run() {
    let scene = Scene::new();
    put(&scene, image(&[base()], run()));
    let made = scene.call("CreateFunction", input(json!({}))).await.unwrap();
    assert_eq!(
        (&made["PackageType"], &made["Runtime"], &made["Handler"]),
        (&json!("Image"), &Value::Null, &Value::Null)
    );
    assert_eq!((made["CodeSha256"].as_str().unwrap().len(), &made["CodeSize"]), (64, &json!(0)));
    let got = scene.call("GetFunction", json!({"FunctionName": "f"})).await.unwrap();
    let resolved = format!("{URI}@sha256:{}", made["CodeSha256"].as_str().unwrap());
    assert_eq!(got["Code"], json!({"RepositoryType": "ECR", "ImageUri": URI, "ResolvedImageUri": resolved}));
    let answer = scene.ask("f", json!({"a": [1]})).await;
    for (member, expected) in [
        ("event", json!({"a": [1]})),
        ("arguments", json!("one two")),
        ("directory", json!("/work")),
        ("word", json!("image")),
        ("path", json!("/nowhere:/opt/app")),
        ("name", json!("f")),
        ("handler", json!("")),
        ("data", json!("base")),
    ] {
        assert_eq!(answer[member], expected, "{member}");
    }
    assert!(answer["user"].as_u64().unwrap() >= 200_000, "{answer}");
    let files: Vec<&str> = answer["files"].as_str().unwrap().split(' ').collect();
    assert!(files.contains(&"/work") && files.contains(&"/tmp") && !files.contains(&"/usr"), "{files:?}");
    assert_eq!(scene.ask("f", json!(2)).await["count"], 2, "the same instance");
    assert!(!scene.lines.of("/aws/lambda/f", "logged 2").await.is_empty());
}

async fn a_function_says_how_its_image_is_run() {
    let scene = Scene::new();
    put(&scene, image(&[base()], run()));
    let config = json!({"ImageConfig": {"Command": ["three"], "WorkingDirectory": "/opt"},
        "Environment": {"Variables": {"WORD": "function"}}});
    let made = scene.call("CreateFunction", input(config.clone())).await.unwrap();
    assert_eq!(made["ImageConfigResponse"]["ImageConfig"], config["ImageConfig"]);
    let answer = scene.ask("f", json!(1)).await;
    let seen = [&answer["arguments"], &answer["directory"], &answer["word"]];
    assert_eq!(seen, [&json!("three"), &json!("/opt"), &json!("function")]);
    let config =
        json!({"FunctionName": "f", "ImageConfig": {"EntryPoint": ["/bin/bash", "/opt/app/runtime"]}});
    scene.call("UpdateFunctionConfiguration", config).await.unwrap();
    let answer = scene.ask("f", json!(1)).await;
    assert_eq!((&answer["arguments"], &answer["directory"]), (&json!(""), &json!("/work")));
    let newer = layer(&[File("data", b"newer".to_vec(), 0o644)]);
    put(&scene, image(&[base(), newer], run()));
    let updated =
        scene.call("UpdateFunctionCode", json!({"FunctionName": "f", "ImageUri": URI})).await.unwrap();
    assert_ne!(updated["CodeSha256"], made["CodeSha256"]);
    assert_eq!(scene.ask("f", json!(1)).await["data"], "newer");
}

/// The names in a directory of the function's file system, on the host.
fn names(scene: &Scene, sha256: &Value, directory: &str) -> Vec<String> {
    let root = scene.data.path().join("functions").join(sha256.as_str().unwrap()).join("task");
    let entries = std::fs::read_dir(root.join(directory)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn later_layers_hide_what_is_below() {
    let scene = Scene::new();
    let text = |text: &str| text.as_bytes().to_vec();
    let below = layer(&[
        File("a/gone", text("1"), 0o644),
        File("a/kept", text("1"), 0o644),
        File("opaque/old", text("1"), 0o644),
        File("opaque/sub/old", text("1"), 0o644),
        File("file", text("1"), 0o644),
        Directory("directory/"),
        Symlink("lib", "usr/lib"),
        File("usr/lib/x", text("1"), 0o644),
        File("proc", text("no directory"), 0o644),
    ]);
    let above = layer(&[
        File("a/.wh.gone", Vec::new(), 0o644),
        File("opaque/new", text("2"), 0o644),
        File("opaque/sub/new", text("2"), 0o644),
        File("opaque/.wh..wh..opq", Vec::new(), 0o644),
        Directory("file/"),
        File("directory", text("2"), 0o600),
        File("lib/y", text("2"), 0o644),
        Link("lib/z", "lib/x"),
        File(".wh.never", Vec::new(), 0o644),
    ]);
    put(&scene, image(&[base(), below, above], run()));
    let made = scene.call("CreateFunction", input(json!({}))).await.unwrap();
    for (directory, expected) in [
        ("a", &["kept"][..]),
        ("opaque", &["new", "sub"]),
        ("opaque/sub", &["new"]),
        ("file", &[]),
        ("usr/lib", &["x", "y", "z"]),
        ("proc", &[]),
    ] {
        assert_eq!(names(&scene, &made["CodeSha256"], directory), expected, "{directory}");
    }
}

async fn nothing_of_an_image_leads_out_of_it() {
    let outside = tempfile::tempdir().unwrap();
    let there = outside.path().to_str().unwrap();
    let file = outside.path().join("precious");
    std::fs::write(&file, "as it was").unwrap();
    let scene = Scene::new();
    let text = b"evil".to_vec();
    let links = layer(&[
        Symlink("out", there),
        Symlink("up", "../../../../../../../../tmp"),
        Symlink("opt/extensions", there),
    ]);
    let inside = format!("out/{}", "precious");
    let through = layer(&[
        File(&inside, text.clone(), 0o644),
        File("up/evil", text.clone(), 0o644),
        Symlink("dev", there),
    ]);
    let whiteout =
        layer(&[File("out/.wh.precious", Vec::new(), 0o644), File("out/.wh..wh..opq", Vec::new(), 0o644)]);
    put(&scene, image(&[base(), links, through, whiteout], run()));
    // Inside, the links lead to what is not there.
    let error = scene.call("CreateFunction", input(json!({}))).await.unwrap_err();
    assert!(error.message.ends_with("'out' is no directory."), "{}", error.message);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "as it was");
    assert!(!Path::new("/tmp/evil").exists());
    for items in [
        vec![File("../evil", text.clone(), 0o644)],
        vec![File("a/../../evil", text.clone(), 0o644)],
        vec![Link("evil", "../../etc/passwd")],
        vec![Link("evil", file.to_str().unwrap())],
        vec![Symlink("out", there), Link("evil", "out/precious")],
    ] {
        put(&scene, image(&[base(), layer(&items)], run()));
        let error = scene.call("CreateFunction", input(json!({"FunctionName": "g"}))).await.unwrap_err();
        assert_eq!(error.code, "InvalidParameterValueException");
    }
}

async fn wrong_images_are_refused() {
    let scene = Scene::new();
    let arm = |all: &mut Value| all["configuration"]["architecture"] = json!("arm64");
    let zstd = |all: &mut Value| {
        all["layers"][0]["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+zstd")
    };
    let missing = |all: &mut Value| all["layers"][0]["digest"] = json!(format!("sha256:{}", "0".repeat(64)));
    let small = [layer(&[File("a", b"b".to_vec(), 0o644)])];
    let mut broken = image(&small, run()).to_vec();
    let at = broken.windows(3).position(|part| part == [0x1f, 0x8b, 8]).unwrap();
    broken[at + 4] ^= 1;
    for (image, part) in [
        (Bytes::from_static(b"no archive"), "it is no tar archive"),
        (layer(&[]).into(), "it has no index.json"),
        (layout(&small, run(), arm), "it is for linux/arm64, not for linux/amd64"),
        (
            layout(&small, run(), zstd),
            "layer media type application/vnd.oci.image.layer.v1.tar+zstd is not supported",
        ),
        (layout(&small, run(), missing), "it lacks sha256:0000"),
        (broken.into(), "is not the digest of its content"),
    ] {
        put(&scene, image);
        let error = scene.call("CreateFunction", input(json!({}))).await.unwrap_err();
        assert_eq!(error.code, "InvalidParameterValueException");
        assert!(error.message.contains(part), "{}", error.message);
    }
    for uri in ["123456789012.dkr.ecr.us-east-1.amazonaws.com/r:t", "s3://code", "s3:///x"] {
        let error =
            scene.call("CreateFunction", input(json!({"Code": {"ImageUri": uri}}))).await.unwrap_err();
        assert!(error.message.starts_with(&format!("Source image {uri} is not valid.")), "{}", error.message);
    }
}

async fn images_have_no_runtime() {
    let scene = Scene::new();
    put(&scene, image(&[base()], run()));
    let zip = json!({"ZipFile": base64(&python("def handler(e, c): pass"))});
    for more in [
        json!({"Runtime": "python3.11"}),
        json!({"Handler": "app.handler"}),
        json!({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:l:1"]}),
        json!({"Code": zip}),
        json!({"PackageType": "Zip"}),
        json!({"SnapStart": {"ApplyOn": "PublishedVersions"}}),
    ] {
        let error = scene.call("CreateFunction", input(more.clone())).await.unwrap_err();
        assert_eq!(error.code, "InvalidParameterValueException", "{more}");
    }
    scene.call("CreateFunction", input(json!({}))).await.unwrap();
    scene.create("zip", python("def handler(e, c): pass"), json!({})).await.unwrap();
    for (operation, more) in [
        ("UpdateFunctionCode", json!({"FunctionName": "f", "ZipFile": zip["ZipFile"]})),
        ("UpdateFunctionCode", json!({"FunctionName": "zip", "ImageUri": URI})),
        ("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Runtime": "python3.11"})),
        (
            "UpdateFunctionConfiguration",
            json!({"FunctionName": "f", "Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:l:1"]}),
        ),
        ("UpdateFunctionConfiguration", json!({"FunctionName": "zip", "ImageConfig": {"Command": ["a"]}})),
    ] {
        let error = scene.call(operation, more.clone()).await.unwrap_err();
        assert_eq!(error.code, "InvalidParameterValueException", "{more}");
    }
}

async fn what_an_image_cannot_start_is_told() {
    let scene = Scene::new();
    put(&scene, image(&[base()], run()));
    for (name, config, kind) in [
        ("gone", json!({"EntryPoint": ["/gone"]}), "Runtime.InvalidEntrypoint"),
        ("data", json!({"EntryPoint": ["/data"]}), "Runtime.InvalidEntrypoint"),
        ("place", json!({"WorkingDirectory": "/gone"}), "Runtime.InvalidWorkingDir"),
    ] {
        scene
            .call("CreateFunction", input(json!({"FunctionName": name, "ImageConfig": config})))
            .await
            .unwrap();
        let (document, error) = scene.invoke(name, json!(1)).await;
        assert_eq!(
            (error.as_deref(), &document["errorType"]),
            (Some("Unhandled"), &json!(kind)),
            "{document}"
        );
    }
}
