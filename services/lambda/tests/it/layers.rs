//! Layers: their versions, their permissions, and what functions see of them.

use libtest_mimic::Trial;
use pagoda_service::{Access, Service};
use serde_json::{Value, json};

use crate::archive::{Archive, python};
use crate::scene::{Scene, base64, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("layer_versions_come_and_go", layer_versions_come_and_go),
        trial("a_function_sees_its_layers", a_function_sees_its_layers),
        trial("wrong_layers_are_refused", wrong_layers_are_refused),
        trial("a_layer_is_shared_by_its_policy", a_layer_is_shared_by_its_policy),
        trial("a_layer_can_be_the_runtime", a_layer_can_be_the_runtime),
        trial("a_layer_can_wrap_the_runtime", a_layer_can_wrap_the_runtime),
    ]
}

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:layer:l";

pub(crate) async fn publish(scene: &Scene, name: &str, archive: Archive, more: Value) -> Value {
    let mut input = json!({"LayerName": name, "Content": {"ZipFile": base64(&archive.done())}});
    for (member, value) in more.as_object().unwrap() {
        input[member] = value.clone();
    }
    scene.call("PublishLayerVersion", input).await.unwrap()
}

async fn layer_versions_come_and_go() {
    let scene = Scene::new();
    let more = json!({"Description": "d", "CompatibleRuntimes": ["python3.12"], "LicenseInfo": "MIT"});
    let first = publish(&scene, "l", Archive::new().file("a", "1"), more).await;
    assert_eq!((&first["Version"], &first["LayerArn"]), (&json!(1), &json!(ARN)));
    assert_eq!(first["LayerVersionArn"], format!("{ARN}:1"));
    let second = publish(&scene, "l", Archive::new().file("a", "2"), json!({})).await;
    assert_eq!(second["Version"], 2);
    let got = scene.call("GetLayerVersion", json!({"LayerName": "l", "VersionNumber": 1})).await.unwrap();
    let by_arn = scene.call("GetLayerVersionByArn", json!({"Arn": format!("{ARN}:1")})).await.unwrap();
    // Each time there is another address for the package.
    let without_address = |mut answer: Value| {
        let address = answer["Content"]["Location"].take();
        assert!(
            address.as_str().unwrap().starts_with("https://localhost/_aws/lambda-url/code/"),
            "{address}"
        );
        answer
    };
    let first = without_address(first);
    assert_eq!((without_address(got), without_address(by_arn)), (first.clone(), first));
    let page = scene.call("ListLayerVersions", json!({"LayerName": "l", "MaxItems": 1})).await.unwrap();
    assert_eq!(page["LayerVersions"][0]["Version"], 2);
    let input = json!({"LayerName": "l", "Marker": page["NextMarker"]});
    let page = scene.call("ListLayerVersions", input).await.unwrap();
    assert_eq!((&page["LayerVersions"][0]["Version"], &page["NextMarker"]), (&json!(1), &Value::Null));
    let fitting = scene.call("ListLayers", json!({"CompatibleRuntime": "python3.12"})).await.unwrap();
    assert_eq!(fitting["Layers"][0]["LatestMatchingVersion"]["Version"], 1);
    scene.call("DeleteLayerVersion", json!({"LayerName": "l", "VersionNumber": 2})).await.unwrap();
    let gone = scene.call("GetLayerVersion", json!({"LayerName": "l", "VersionNumber": 2})).await;
    assert_eq!(gone.unwrap_err().code, "ResourceNotFoundException");
    let third = publish(&scene, "l", Archive::new().file("a", "3"), json!({})).await;
    assert_eq!(third["Version"], 3, "numbers are not used again");
}

async fn a_function_sees_its_layers() {
    let scene = Scene::new();
    let first = Archive::new().file("python/lib.py", "NAME = 'first'").file("data", "first");
    let second = Archive::new().file("data", "second").file("more", "more");
    publish(&scene, "l", first, json!({})).await;
    publish(&scene, "m", second, json!({})).await;
    let code = "import lib\ndef handler(e, c):\n    return [lib.NAME] + [open('/opt/' + n).read() for n in ('data', 'more')]\n";
    let layers = json!([format!("{ARN}:1"), "arn:aws:lambda:us-east-1:123456789012:layer:m:1"]);
    let created = scene.create("f", python(code), json!({"Layers": layers})).await.unwrap();
    assert_eq!(created["Layers"][0]["Arn"], format!("{ARN}:1"));
    assert_eq!(scene.ask("f", json!({})).await, json!(["first", "second", "more"]));
    scene.call("DeleteLayerVersion", json!({"LayerName": "l", "VersionNumber": 1})).await.unwrap();
    scene.call("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Timeout": 9})).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await[0], "first", "a function keeps the layers it has");
    let without = json!({"FunctionName": "f", "Layers": []});
    assert_eq!(scene.call("UpdateFunctionConfiguration", without).await.unwrap()["Layers"], Value::Null);
    let (answer, error) = scene.invoke("f", json!({})).await;
    assert_eq!((&answer["errorType"], error.is_some()), (&json!("Runtime.ImportModuleError"), true));
}

async fn wrong_layers_are_refused() {
    let scene = Scene::new();
    publish(&scene, "l", Archive::new().file("a", "1"), json!({})).await;
    publish(&scene, "l", Archive::new().file("a", "2"), json!({})).await;
    let arn = |number: u32| format!("{ARN}:{number}");
    for layers in
        [json!([arn(9)]), json!([ARN]), json!([arn(1), arn(2)]), json!(["x"]), json!(vec![arn(1); 6])]
    {
        let refused = scene.create("f", python(""), json!({"Layers": layers})).await.unwrap_err();
        assert_eq!(refused.status.as_u16(), 400, "{layers}: {refused}");
    }
}

async fn a_layer_is_shared_by_its_policy() {
    let scene = Scene::new();
    publish(&scene, "l", Archive::new().file("a", "1"), json!({})).await;
    let permission = json!({"LayerName": "l", "VersionNumber": 1, "StatementId": "s",
        "Action": "lambda:GetLayerVersion", "Principal": "210987654321"});
    let added = scene.call("AddLayerVersionPermission", permission.clone()).await.unwrap();
    let twice = scene.call("AddLayerVersionPermission", permission).await.unwrap_err();
    assert_eq!(twice.code, "ResourceConflictException");
    let get = json!({"LayerName": "l", "VersionNumber": 1});
    let policy = scene.call("GetLayerVersionPolicy", get.clone()).await.unwrap();
    assert_eq!(policy["RevisionId"], added["RevisionId"]);
    let access = Access::new("lambda:GetLayerVersion", format!("{ARN}:1"));
    let ownership = scene.lambda.ownership(&scene.cx(), &access).await.unwrap();
    assert!(ownership.policy.is_some());
    let remove = json!({"LayerName": "l", "VersionNumber": 1, "StatementId": "s"});
    scene.call("RemoveLayerVersionPermission", remove.clone()).await.unwrap();
    for operation in ["RemoveLayerVersionPermission", "GetLayerVersionPolicy"] {
        let gone = scene.call(operation, remove.clone()).await;
        assert!(gone.is_err(), "{operation}");
    }
}

async fn a_layer_can_be_the_runtime() {
    let scene = Scene::new();
    let bootstrap = "#!/bin/sh\necho from the layer\nexit 3\n";
    publish(&scene, "l", Archive::new().with_mode("bootstrap", bootstrap, 0o755), json!({})).await;
    let more = json!({"Runtime": "provided.al2023", "Layers": [format!("{ARN}:1")]});
    scene.create("f", Archive::new().file("data", "").done(), more).await.unwrap();
    let (answer, _) = scene.invoke("f", json!({})).await;
    assert_eq!(answer["errorType"], "Runtime.ExitError", "{answer}");
}

async fn a_layer_can_wrap_the_runtime() {
    let scene = Scene::new();
    let wrapper = "#!/bin/sh\nexport WRAPPED=\"$#\"\nexec \"$@\"\n";
    publish(&scene, "l", Archive::new().with_mode("wrapper", wrapper, 0o755), json!({})).await;
    let variables = json!({"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}});
    let more = json!({"Layers": [format!("{ARN}:1")], "Environment": variables});
    let source = "import os\ndef handler(e, c):\n    return os.environ['WRAPPED']\n";
    scene.create("f", python(source), more).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, "4", "the interpreter, two flags, and the client");
}
