//! Versions, aliases and reserved concurrency.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::python;
use crate::scene::{Scene, base64, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a_version_stays_as_it_was", a_version_stays_as_it_was),
        trial("an_unchanged_function_is_published_once", an_unchanged_function_is_published_once),
        trial("a_publication_checks_what_it_publishes", a_publication_checks_what_it_publishes),
        trial("versions_are_listed_in_pages", versions_are_listed_in_pages),
        trial("an_alias_leads_to_its_version", an_alias_leads_to_its_version),
        trial("an_alias_shares_between_two_versions", an_alias_shares_between_two_versions),
        trial("wrong_aliases_are_refused", wrong_aliases_are_refused),
        trial("policies_belong_to_qualifiers", policies_belong_to_qualifiers),
        trial("a_used_version_stays", a_used_version_stays),
        trial("a_function_goes_with_all_that_is_its", a_function_goes_with_all_that_is_its),
        trial("reserved_concurrency_limits", reserved_concurrency_limits),
    ]
}

fn answering(text: &str) -> bytes::Bytes {
    python(&format!(
        "def handler(e, c):\n    return ['{text}', c.function_version, c.invoked_function_arn]\n"
    ))
}

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

async fn update(scene: &Scene, text: &str, more: Value) -> Value {
    let mut input = json!({"FunctionName": "f", "ZipFile": base64(&answering(text))});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    scene.call("UpdateFunctionCode", input).await.unwrap()
}

async fn scene() -> Scene {
    let scene = Scene::new();
    scene.create("f", answering("one"), json!({"Publish": true})).await.unwrap();
    scene
}

async fn a_version_stays_as_it_was() {
    let scene = Scene::new();
    let created = scene.create("f", answering("one"), json!({"Publish": true, "Timeout": 5})).await.unwrap();
    assert_eq!((&created["Version"], &created["FunctionArn"]), (&json!("1"), &json!(ARN)));
    let updated = update(&scene, "two", json!({"Publish": true})).await;
    assert_eq!(updated["Version"], "2");
    update(&scene, "three", json!({})).await;
    let change = json!({"FunctionName": "f", "Timeout": 9});
    scene.call("UpdateFunctionConfiguration", change).await.unwrap();
    for (name, expected) in [
        ("f:1", json!(["one", "1", format!("{ARN}:1")])),
        ("f:2", json!(["two", "2", format!("{ARN}:2")])),
        ("f", json!(["three", "$LATEST", ARN])),
        ("f:$LATEST", json!(["three", "$LATEST", format!("{ARN}:$LATEST")])),
    ] {
        assert_eq!(scene.ask(name, json!({})).await, expected);
    }
    let first = json!({"FunctionName": "f", "Qualifier": "1"});
    let first = scene.call("GetFunctionConfiguration", first).await.unwrap();
    assert_eq!((&first["Timeout"], &first["FunctionArn"]), (&json!(5), &json!(format!("{ARN}:1"))));
    assert_eq!(first["CodeSha256"], created["CodeSha256"]);
    let invoked = scene.invoke_raw("f:2", "{}").await.unwrap();
    assert_eq!(invoked["ExecutedVersion"], "2");
    assert_eq!(scene.invoke_raw("f:7", "{}").await.unwrap_err().code, "ResourceNotFoundException");
}

async fn an_unchanged_function_is_published_once() {
    let scene = scene().await;
    for expected in ["1", "1"] {
        let published = scene.call("PublishVersion", json!({"FunctionName": "f"})).await.unwrap();
        assert_eq!(published["Version"], expected);
    }
    scene.call("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Timeout": 9})).await.unwrap();
    let described = json!({"FunctionName": "f", "Description": "second"});
    let published = scene.call("PublishVersion", described).await.unwrap();
    assert_eq!((&published["Version"], &published["Description"]), (&json!("2"), &json!("second")));
    let latest = scene.call("GetFunctionConfiguration", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(latest["Description"], "");
}

async fn a_publication_checks_what_it_publishes() {
    let scene = scene().await;
    for (more, expected) in [
        (json!({"CodeSha256": "x"}), "InvalidParameterValueException"),
        (json!({"RevisionId": "x"}), "PreconditionFailedException"),
        (json!({"FunctionName": "gone"}), "ResourceNotFoundException"),
    ] {
        let mut input = json!({"FunctionName": "f"});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        assert_eq!(scene.call("PublishVersion", input).await.unwrap_err().code, expected);
    }
}

async fn versions_are_listed_in_pages() {
    let scene = scene().await;
    for text in ["two", "three"] {
        update(&scene, text, json!({"Publish": true})).await;
    }
    let (mut seen, mut marker) = (Vec::new(), Value::Null);
    loop {
        let input = json!({"FunctionName": "f", "MaxItems": 2, "Marker": marker});
        let page = scene.call("ListVersionsByFunction", input).await.unwrap();
        let versions = page["Versions"].as_array().unwrap();
        assert!(versions.len() <= 2);
        seen.extend(versions.iter().map(|one| one["Version"].as_str().unwrap().to_owned()));
        marker = page["NextMarker"].clone();
        if marker.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["$LATEST", "1", "2", "3"]);
    let all = scene.call("ListFunctions", json!({"FunctionVersion": "ALL"})).await.unwrap();
    assert_eq!(all["Functions"].as_array().unwrap().len(), 4);
}

async fn an_alias_leads_to_its_version() {
    let scene = scene().await;
    update(&scene, "two", json!({"Publish": true})).await;
    let alias = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1", "Description": "d"});
    let created = scene.call("CreateAlias", alias.clone()).await.unwrap();
    assert_eq!(created["AliasArn"], format!("{ARN}:live"));
    assert_eq!(scene.call("CreateAlias", alias).await.unwrap_err().code, "ResourceConflictException");
    assert_eq!(scene.ask("f:live", json!({})).await, json!(["one", "1", format!("{ARN}:live")]));
    let moved = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "2"});
    let stale = json!({"FunctionName": "f", "Name": "live", "RevisionId": "x"});
    let updated = scene.call("UpdateAlias", moved).await.unwrap();
    assert_eq!((&updated["Description"], &updated["FunctionVersion"]), (&json!("d"), &json!("2")));
    assert_eq!(scene.call("UpdateAlias", stale).await.unwrap_err().code, "PreconditionFailedException");
    assert_eq!(scene.ask("f:live", json!({})).await[0], "two");
    let got = scene.call("GetAlias", json!({"FunctionName": "f", "Name": "live"})).await.unwrap();
    assert_eq!(got, updated);
    for (version, count) in [("1", 0), ("2", 1)] {
        let input = json!({"FunctionName": "f", "FunctionVersion": version});
        let listed = scene.call("ListAliases", input).await.unwrap();
        assert_eq!(listed["Aliases"].as_array().unwrap().len(), count, "{version}");
    }
    for _ in 0..2 {
        scene.call("DeleteAlias", json!({"FunctionName": "f", "Name": "live"})).await.unwrap();
    }
    assert_eq!(scene.invoke_raw("f:live", "{}").await.unwrap_err().code, "ResourceNotFoundException");
}

async fn an_alias_shares_between_two_versions() {
    let scene = scene().await;
    update(&scene, "two", json!({"Publish": true})).await;
    let shares = json!({"AdditionalVersionWeights": {"2": 0.5}});
    let alias = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1", "RoutingConfig": shares});
    assert_eq!(scene.call("CreateAlias", alias).await.unwrap()["RoutingConfig"], shares);
    let mut seconds = 0;
    for _ in 0..60 {
        seconds += i32::from(scene.ask("f:live", json!({})).await[0] == "two");
    }
    assert!((5..=55).contains(&seconds), "{seconds}");
    let none =
        json!({"FunctionName": "f", "Name": "live", "RoutingConfig": {"AdditionalVersionWeights": {}}});
    assert_eq!(scene.call("UpdateAlias", none).await.unwrap()["RoutingConfig"], Value::Null);
}

async fn wrong_aliases_are_refused() {
    let scene = scene().await;
    let weights = |value: Value| json!({"RoutingConfig": {"AdditionalVersionWeights": value}});
    for (more, expected) in [
        (json!({"FunctionVersion": "9"}), "ResourceNotFoundException"),
        (json!({"Name": "12"}), "ValidationException"),
        (weights(json!({"9": 0.5})), "ResourceNotFoundException"),
        (weights(json!({"1": 0.5})), "InvalidParameterValueException"),
        (weights(json!({"2": 0.5, "3": 0.1})), "InvalidParameterValueException"),
        (weights(json!({"2": 1.5})), "InvalidParameterValueException"),
    ] {
        let mut input = json!({"FunctionName": "f", "Name": "a", "FunctionVersion": "1"});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        let refused = scene.call("CreateAlias", input).await.unwrap_err();
        assert_eq!(refused.code, expected, "{more}: {refused}");
    }
}

async fn policies_belong_to_qualifiers() {
    let scene = scene().await;
    let alias = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"});
    scene.call("CreateAlias", alias).await.unwrap();
    let permission = |qualifier: Value| {
        json!({"FunctionName": "f", "Qualifier": qualifier, "StatementId": "s",
            "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"})
    };
    for qualifier in [Value::Null, json!("live"), json!("1")] {
        scene.call("AddPermission", permission(qualifier)).await.unwrap();
    }
    let latest = scene.call("AddPermission", permission(json!("$LATEST"))).await.unwrap_err();
    assert_eq!(latest.code, "InvalidParameterValueException");
    let policy = scene.call("GetPolicy", json!({"FunctionName": "f", "Qualifier": "live"})).await.unwrap();
    let policy: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
    assert_eq!(policy["Statement"][0]["Resource"], format!("{ARN}:live"));
    scene.call("DeleteAlias", json!({"FunctionName": "f", "Name": "live"})).await.unwrap();
    let again = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"});
    scene.call("CreateAlias", again).await.unwrap();
    let gone = scene.call("GetPolicy", json!({"FunctionName": "f", "Qualifier": "live"})).await.unwrap_err();
    assert_eq!(gone.code, "ResourceNotFoundException");
}

async fn a_used_version_stays() {
    let scene = scene().await;
    let alias = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"});
    scene.call("CreateAlias", alias).await.unwrap();
    let delete = json!({"FunctionName": "f", "Qualifier": "1"});
    let refused = scene.call("DeleteFunction", delete.clone()).await.unwrap_err();
    assert_eq!(refused.code, "ResourceConflictException");
    scene.call("DeleteAlias", json!({"FunctionName": "f", "Name": "live"})).await.unwrap();
    scene.call("DeleteFunction", delete).await.unwrap();
    assert_eq!(scene.invoke_raw("f:1", "{}").await.unwrap_err().code, "ResourceNotFoundException");
    assert_eq!(scene.ask("f", json!({})).await[0], "one");
    let published = scene.call("PublishVersion", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(published["Version"], "2", "numbers are not used again");
}

async fn a_function_goes_with_all_that_is_its() {
    let scene = scene().await;
    let alias = json!({"FunctionName": "f", "Name": "live", "FunctionVersion": "1"});
    scene.call("CreateAlias", alias).await.unwrap();
    scene.call("DeleteFunction", json!({"FunctionName": "f"})).await.unwrap();
    let created = scene.create("f", answering("new"), json!({"Publish": true})).await.unwrap();
    assert_eq!(created["Version"], "1");
    assert_eq!(scene.ask("f:1", json!({})).await[0], "new");
    let aliases = scene.call("ListAliases", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(aliases["Aliases"], json!([]));
}

async fn reserved_concurrency_limits() {
    let scene = scene().await;
    let put = |size: i32| json!({"FunctionName": "f", "ReservedConcurrentExecutions": size});
    let refused = scene.call("PutFunctionConcurrency", put(901)).await.unwrap_err();
    assert!(refused.message.contains("below its minimum value of [100]"), "{refused}");
    scene.call("PutFunctionConcurrency", put(0)).await.unwrap();
    let throttled = scene.invoke_raw("f", "{}").await.unwrap_err();
    assert_eq!((throttled.code.as_ref(), throttled.status.as_u16()), ("TooManyRequestsException", 429));
    let account = scene.call("GetAccountSettings", json!({})).await.unwrap();
    assert_eq!(account["AccountLimit"]["UnreservedConcurrentExecutions"], 1000);
    scene.call("PutFunctionConcurrency", put(7)).await.unwrap();
    scene.ask("f", json!({})).await;
    let got = scene.call("GetFunctionConcurrency", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(got, json!({"ReservedConcurrentExecutions": 7}));
    let account = scene.call("GetAccountSettings", json!({})).await.unwrap();
    assert_eq!(account["AccountLimit"]["UnreservedConcurrentExecutions"], 993);
    let function = scene.call("GetFunction", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(function["Concurrency"], got);
    scene.call("DeleteFunctionConcurrency", json!({"FunctionName": "f"})).await.unwrap();
    let got = scene.call("GetFunctionConcurrency", json!({"FunctionName": "f"})).await.unwrap();
    assert_eq!(got, json!({}));
}
