//! The resource types of Lambda.

use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::Stacks;

fn resources(of: &[(&str, &str, Value)]) -> Value {
    let resources = of.iter().map(|(name, kind, properties)| {
        let resource = json!({ "Type": format!("AWS::Lambda::{kind}"), "Properties": properties });
        ((*name).to_owned(), resource)
    });
    json!({ "Resources": resources.collect::<serde_json::Map<_, _>>() })
}

fn version(description: &str) -> Value {
    resources(&[("V", "Version", json!({ "FunctionName": "f", "Description": description }))])
}

async fn events(stacks: &Stacks<'_>) -> String {
    stacks.must("DescribeStackEvents", json!({ "StackName": "s" })).await.to_string()
}

fn outputs(stack: &Value) -> Vec<&str> {
    stack["Outputs"].as_array().unwrap().iter().map(|one| one["OutputValue"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_belongs_to_a_function_comes_and_goes_with_its_stack() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let weights = json!({ "AdditionalVersionWeights": [{ "FunctionVersion": "7", "FunctionWeight": 0.5 }] });
    let version = json!({ "Fn::GetAtt": ["V", "Version"] });
    let mut template = resources(&[
        ("V", "Version", json!({ "FunctionName": "f" })),
        (
            "A",
            "Alias",
            json!({ "FunctionName": "f", "Name": "live", "FunctionVersion": version, "RoutingConfig": weights }),
        ),
        (
            "U",
            "Url",
            json!({ "TargetFunctionArn": "f", "AuthType": "NONE", "Cors": { "AllowOrigins": ["*"] } }),
        ),
        (
            "E",
            "EventInvokeConfig",
            json!({ "FunctionName": "f", "Qualifier": "$LATEST", "MaximumRetryAttempts": 0 }),
        ),
        (
            "P",
            "Permission",
            json!({ "FunctionName": { "Ref": "A" }, "Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": true }),
        ),
    ]);
    let seen = [
        ["V", "FunctionArn"],
        ["V", "Version"],
        ["A", "AliasArn"],
        ["U", "FunctionArn"],
        ["U", "FunctionUrl"],
    ];
    let mut told: serde_json::Map<_, _> =
        seen.iter().map(|at| (at.concat(), json!({ "Value": { "Fn::GetAtt": at } }))).collect();
    for name in ["V", "A", "U", "E"] {
        told.insert(format!("{name}Ref"), json!({ "Value": { "Ref": name } }));
    }
    template["Outputs"] = Value::Object(told);
    stacks.functions().be_slow(1);
    let stack = stacks.change("CreateStack", &template).await;
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE", "{}", events(&stacks).await);
    let function = "arn:aws:lambda:us-east-1:123456789012:function:f";
    let (number, alias) = (format!("{function}:1"), format!("{function}:live"));
    let url = "https://id.lambda-url.us-east-1.localhost/";
    let mut expected = vec![&*number, "1", &*alias, function, url, &*number, &*alias, function, "f|$LATEST"];
    let mut seen = outputs(&stack);
    expected.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, expected);
    let asked = |operation: &str| stacks.functions().asked(operation);
    assert_eq!(asked("GetFunctionConfiguration").len(), 2);
    assert_eq!(asked("CreateAlias")[0]["RoutingConfig"], json!({ "AdditionalVersionWeights": { "7": 0.5 } }));
    assert_eq!(asked("AddPermission")[0]["FunctionName"], alias);
    assert_eq!(asked("AddPermission")[0]["InvokedViaFunctionUrl"], true);

    // What the template no longer says goes.
    let properties = |name: &str| format!("/Resources/{name}/Properties");
    for (name, gone) in [("A", "RoutingConfig"), ("U", "Cors")] {
        template.pointer_mut(&properties(name)).unwrap().as_object_mut().unwrap().remove(gone);
    }
    let stack = stacks.change("UpdateStack", &template).await;
    assert_eq!(stack["StackStatus"], "UPDATE_COMPLETE", "{}", events(&stacks).await);
    assert_eq!(asked("UpdateAlias")[0]["RoutingConfig"], json!({ "AdditionalVersionWeights": {} }));
    assert_eq!(asked("UpdateFunctionUrlConfig")[0]["Cors"], json!({}));

    stacks.must("DeleteStack", json!({ "StackName": "s" })).await;
    stacks.settled(stack["StackId"].as_str().unwrap()).await;
    for (operation, member, value) in [
        ("DeleteAlias", "Name", "live"),
        ("DeleteFunction", "FunctionName", &number),
        ("DeleteFunctionUrlConfig", "FunctionName", "f"),
        ("DeleteFunctionEventInvokeConfig", "Qualifier", "$LATEST"),
        ("RemovePermission", "FunctionName", &alias),
    ] {
        assert_eq!(
            asked(operation).iter().map(|input| &input[member]).collect::<Vec<_>>(),
            [value],
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_version_that_fails_fails_its_stack() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    stacks.functions().fail();
    let stack = stacks.change("CreateStack", &version("a")).await;
    assert_eq!(stack["StackStatus"], "ROLLBACK_COMPLETE");
    assert!(events(&stacks).await.contains("Version 1 of f failed: no"));
    assert_eq!(stacks.functions().asked("DeleteFunction").len(), 1);
}

#[tokio::test]
async fn a_version_of_somebody_elses_is_left_alone() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    stacks.change("CreateStack", &version("a")).await;
    stacks.functions().stay();
    let stack = stacks.change("UpdateStack", &version("b")).await;
    assert_eq!(stack["StackStatus"], "UPDATE_ROLLBACK_COMPLETE");
    assert!(events(&stacks).await.contains("A version for this Lambda function exists ( 1 )."));
    assert!(stacks.functions().asked("DeleteFunction").is_empty());
}

#[tokio::test]
async fn a_changed_layer_is_another_version() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let template = |description: &str| {
        let content = json!({ "S3Bucket": "b", "S3Key": "k" });
        resources(&[
            (
                "L",
                "LayerVersion",
                json!({ "LayerName": "l", "Content": content, "Description": description }),
            ),
            (
                "P",
                "LayerVersionPermission",
                json!({ "LayerVersionArn": { "Ref": "L" }, "Action": "lambda:GetLayerVersion", "Principal": "*" }),
            ),
        ])
    };
    stacks.change("CreateStack", &template("a")).await;
    let stack = stacks.change("UpdateStack", &template("b")).await;
    assert_eq!(stack["StackStatus"], "UPDATE_COMPLETE", "{}", events(&stacks).await);
    let numbers = |operation: &str| {
        let asked = stacks.functions().asked(operation);
        asked.iter().map(|input| input["VersionNumber"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(numbers("AddLayerVersionPermission"), [1, 2]);
    assert_eq!(numbers("RemoveLayerVersionPermission"), [1]);
    assert_eq!(numbers("DeleteLayerVersion"), [1]);
}

#[tokio::test]
async fn what_a_function_no_longer_has_goes_back_to_its_default() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let role = "arn:aws:iam::123456789012:role/r";
    let plain = json!({ "FunctionName": "f", "Role": role, "Code": { "S3Bucket": "b", "S3Key": "k" } });
    let mut full = plain.clone();
    full["Layers"] = json!(["arn:aws:lambda:us-east-1:123456789012:layer:l:1"]);
    full["SnapStart"] = json!({ "ApplyOn": "PublishedVersions" });
    full["ReservedConcurrentExecutions"] = json!(5);
    let stack = stacks.change("CreateStack", &resources(&[("F", "Function", full.clone())])).await;
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE", "{}", events(&stacks).await);
    let asked = |operation: &str| stacks.functions().asked(operation);
    let made = &asked("CreateFunction")[0];
    assert_eq!((&made["Layers"], &made["SnapStart"]), (&full["Layers"], &full["SnapStart"]));
    assert_eq!(made["Tags"]["aws:cloudformation:logical-id"], "F");
    assert_eq!(asked("PutFunctionConcurrency")[0]["ReservedConcurrentExecutions"], 5);
    stacks.change("UpdateStack", &resources(&[("F", "Function", plain)])).await;
    let changed = &asked("UpdateFunctionConfiguration")[0];
    assert_eq!((&changed["Layers"], &changed["SnapStart"]), (&json!([]), &json!({ "ApplyOn": "None" })));
    assert_eq!(asked("DeleteFunctionConcurrency").len(), 1);
    assert!(asked("UpdateFunctionCode").is_empty());
}
