//! The tags of a stack's resources.

use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Stacks, group};

fn tagged(tags: Value) -> Value {
    let mut resource = group("g", 7);
    resource["Properties"]["Tags"] = tags;
    json!({ "Resources": { "G": resource } })
}

async fn tags(stacks: &Stacks<'_>) -> Value {
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:g";
    stacks.client.must("logs", "ListTagsForResource", json!({ "resourceArn": arn })).await["tags"].clone()
}

#[tokio::test]
async fn a_resource_has_its_own_tags_its_stacks_and_a_mark() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let template = tagged(json!([{ "Key": "own", "Value": "1" }, { "Key": "both", "Value": "resource" }]));
    let input = json!({
        "StackName": "s", "TemplateBody": template.to_string(),
        "Tags": [{ "Key": "both", "Value": "stack" }, { "Key": "shared", "Value": "2" }],
    });
    let id = stacks.must("CreateStack", input).await["StackId"].clone();
    stacks.settled("s").await;
    let mark = json!({
        "aws:cloudformation:stack-name": "s", "aws:cloudformation:stack-id": id, "aws:cloudformation:logical-id": "G",
    });
    let mut expected = mark.clone();
    (expected["own"], expected["both"], expected["shared"]) = (json!("1"), json!("resource"), json!("2"));
    assert_eq!(tags(&stacks).await, expected);

    let input = json!({ "StackName": "s", "TemplateBody": tagged(json!([])).to_string(), "Tags": [] });
    stacks.must("UpdateStack", input).await;
    assert_eq!(stacks.settled("s").await["StackStatus"], "UPDATE_COMPLETE");
    assert_eq!(tags(&stacks).await, mark);
}

#[tokio::test]
async fn a_mark_cannot_be_forged() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let template = tagged(json!([{ "Key": "aws:cloudformation:stack-id", "Value": "x" }]));
    assert_eq!(stacks.change("CreateStack", &template).await["StackStatus"], "ROLLBACK_COMPLETE");
    assert!(stacks.groups().await.is_empty());
    let forged = json!({ "logGroupName": "g", "tags": { "aws:cloudformation:stack-id": "x" } });
    let refused = stacks.client.call("logs", "CreateLogGroup", forged).await.unwrap_err();
    assert_eq!(refused.message, "Tag keys beginning with aws: are reserved.");
}
