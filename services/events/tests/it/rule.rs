//! Rules and their targets: what is kept, listed and refused.

use serde_json::{Value, json};

use crate::world::{EventsWorld, FUNCTION};

#[tokio::test]
async fn a_rule_is_as_it_was_put() {
    let world = EventsWorld::new();
    let rule = json!({ "Name": "r", "ScheduleExpression": "rate(1 day)", "Description": "d", "Tags": [{ "Key": "k", "Value": "v" }] });
    let arn = world.must("PutRule", rule).await["RuleArn"].clone();
    let found = world.must("DescribeRule", json!({ "Name": "r" })).await;
    assert_eq!(
        (&found["Arn"], &found["State"], &found["Description"]),
        (&arn, &json!("ENABLED"), &json!("d"))
    );
    let tags = world.must("ListTagsForResource", json!({ "ResourceARN": arn })).await;
    assert_eq!(tags["Tags"], json!([{ "Key": "k", "Value": "v" }]));
    world.must("UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["k"] })).await;
    let target = json!({
        "Id": "t", "Arn": FUNCTION, "RetryPolicy": { "MaximumRetryAttempts": 3 },
        "InputTransformer": { "InputPathsMap": { "a": "$.detail" }, "InputTemplate": "{\"a\": <a>}" },
    });
    world.must("PutTargets", json!({ "Rule": "r", "Targets": [target] })).await;
    assert_eq!(world.must("ListTargetsByRule", json!({ "Rule": "r" })).await["Targets"], json!([target]));
    let names = world.must("ListRuleNamesByTarget", json!({ "TargetArn": FUNCTION })).await;
    assert_eq!(names["RuleNames"], json!(["r"]));
    let refused = world.refused("DeleteRule", json!({ "Name": "r" })).await;
    assert_eq!(refused, ("ValidationException".into(), "Rule can't be deleted since it has targets.".into()));
    let failed = world.must("RemoveTargets", json!({ "Rule": "r", "Ids": ["t", "x"] })).await;
    assert_eq!(
        (&failed["FailedEntryCount"], &failed["FailedEntries"][0]["TargetId"]),
        (&json!(1), &json!("x"))
    );
    world.must("DeleteRule", json!({ "Name": "r" })).await;
    world.must("DeleteRule", json!({ "Name": "r" })).await;
    assert_eq!(world.refused("DescribeRule", json!({ "Name": "r" })).await.0, "ResourceNotFoundException");
}

#[tokio::test]
async fn rules_come_in_pages() {
    let world = EventsWorld::new();
    for number in 0..5 {
        world
            .must("PutRule", json!({ "Name": format!("r{number}"), "ScheduleExpression": "rate(1 day)" }))
            .await;
    }
    let (mut names, mut input) = (Vec::new(), json!({ "Limit": 2, "NamePrefix": "r" }));
    loop {
        let page = world.must("ListRules", input.clone()).await;
        names.extend(page["Rules"].as_array().unwrap().iter().map(|rule| rule["Name"].clone()));
        match page.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!(names, ["r0", "r1", "r2", "r3", "r4"]);
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let world = EventsWorld::new();
    world.must("CreateEventBus", json!({ "Name": "own" })).await;
    world.must("PutRule", json!({ "Name": "r", "ScheduleExpression": "rate(1 day)" })).await;
    let target = |more: Value| {
        let mut target = json!({ "Id": "t", "Arn": FUNCTION });
        target.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "Rule": "r", "Targets": [target] })
    };
    let many: Vec<_> = (0..6).map(|n| json!({ "Id": n.to_string(), "Arn": FUNCTION })).collect();
    for (operation, input, code) in [
        ("PutRule", json!({ "Name": "x" }), "ValidationException"),
        ("PutRule", json!({ "Name": "x", "ScheduleExpression": "rate(1 minutes)" }), "ValidationException"),
        ("PutRule", json!({ "Name": "x", "EventPattern": "{}" }), "InvalidEventPatternException"),
        (
            "PutRule",
            json!({ "Name": "x", "ScheduleExpression": "rate(1 day)", "EventBusName": "own" }),
            "ValidationException",
        ),
        (
            "PutRule",
            json!({ "Name": "x", "ScheduleExpression": "rate(1 day)", "EventBusName": "none" }),
            "ResourceNotFoundException",
        ),
        (
            "PutRule",
            json!({ "Name": "x", "ScheduleExpression": "rate(1 day)", "RoleArn": "arn:aws:iam::1:role/r" }),
            "NotImplemented",
        ),
        (
            "PutTargets",
            json!({ "Rule": "none", "Targets": [{ "Id": "t", "Arn": FUNCTION }] }),
            "ResourceNotFoundException",
        ),
        ("PutTargets", json!({ "Rule": "r", "Targets": many }), "LimitExceededException"),
        ("PutTargets", target(json!({ "Arn": "arn:aws:sqs:us-east-1:123456789012:q" })), "NotImplemented"),
        ("PutTargets", target(json!({ "Arn": "f" })), "ValidationException"),
        ("PutTargets", target(json!({ "Input": "{", })), "ValidationException"),
        ("PutTargets", target(json!({ "Input": "1", "InputPath": "$" })), "ValidationException"),
        ("PutTargets", target(json!({ "InputPath": "detail" })), "ValidationException"),
        ("PutTargets", target(json!({ "DeadLetterConfig": {} })), "NotImplemented"),
        (
            "PutTargets",
            target(json!({ "RetryPolicy": { "MaximumRetryAttempts": 186 } })),
            "ValidationException",
        ),
        ("EnableRule", json!({ "Name": "none" }), "ResourceNotFoundException"),
    ] {
        assert_eq!(world.refused(operation, input.clone()).await.0, code, "{operation} {input}");
    }
}

#[tokio::test]
async fn patterns_can_be_tried() {
    let world = EventsWorld::new();
    let event = json!({ "id": "1", "account": "1", "source": "s", "time": "t", "region": "r", "resources": [], "detail-type": "d" });
    let ask = |pattern: &str| json!({ "EventPattern": pattern, "Event": event.to_string() });
    assert_eq!(world.must("TestEventPattern", ask(r#"{"source":["s"]}"#)).await["Result"], true);
    assert_eq!(world.must("TestEventPattern", ask(r#"{"source":["x"]}"#)).await["Result"], false);
    let partial = json!({ "EventPattern": r#"{"source":["s"]}"#, "Event": "{}" });
    assert_eq!(world.refused("TestEventPattern", partial).await.0, "ValidationException");
}
