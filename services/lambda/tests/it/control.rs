//! The control plane: what is accepted, what is refused, and what is described.

use libtest_mimic::Trial;
use pagoda_lambda::{Interpreters, RuntimeFallback};
use serde_json::{Value, json};

use crate::archive::python;
use crate::scene::{Scene, trial};
use crate::stubs::ROLE;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_function_is_described", a_function_is_described),
        trial("wrong_settings_are_refused", wrong_settings_are_refused),
        trial("what_is_not_built_is_refused_by_name", what_is_not_built_is_refused_by_name),
        trial("what_sam_writes_is_accepted", what_sam_writes_is_accepted),
        trial("settings_change_one_by_one", settings_change_one_by_one),
        trial("revisions_guard_changes", revisions_guard_changes),
        trial("functions_are_listed_in_pages", functions_are_listed_in_pages),
        trial("tags_come_and_go", tags_come_and_go),
        trial("missing_functions_are_told", missing_functions_are_told),
        trial("a_missing_runtime_is_refused_when_exact", a_missing_runtime_is_refused_when_exact),
    ]
}

fn plain() -> bytes::Bytes {
    python("def handler(e, c):\n    return 1\n")
}

async fn a_function_is_described() {
    let scene = Scene::new();
    let more = json!({"Description": "d", "Environment": {"Variables": {"WORD": "b"}}, "Tags": {"t": "1"}});
    let created = scene.create("f", plain(), more).await.unwrap();
    assert_eq!(created["FunctionArn"], "arn:aws:lambda:us-east-1:123456789012:function:f");
    for (member, expected) in [
        ("FunctionName", json!("f")),
        ("Runtime", json!("python3.11")),
        ("Role", json!(ROLE)),
        ("Handler", json!("app.handler")),
        ("CodeSize", json!(plain().len())),
        ("Description", json!("d")),
        ("Timeout", json!(3)),
        ("MemorySize", json!(128)),
        ("Version", json!("$LATEST")),
        ("Environment", json!({"Variables": {"WORD": "b"}})),
        ("State", json!("Active")),
        ("LastUpdateStatus", json!("Successful")),
        ("PackageType", json!("Zip")),
        ("EphemeralStorage", json!({"Size": 512})),
        ("TracingConfig", json!({"Mode": "PassThrough"})),
        ("LoggingConfig", json!({"LogFormat": "Text", "LogGroup": "/aws/lambda/f"})),
    ] {
        assert_eq!(created[member], expected, "{member}");
    }
    assert!(created["LastModified"].as_str().unwrap().ends_with("+0000"));
    let got = scene.call("GetFunction", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(got["Configuration"], created);
    assert_eq!((&got["Tags"], &got["Code"]["RepositoryType"]), (&json!({"t": "1"}), &json!("S3")));
    let versions = scene.call("ListVersionsByFunction", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(
        versions["Versions"][0]["FunctionArn"],
        format!("{}:$LATEST", created["FunctionArn"].as_str().unwrap())
    );
    let account = scene.call("GetAccountSettings", json!({})).await.unwrap();
    assert_eq!(account["AccountUsage"], json!({"TotalCodeSize": plain().len(), "FunctionCount": 1}));
    assert_eq!(account["AccountLimit"]["ConcurrentExecutions"], 1000);
}

async fn wrong_settings_are_refused() {
    let scene = Scene::new();
    for (more, expected) in [
        (json!({"Timeout": 901}), "timeout"),
        (json!({"Timeout": 0}), "timeout"),
        (json!({"MemorySize": 127}), "memorySize"),
        (json!({"MemorySize": 10241}), "memorySize"),
        (json!({"EphemeralStorage": {"Size": 511}}), "ephemeralStorage.size"),
        (json!({"Runtime": "python3.7"}), "The runtime parameter of python3.7 is no longer supported"),
        (json!({"Runtime": "python9"}), "runtime"),
        (json!({"Handler": null}), "Runtime and Handler are mandatory"),
        (
            json!({"Role": "arn:aws:iam::123456789012:role/gone"}),
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        (json!({"Environment": {"Variables": {"AWS_REGION": "x"}}}), "reserved keys"),
        (json!({"Environment": {"Variables": {"WORD": "x".repeat(5000)}}}), "4KB"),
        (json!({"Tags": {"aws:x": "1"}}), "reserved"),
        (json!({"Architectures": ["x86_64", "arm64"]}), "rchitecture"),
    ] {
        let refused = scene.create("f", plain(), more).await.unwrap_err();
        assert_eq!(refused.status.as_u16(), 400, "{refused}");
        assert!(refused.message.contains(expected), "{expected}: {refused}");
    }
    scene.create("f", plain(), json!({})).await.unwrap();
    let again = scene.create("f", plain(), json!({})).await.unwrap_err();
    assert_eq!(
        (again.code.as_ref(), again.message.as_str()),
        ("ResourceConflictException", "Function already exist: f")
    );
}

async fn what_is_not_built_is_refused_by_name() {
    let scene = Scene::new();
    for (more, expected) in [
        (json!({"VpcConfig": {"SubnetIds": []}}), "VpcConfig"),
        (json!({"DeadLetterConfig": {}}), "DeadLetterConfig"),
        (json!({"KMSKeyArn": ""}), "KMSKeyArn"),
        (json!({"FileSystemConfigs": []}), "FileSystemConfigs"),
        (json!({"Architectures": ["arm64"]}), "arm64"),
        (json!({"Runtime": "dotnet8"}), "dotnet8"),
        (json!({"Code": {"SourceKMSKeyArn": "x"}}), "SourceKMSKeyArn"),
    ] {
        let refused = scene.create("f", plain(), more).await.unwrap_err();
        assert_eq!(refused.status.as_u16(), 501, "{refused}");
        assert!(refused.message.contains(expected), "{expected}: {refused}");
    }
    assert!(scene.call("GetFunction", json!({"FunctionName": "f"})).await.is_err());
}

async fn what_sam_writes_is_accepted() {
    let scene = Scene::new();
    let more = json!({
        "Architectures": ["x86_64"],
        "TracingConfig": {"Mode": "PassThrough"},
        "MemorySize": 256,
        "Timeout": 30,
        "Publish": false,
        "PackageType": "Zip",
        "SnapStart": {"ApplyOn": "None"},
        "EphemeralStorage": {"Size": 1024},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "mine"},
        "Environment": {"Variables": {"TABLE": "t"}},
        "Tags": {"lambda:createdBy": "SAM"},
    });
    let created = scene.create("f", plain(), more).await.unwrap();
    assert_eq!(created["LoggingConfig"]["LogGroup"], "mine");
    assert_eq!((&created["MemorySize"], &created["Timeout"]), (&json!(256), &json!(30)));
}

async fn settings_change_one_by_one() {
    let scene = Scene::new();
    let first =
        scene.create("f", plain(), json!({"Environment": {"Variables": {"WORD": "b"}}})).await.unwrap();
    for (change, member, expected) in [
        (json!({"Timeout": 9}), "Timeout", json!(9)),
        (json!({"MemorySize": 256}), "MemorySize", json!(256)),
        (json!({"Handler": "app.other"}), "Handler", json!("app.other")),
        (json!({"Description": "new"}), "Description", json!("new")),
        (json!({"Runtime": "python3.12"}), "Runtime", json!("python3.12")),
        (json!({"EphemeralStorage": {"Size": 600}}), "EphemeralStorage", json!({"Size": 600})),
        (json!({"Environment": {"Variables": {}}}), "Environment", Value::Null),
    ] {
        let mut input = change;
        input["FunctionName"] = json!("f");
        let changed = scene.call("UpdateFunctionConfiguration", input).await.unwrap();
        assert_eq!(changed[member], expected, "{member}");
        assert_ne!(changed["RevisionId"], first["RevisionId"]);
        assert_eq!(changed["CodeSha256"], first["CodeSha256"]);
    }
    let end = scene.call("GetFunctionConfiguration", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!((&end["Timeout"], &end["MemorySize"]), (&json!(9), &json!(256)));
}

async fn revisions_guard_changes() {
    let scene = Scene::new();
    let first = scene.create("f", plain(), json!({})).await.unwrap();
    let change = |revision: &Value| json!({"FunctionName": "f", "Timeout": 9, "RevisionId": revision});
    scene.call("UpdateFunctionConfiguration", change(&first["RevisionId"])).await.unwrap();
    let stale = scene.call("UpdateFunctionConfiguration", change(&first["RevisionId"])).await.unwrap_err();
    assert_eq!((stale.code.as_ref(), stale.status.as_u16()), ("PreconditionFailedException", 412));
}

async fn functions_are_listed_in_pages() {
    let scene = Scene::new();
    for name in ["c", "a", "b"] {
        scene.create(name, plain(), json!({})).await.unwrap();
    }
    let mut names = Vec::new();
    let mut marker = Value::Null;
    loop {
        let mut input = json!({"MaxItems": 2});
        if !marker.is_null() {
            input["Marker"] = marker;
        }
        let page = scene.call("ListFunctions", input).await.unwrap();
        let functions = page["Functions"].as_array().unwrap();
        names.extend(functions.iter().map(|function| function["FunctionName"].clone()));
        marker = page["NextMarker"].clone();
        if marker.is_null() {
            break;
        }
    }
    assert_eq!(names, ["a", "b", "c"]);
    assert!(scene.call("ListFunctions", json!({"Marker": "%"})).await.is_err());
}

async fn tags_come_and_go() {
    let scene = Scene::new();
    let arn = scene.create("f", plain(), json!({"Tags": {"a": "1"}})).await.unwrap()["FunctionArn"].clone();
    scene.call("TagResource", json!({"Resource": arn, "Tags": {"a": "2", "b": "3"}})).await.unwrap();
    scene.call("UntagResource", json!({"Resource": arn, "TagKeys": ["b", "c"]})).await.unwrap();
    let tags = scene.call("ListTags", json!({"Resource": arn})).await.unwrap();
    assert_eq!(tags["Tags"], json!({"a": "2"}));
}

async fn missing_functions_are_told() {
    let scene = Scene::new();
    for operation in ["GetFunction", "GetFunctionConfiguration", "DeleteFunction", "Invoke", "GetPolicy"] {
        let missing = scene.call(operation, json!({"FunctionName": "gone"})).await.unwrap_err();
        assert_eq!(missing.status.as_u16(), 404);
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:gone";
        assert_eq!(missing.message, format!("Function not found: {arn}"), "{operation}");
    }
}

async fn a_missing_runtime_is_refused_when_exact() {
    let scene = Scene::with(|config| {
        config.interpreters = Interpreters::default();
        config.fallback = RuntimeFallback::Exact;
    });
    let refused = scene.create("f", plain(), json!({})).await.unwrap_err();
    assert!(refused.message.starts_with("The runtime python3.11 is not installed on this host"), "{refused}");
}
