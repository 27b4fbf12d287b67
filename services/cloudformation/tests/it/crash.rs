//! A process that is killed at any point of a change: afterwards everything or nothing is there.

use pagoda_testkit::World;
use serde_json::{Value, json};

use crate::world::{Cut, Stacks, group};

/// Calls that no change here comes near.
const CALLS_MAX: usize = 200;

fn role(name: Option<&str>, policy: &str, boundary: i32) -> Value {
    let statement = json!({ "Effect": "Allow", "Action": "s3:Get*", "Resource": "*", "Sid": policy });
    let inline = json!({ "PolicyName": policy, "PolicyDocument": { "Version": "2012-10-17", "Statement": [statement] } });
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }] });
    let mut properties = json!({
        "AssumeRolePolicyDocument": trust, "Policies": [inline], "MaxSessionDuration": boundary,
        "Tags": [{ "Key": policy, "Value": "x" }],
    });
    if let Some(name) = name {
        properties["RoleName"] = json!(name);
    }
    json!({ "Type": "AWS::IAM::Role", "Properties": properties })
}

fn before() -> Value {
    json!({ "Resources": {
        "Kept": group("kept", 7),
        "Renamed": group("old", 7),
        "Gone": group("gone", 7),
        "Role": role(Some("named"), "one", 3600),
        "User": { "Type": "AWS::IAM::User", "Properties": { "UserName": "u" } },
        "Key": { "Type": "AWS::IAM::AccessKey", "Properties": { "UserName": { "Ref": "User" } } },
        "Stream": { "Type": "AWS::Logs::LogStream", "Properties": { "LogGroupName": { "Ref": "Kept" }, "LogStreamName": "s" } },
    } })
}

fn after() -> Value {
    json!({ "Resources": {
        "Kept": group("kept", 14),
        "Renamed": group("new", 7),
        "Added": group("added", 30),
        "Role": role(Some("named"), "two", 7200),
        "Generated": role(None, "three", 3600),
        "Inline": { "Type": "AWS::IAM::Policy", "Properties": {
            "PolicyName": "inline", "Roles": [{ "Ref": "Generated" }],
            "PolicyDocument": { "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "*", "Resource": "*" }] } } },
        "User": { "Type": "AWS::IAM::User", "Properties": { "UserName": "u" } },
        "Key": { "Type": "AWS::IAM::AccessKey", "Properties": { "UserName": { "Ref": "User" }, "Serial": 2 } },
        "Stream": { "Type": "AWS::Logs::LogStream", "Properties": { "LogGroupName": { "Ref": "Kept" }, "LogStreamName": "t" } },
    } })
}

/// All that the two services have, without what differs from run to run.
async fn everything(stacks: &Stacks<'_>) -> Value {
    let list = async |service: &str, operation: &str, input: Value| {
        stacks.client.must(service, operation, input).await
    };
    let mut streams = Vec::new();
    for name in stacks.groups().await {
        let found = list("logs", "DescribeLogStreams", json!({ "logGroupName": name })).await;
        streams.push(names(&found["logStreams"], "logStreamName"));
    }
    let groups = list("logs", "DescribeLogGroups", json!({})).await;
    let mut roles = Vec::new();
    for name in names(&list("iam", "ListRoles", json!({})).await["Roles"], "RoleName") {
        let found = list("iam", "GetRole", json!({ "RoleName": name })).await["Role"].clone();
        let inline =
            list("iam", "ListRolePolicies", json!({ "RoleName": name })).await["PolicyNames"].clone();
        let shown = if name.starts_with("s-") { "generated" } else { &name };
        let tags = names(&found["Tags"], "Key");
        roles.push(
            json!({ "name": shown, "duration": found["MaxSessionDuration"], "inline": inline, "tags": tags }),
        );
    }
    let mut users = Vec::new();
    for name in names(&list("iam", "ListUsers", json!({})).await["Users"], "UserName") {
        let keys = list("iam", "ListAccessKeys", json!({ "UserName": name })).await;
        users.push(json!([name, keys["AccessKeyMetadata"].as_array().unwrap().len()]));
    }
    let groups: Vec<_> = groups["logGroups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| json!([g["logGroupName"], g["retentionInDays"]]))
        .collect();
    json!({ "groups": groups, "streams": streams, "roles": roles, "users": users })
}

fn names(list: &Value, member: &str) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item[member].as_str()).map(str::to_owned).collect()
}

fn input(template: &Value) -> Value {
    json!({ "StackName": "s", "TemplateBody": template.to_string(), "Capabilities": ["CAPABILITY_NAMED_IAM"] })
}

/// What somebody else has, under a name that the stack wants too.
async fn foreign(stacks: &Stacks<'_>, name: &str) {
    stacks.client.must("logs", "CreateLogGroup", json!({ "logGroupName": name })).await;
}

/// The recovery itself is killed after some calls.
async fn killed_while_recovering(world: &World, calls: usize) {
    let stacks = Stacks::new(world);
    stacks.cut(Cut::After(calls));
    let cloudformation = stacks.cloudformation.clone();
    let recovery = tokio::spawn(async move { cloudformation.recover().await });
    while !stacks.is_cut() && !recovery.is_finished() {
        tokio::task::yield_now().await;
    }
    recovery.abort();
}

/// Runs `operation` to each of its calls, kills it there, and recovers; `check` gets the stack's end.
async fn at_every_call(
    prepare: Option<Value>,
    operation: &str,
    template: &Value,
    check: impl AsyncFn(&Stacks<'_>, &str, &Value),
) {
    for calls in 0..CALLS_MAX {
        let (mut whole, mut ended) = (false, String::new());
        for cut in [Cut::Before(calls), Cut::After(calls)] {
            let world = World::new();
            let stacks = Stacks::new(&world);
            if let Some(prepare) = &prepare {
                stacks.change("CreateStack", prepare).await;
            }
            let at_first = everything(&stacks).await;
            stacks.cut(cut);
            let sent = if operation == "DeleteStack" { json!({ "StackName": "s" }) } else { input(template) };
            stacks.must(operation, sent).await;
            stacks.cut_or_settled().await;
            whole = !stacks.is_cut();
            stacks.cut(Cut::Never);

            killed_while_recovering(&world, calls % 11).await;
            let restarted = Stacks::new(&world);
            restarted.cloudformation.recover().await.unwrap();
            let described =
                restarted.client.call("cloudformation", "DescribeStacks", json!({ "StackName": "s" })).await;
            let status = described.map_or("gone".to_owned(), |described| {
                described["Stacks"][0]["StackStatus"].as_str().unwrap().to_owned()
            });
            ended = format!("{status} {cut:?}");
            check(&restarted, &ended, &at_first).await;
        }
        if whole {
            assert!(!ended.contains("ROLLBACK"), "{operation} fails by itself: {ended}");
            assert!(calls > 3, "{operation} makes calls");
            return;
        }
    }
    panic!("{operation} never ends");
}

#[tokio::test]
async fn a_creation_leaves_everything_or_nothing() {
    at_every_call(None, "CreateStack", &before(), async |stacks, end, at_first| {
        let now = everything(stacks).await;
        match end.split(' ').next() {
            Some("CREATE_COMPLETE") => assert_eq!(stacks.groups().await, ["gone", "kept", "old"], "{end}"),
            Some("ROLLBACK_COMPLETE") => assert_eq!(now, *at_first, "{end}"),
            _ => panic!("{end}: {now}"),
        }
    })
    .await;
}

#[tokio::test]
async fn an_update_is_made_or_put_back() {
    at_every_call(Some(before()), "UpdateStack", &after(), async |stacks, end, at_first| {
        let now = everything(stacks).await;
        match end.split(' ').next() {
            Some("UPDATE_COMPLETE") => {
                assert_eq!(stacks.groups().await, ["added", "kept", "new"], "{end}");
                assert_eq!(now["users"], json!([["u", 1]]), "{end}");
                assert_eq!(names(&now["roles"], "name"), ["named", "generated"], "{end}");
                assert_eq!(now["roles"][0]["inline"], json!(["two"]), "{end}");
            }
            Some("UPDATE_ROLLBACK_COMPLETE") => {
                assert_eq!(now, *at_first, "{end}");
                let template = stacks.must("GetTemplate", json!({ "StackName": "s" })).await;
                assert_eq!(template["TemplateBody"], before().to_string());
                // The stack is as it was, also for the next update.
                stacks.must("UpdateStack", input(&after())).await;
                let again = stacks.settled("s").await;
                assert_eq!(again["StackStatus"], "UPDATE_COMPLETE", "{end}: {again}");
                assert_eq!(stacks.groups().await, ["added", "kept", "new"], "{end}");
            }
            _ => panic!("{end}: {now}"),
        }
    })
    .await;
}

#[tokio::test]
async fn a_deletion_is_gone_on_with() {
    at_every_call(Some(before()), "DeleteStack", &Value::Null, async |stacks, end, _| {
        let now = everything(stacks).await;
        assert!(end.starts_with("gone"), "{end}: {now}");
        assert_eq!(now, json!({ "groups": [], "streams": [], "roles": [], "users": [] }), "{end}");
    })
    .await;
}

/// The stack fails for what others have, at whatever point it is killed, and leaves that alone.
#[tokio::test]
async fn what_others_made_is_left_alone() {
    let template =
        json!({ "Resources": { "A": group("a", 7), "Taken": group("taken", 7), "Z": group("z", 7) } });
    for calls in 0..20 {
        let world = World::new();
        let stacks = Stacks::new(&world);
        foreign(&stacks, "taken").await;
        stacks.cut(Cut::After(calls));
        stacks.must("CreateStack", input(&template)).await;
        stacks.cut_or_settled().await;
        stacks.cut(Cut::Never);
        let restarted = Stacks::new(&world);
        restarted.cloudformation.recover().await.unwrap();
        assert_eq!(restarted.settled("s").await["StackStatus"], "ROLLBACK_COMPLETE", "{calls}");
        assert_eq!(restarted.groups().await, ["taken"], "{calls}");
    }
}
