//! ClientRequestToken: a repeated request happens once.

use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Stacks, group};

fn input(days: i32, token: &str) -> Value {
    let template = json!({ "Resources": { "A": group("a", days) } });
    json!({ "StackName": "s", "TemplateBody": template.to_string(), "ClientRequestToken": token })
}

async fn statuses(stacks: &Stacks<'_>, token: &str) -> Vec<String> {
    let events = stacks.must("DescribeStackEvents", json!({ "StackName": "s" })).await;
    let events = events["StackEvents"].as_array().unwrap().iter();
    let own = events.filter(|one| one["ClientRequestToken"] == token && one["LogicalResourceId"] == "s");
    own.map(|one| one["ResourceStatus"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_repeated_request_happens_once() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let made = stacks.must("CreateStack", input(7, "t1")).await;
    stacks.settled("s").await;
    assert_eq!(stacks.must("CreateStack", input(7, "t1")).await, made);
    assert!(stacks.refused("CreateStack", input(7, "t2")).await.contains("already exists"));
    assert_eq!(statuses(&stacks, "t1").await, ["CREATE_COMPLETE", "CREATE_IN_PROGRESS"]);

    stacks.must("UpdateStack", input(14, "t3")).await;
    stacks.settled("s").await;
    stacks.must("UpdateStack", input(14, "t3")).await;
    assert_eq!(statuses(&stacks, "t3").await.iter().filter(|one| *one == "UPDATE_COMPLETE").count(), 1);
    let message =
        stacks.refused("DeleteStack", json!({ "StackName": "s", "ClientRequestToken": "t3" })).await;
    assert!(message.contains("token already exists"), "{message}");
    let deletion = json!({ "StackName": "s", "ClientRequestToken": "t4" });
    stacks.must("DeleteStack", deletion.clone()).await;
    stacks.settled(made["StackId"].as_str().unwrap()).await;
    stacks.must("DeleteStack", deletion).await;
}

#[tokio::test]
async fn a_change_set_is_made_and_executed_once() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let template = json!({ "Resources": { "A": group("a", 7) } }).to_string();
    let set = json!({
        "StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template, "ClientToken": "t1",
    });
    let made = stacks.must("CreateChangeSet", set.clone()).await;
    assert_eq!(stacks.must("CreateChangeSet", set.clone()).await, made);
    let mut other = set;
    other["ClientToken"] = json!("t2");
    stacks.refused("CreateChangeSet", other).await;
    let execution = json!({ "StackName": "s", "ChangeSetName": "c", "ClientRequestToken": "t3" });
    stacks.must("ExecuteChangeSet", execution.clone()).await;
    stacks.settled("s").await;
    stacks.must("ExecuteChangeSet", execution).await;
    assert_eq!(statuses(&stacks, "t3").await, ["CREATE_COMPLETE", "CREATE_IN_PROGRESS"]);
    let by_arn = json!({ "ChangeSetName": made["Id"], "ClientRequestToken": "t3" });
    stacks.must("ExecuteChangeSet", by_arn).await;
    let another = json!({ "StackName": "s", "ChangeSetName": "c", "ClientRequestToken": "t4" });
    assert!(stacks.refused("ExecuteChangeSet", another).await.contains("does not exist"));
}
