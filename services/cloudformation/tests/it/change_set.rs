//! CreateChangeSet DescribeChangeSet ExecuteChangeSet DeleteChangeSet

use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Stacks, group};

fn set(kind: &str, template: &Value) -> Value {
    json!({ "StackName": "s", "ChangeSetName": "c", "ChangeSetType": kind, "TemplateBody": template.to_string() })
}

#[tokio::test]
async fn a_change_set_tells_what_it_would_do_and_does_it() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let names = json!({ "StackName": "s", "ChangeSetName": "c" });
    let first = json!({ "Resources": { "A": group("a", 7), "B": group("b", 7) } });
    stacks.must("CreateChangeSet", set("CREATE", &first)).await;
    assert!(stacks.groups().await.is_empty());
    stacks.must("ExecuteChangeSet", names.clone()).await;
    assert_eq!(stacks.settled("s").await["StackStatus"], "CREATE_COMPLETE");

    let second = json!({ "Resources": { "A": group("renamed", 7), "C": group("c", 7) } });
    stacks.must("CreateChangeSet", set("UPDATE", &second)).await;
    let described = stacks.must("DescribeChangeSet", names.clone()).await;
    let changes: Vec<_> = described["Changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["ResourceChange"])
        .map(|change| {
            (change["LogicalResourceId"].clone(), change["Action"].clone(), change["Replacement"].clone())
        })
        .collect();
    assert!(changes.contains(&(json!("A"), json!("Modify"), json!("True"))), "{changes:?}");
    assert!(changes.contains(&(json!("B"), json!("Remove"), Value::Null)), "{changes:?}");
    assert!(changes.contains(&(json!("C"), json!("Add"), Value::Null)), "{changes:?}");
    stacks.must("ExecuteChangeSet", names).await;
    assert_eq!(stacks.settled("s").await["StackStatus"], "UPDATE_COMPLETE");
    assert_eq!(stacks.groups().await, ["c", "renamed"]);
}

#[tokio::test]
async fn a_change_set_without_changes_cannot_be_executed() {
    let world = World::new();
    let stacks = Stacks::new(&world);
    let template = json!({ "Resources": { "A": group("a", 7) } });
    stacks.change("CreateStack", &template).await;
    stacks.must("CreateChangeSet", set("UPDATE", &template)).await;
    let names = json!({ "StackName": "s", "ChangeSetName": "c" });
    let described = stacks.must("DescribeChangeSet", names.clone()).await;
    assert_eq!(
        (&described["Status"], &described["ExecutionStatus"]),
        (&json!("FAILED"), &json!("UNAVAILABLE"))
    );
    let code = stacks.client.refused("cloudformation", "ExecuteChangeSet", names.clone()).await;
    assert_eq!(code, "InvalidChangeSetStatus");
    stacks.must("DeleteChangeSet", names.clone()).await;
    let code = stacks.client.refused("cloudformation", "DescribeChangeSet", names).await;
    assert_eq!(code, "ChangeSetNotFound");
}
