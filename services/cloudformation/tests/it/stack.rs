//! CreateStack UpdateStack DeleteStack

use pagoda_testkit::World;
use serde_json::json;

use crate::world::{Stacks, group};

#[tokio::test]
async fn a_stack_is_made_with_its_outputs_and_removed() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let template = json!({
        "Parameters": { "Name": { "Type": "String", "Default": "g" } },
        "Resources": {
            "Group": { "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": { "Ref": "Name" } } },
            "Stream": {
                "Type": "AWS::Logs::LogStream",
                "Properties": { "LogGroupName": { "Ref": "Group" }, "LogStreamName": "s" },
            },
        },
        "Outputs": { "Arn": { "Value": { "Fn::GetAtt": ["Group", "Arn"] }, "Export": { "Name": "arn" } } },
    });
    let stack = stacks.change("CreateStack", &template).await;
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(stack["Outputs"][0]["OutputValue"], "arn:aws:logs:us-east-1:123456789012:log-group:g:*");
    assert_eq!(stacks.groups().await, ["g"]);
    let exports = stacks.must("ListExports", json!({})).await;
    assert_eq!(exports["Exports"][0]["Name"], "arn");
    let resources = stacks.must("DescribeStackResources", json!({ "StackName": "s" })).await;
    assert_eq!(resources["StackResources"].as_array().unwrap().len(), 2);

    stacks.must("DeleteStack", json!({ "StackName": "s" })).await;
    let gone = stacks.settled(stack["StackId"].as_str().unwrap()).await;
    assert_eq!(gone["StackStatus"], "DELETE_COMPLETE");
    assert!(stacks.groups().await.is_empty());
    assert!(stacks.must("ListExports", json!({})).await["Exports"].as_array().unwrap().is_empty());
    let message = stacks.refused("DescribeStacks", json!({ "StackName": "s" })).await;
    assert_eq!(message, "Stack with id s does not exist");
}

#[tokio::test]
async fn a_creation_that_fails_leaves_nothing() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let template = json!({ "Resources": { "A": group("a", 7), "B": group("b", 2) } });
    let stack = stacks.change("CreateStack", &template).await;
    assert_eq!(stack["StackStatus"], "ROLLBACK_COMPLETE");
    assert!(stacks.groups().await.is_empty());
    let events = stacks.must("DescribeStackEvents", json!({ "StackName": "s" })).await;
    let failed = events["StackEvents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["ResourceStatus"] == "CREATE_FAILED");
    assert_eq!(failed.unwrap()["LogicalResourceId"], "B");
    let input = json!({ "StackName": "s", "TemplateBody": template.to_string() });
    assert!(stacks.refused("UpdateStack", input).await.contains("ROLLBACK_COMPLETE"));
}

#[tokio::test]
async fn an_update_changes_replaces_adds_and_removes() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let before = json!({ "Resources": { "Kept": group("kept", 7), "Renamed": group("old", 7), "Gone": group("gone", 7) } });
    stacks.change("CreateStack", &before).await;
    let after = json!({ "Resources": { "Kept": group("kept", 14), "Renamed": group("new", 7), "Added": group("added", 7) } });
    let stack = stacks.change("UpdateStack", &after).await;
    assert_eq!(stack["StackStatus"], "UPDATE_COMPLETE");
    assert_eq!(stacks.groups().await, ["added", "kept", "new"]);
    let input = json!({ "StackName": "s", "TemplateBody": after.to_string() });
    assert_eq!(stacks.refused("UpdateStack", input).await, "No updates are to be performed.");
}

#[tokio::test]
async fn an_update_that_fails_is_put_back() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let before = json!({ "Resources": { "A": group("a", 7), "B": group("b", 7) } });
    stacks.change("CreateStack", &before).await;
    let after = json!({ "Resources": { "A": group("a", 14), "B": group("renamed", 7), "C": group("c", 2) } });
    let stack = stacks.change("UpdateStack", &after).await;
    assert_eq!(stack["StackStatus"], "UPDATE_ROLLBACK_COMPLETE");
    let groups = stacks.client.must("logs", "DescribeLogGroups", json!({})).await;
    let groups: Vec<_> = groups["logGroups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| (&g["logGroupName"], &g["retentionInDays"]))
        .collect();
    assert_eq!(groups, [(&json!("a"), &json!(7)), (&json!("b"), &json!(7))]);
    let template = stacks.must("GetTemplate", json!({ "StackName": "s" })).await;
    assert_eq!(template["TemplateBody"], before.to_string());
}

#[tokio::test]
async fn retained_resources_stay_behind() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let mut kept = group("kept", 7);
    kept["DeletionPolicy"] = json!("Retain");
    let stack = stacks
        .change("CreateStack", &json!({ "Resources": { "Kept": kept, "Gone": group("gone", 7) } }))
        .await;
    stacks.must("DeleteStack", json!({ "StackName": "s" })).await;
    stacks.settled(stack["StackId"].as_str().unwrap()).await;
    assert_eq!(stacks.groups().await, ["kept"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_template_is_told_before_anything_is_made() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    for (resources, expected) in [
        (json!({}), "Template format error: At least one Resources member must be defined."),
        (
            json!({ "X": { "Type": "AWS::No::Such" } }),
            "Template format error: Unrecognized resource types: [AWS::No::Such], or not available in Pagoda",
        ),
        (
            json!({ "X": { "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": { "Ref": "Y" } } } }),
            "Template format error: Unresolved resource dependencies [Y] in the Resources block of the template",
        ),
    ] {
        let template = json!({ "Resources": resources }).to_string();
        let input = json!({ "StackName": "s", "TemplateBody": template });
        assert_eq!(stacks.refused("CreateStack", input).await, expected);
    }
    let role = json!({ "Resources": { "R": { "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": {} } } } });
    let input = json!({ "StackName": "s", "TemplateBody": role.to_string() });
    assert_eq!(stacks.refused("CreateStack", input).await, "Requires capabilities : [CAPABILITY_IAM]");
    assert_eq!(
        stacks.refused("DescribeStacks", json!({ "StackName": "s" })).await,
        "Stack with id s does not exist"
    );
}

#[tokio::test]
async fn an_unknown_property_fails_its_resource_by_name() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let template =
        json!({ "Resources": { "G": { "Type": "AWS::Logs::LogGroup", "Properties": { "Colour": "red" } } } });
    let stack = stacks.change("CreateStack", &template).await;
    assert_eq!(stack["StackStatus"], "ROLLBACK_COMPLETE");
    let events = stacks.must("DescribeStackEvents", json!({ "StackName": "s" })).await.to_string();
    assert!(events.contains("Encountered unsupported property Colour"));
}

#[tokio::test]
async fn nothing_is_resumed_where_nothing_was_broken_off() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    stacks.change("CreateStack", &json!({ "Resources": { "A": group("a", 7) } })).await;
    stacks.cloudformation.recover().await.unwrap();
    assert_eq!(stacks.settled("s").await["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(stacks.groups().await, ["a"]);
}
