//! Event source mappings: tables of the real DynamoDB, followed by real functions.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::python;
use crate::scene::{Scene, trial};
use crate::stubs::{MUTE_ROLE, ROLE};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("records_reach_the_function", records_reach_the_function),
        trial("filters_choose_records", filters_choose_records),
        trial("the_latest_are_those_behind_the_mapping", the_latest_are_those_behind_the_mapping),
        trial("what_fails_is_tried_again_and_told", what_fails_is_tried_again_and_told),
        trial("batches_are_halved_until_one_fails", batches_are_halved_until_one_fails),
        trial("answers_name_where_to_go_on", answers_name_where_to_go_on),
        trial("keys_stay_in_order_in_all_lanes", keys_stay_in_order_in_all_lanes),
        trial("windows_hand_on_their_state", windows_hand_on_their_state),
        trial("a_restart_goes_on_where_it_was", a_restart_goes_on_where_it_was),
        trial("mappings_come_and_go", mappings_come_and_go),
        trial("what_does_not_act_is_refused", what_does_not_act_is_refused),
        trial("the_role_must_be_allowed_to_read", the_role_must_be_allowed_to_read),
    ]
}

const GROUP: &str = "/aws/lambda/f";
/// Prints `got N` for each record, and its table of records at once.
const PRINT: &str = "
def handler(e, c):
    for r in e['Records']:
        print('got', r['eventName'], r['dynamodb']['Keys']['id']['S'], r['dynamodb'].get('NewImage', {}).get('n', {}).get('N'))
    print('batch', len(e['Records']), e['Records'][0]['eventSourceARN'])
";

async fn stream(scene: &Scene) -> String {
    let made = scene
        .table(
            "CreateTable",
            json!({
                "TableName": "table", "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
            }),
        )
        .await;
    made["TableDescription"]["LatestStreamArn"].as_str().unwrap().to_owned()
}

async fn put(scene: &Scene, id: &str, n: u32) {
    let item = json!({"id": {"S": id}, "n": {"N": n.to_string()}});
    scene.table("PutItem", json!({"TableName": "table", "Item": item})).await;
}

/// A mapping from the oldest record on, with `more`; its UUID.
async fn follow(scene: &Scene, stream: &str, more: Value) -> String {
    let mut input =
        json!({"FunctionName": "f", "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON"});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    let made = scene.call("CreateEventSourceMapping", input).await.unwrap();
    made["UUID"].as_str().unwrap().to_owned()
}

fn count(lines: &[String], text: &str) -> usize {
    lines.iter().filter(|line| line.contains(text)).count()
}

async fn records_reach_the_function() {
    let scene = Scene::new();
    scene.create("f", python(PRINT), json!({})).await.unwrap();
    let stream = stream(&scene).await;
    for n in 0..5 {
        put(&scene, "a", n).await;
    }
    let uuid = follow(&scene, &stream, json!({"BatchSize": 2})).await;
    let lines = scene.lines.of(GROUP, "got MODIFY a 4").await;
    let got: Vec<_> = lines.iter().filter(|line| line.starts_with("got")).map(|line| line.trim()).collect();
    assert_eq!(
        got,
        ["got INSERT a 0", "got MODIFY a 1", "got MODIFY a 2", "got MODIFY a 3", "got MODIFY a 4"]
    );
    let lines = scene.lines.of(GROUP, "batch 1").await;
    assert_eq!(count(&lines, &format!("batch 2 {stream}")), 2);
    let id = json!({"TableName": "table", "Key": {"id": {"S": "a"}}});
    scene.table("DeleteItem", id).await;
    scene.lines.of(GROUP, "got REMOVE a None").await;
    let mapping = loop {
        let mapping = scene.call("GetEventSourceMapping", json!({"UUID": uuid})).await.unwrap();
        if mapping["LastProcessingResult"] == "OK" {
            break mapping;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(mapping["State"], "Enabled");
}

async fn filters_choose_records() {
    let scene = Scene::new();
    scene.create("f", python(PRINT), json!({})).await.unwrap();
    let stream = stream(&scene).await;
    let pattern = json!({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"n": {"N": [{"prefix": "1"}]}}}});
    let filters = json!({"FilterCriteria": {"Filters": [{"Pattern": pattern.to_string()}]}});
    follow(&scene, &stream, filters).await;
    for n in 0..12 {
        put(&scene, &format!("k{n}"), n).await;
    }
    for n in [1, 10, 11] {
        scene.lines.of(GROUP, &format!("got INSERT k{n} {n}")).await;
    }
    let lines = scene.lines.of(GROUP, "got").await;
    assert_eq!(count(&lines, "got"), 3);
}

async fn the_latest_are_those_behind_the_mapping() {
    let scene = Scene::new();
    scene.create("f", python(PRINT), json!({})).await.unwrap();
    let stream = stream(&scene).await;
    put(&scene, "a", 1).await;
    follow(&scene, &stream, json!({"StartingPosition": "LATEST"})).await;
    put(&scene, "a", 2).await;
    let lines = scene.lines.of(GROUP, "got MODIFY a 2").await;
    assert_eq!(count(&lines, "got"), 1);
}

/// Fails as long as the batch has an item that is called bad.
const FAIL: &str = "
def handler(e, c):
    ids = [r['dynamodb']['Keys']['id']['S'] + r['dynamodb']['NewImage']['n']['N'] for r in e['Records']]
    print('tried', ' '.join(ids))
    if any('bad' in i for i in ids):
        raise ValueError('bad')
";

async fn object(scene: &Scene) -> (String, Value) {
    loop {
        let found =
            scene.objects.0.lock().unwrap().iter().next().map(|(key, body)| (key.clone(), body.clone()));
        match found {
            Some((key, body)) => return (key, serde_json::from_slice(&body).unwrap()),
            None => tokio::task::yield_now().await,
        }
    }
}

async fn what_fails_is_tried_again_and_told() {
    let scene = Scene::new();
    scene.create("f", python(FAIL), json!({})).await.unwrap();
    let stream = stream(&scene).await;
    put(&scene, "bad", 0).await;
    let failure = json!({"OnFailure": {"Destination": "arn:aws:s3:::records"}});
    let uuid =
        follow(&scene, &stream, json!({"MaximumRetryAttempts": 1, "DestinationConfig": failure})).await;
    let (key, told) = object(&scene).await;
    assert!(key.starts_with(&format!("records/aws/lambda/{uuid}/shardId-")), "{key}");
    assert_eq!(told["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(told["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(told["responseContext"]["functionError"], "Unhandled");
    assert_eq!(told["DDBStreamBatchInfo"]["batchSize"], 1);
    let payload: Value = serde_json::from_str(told["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload["Records"][0]["dynamodb"]["Keys"]["id"]["S"], "bad");
    while count(&scene.lines.of(GROUP, "tried").await, "tried bad0") < 2 {
        tokio::task::yield_now().await;
    }
    // What comes behind is delivered all the same.
    for id in ["a", "b", "c", "d"] {
        put(&scene, id, 7).await;
        scene.lines.of(GROUP, &format!("tried {id}7")).await;
    }
}

async fn batches_are_halved_until_one_fails() {
    let scene = Scene::new();
    let code = FAIL.replace("'bad' in i", "i == 'a2'");
    scene.create("f", python(&code), json!({})).await.unwrap();
    let stream = stream(&scene).await;
    for n in 0..4 {
        put(&scene, "a", n).await;
    }
    follow(&scene, &stream, json!({"MaximumRetryAttempts": 0, "BisectBatchOnFunctionError": true})).await;
    let lines = scene.lines.of(GROUP, "tried a3").await;
    let tried: Vec<_> =
        lines.iter().filter(|line| line.starts_with("tried")).map(|line| line.trim()).collect();
    assert_eq!(tried, ["tried a0 a1 a2 a3", "tried a0 a1", "tried a2 a3", "tried a2", "tried a3"]);
}

async fn answers_name_where_to_go_on() {
    let code = "
seen = set()
def handler(e, c):
    ids = [r['dynamodb']['NewImage']['n']['N'] for r in e['Records']]
    print('tried', ' '.join(ids))
    for r in e['Records']:
        n = r['dynamodb']['NewImage']['n']['N']
        if n in '13' and n not in seen:
            seen.add(n)
            return {'batchItemFailures': [{'itemIdentifier': r['dynamodb']['SequenceNumber']}]}
";
    let scene = Scene::new();
    scene.create("f", python(code), json!({})).await.unwrap();
    let stream = stream(&scene).await;
    for n in 0..5 {
        put(&scene, "a", n).await;
    }
    let more = json!({"FunctionResponseTypes": ["ReportBatchItemFailures"], "MaximumRetryAttempts": 1});
    follow(&scene, &stream, more).await;
    let lines = scene.lines.of(GROUP, "tried 3 4").await;
    let tried: Vec<_> =
        lines.iter().filter(|line| line.starts_with("tried")).map(|line| line.trim()).collect();
    assert_eq!(tried, ["tried 0 1 2 3 4", "tried 1 2 3 4", "tried 3 4"]);
}

async fn keys_stay_in_order_in_all_lanes() {
    // The lines of different instances come in any order: the function tells its time.
    let code = "
import time
def handler(e, c):
    for r in e['Records']:
        print('got', r['dynamodb']['Keys']['id']['S'], r['dynamodb']['NewImage']['n']['N'], time.time_ns())
";
    let scene = Scene::new();
    scene.create("f", python(code), json!({})).await.unwrap();
    let stream = stream(&scene).await;
    let uuid = follow(&scene, &stream, json!({"BatchSize": 3, "ParallelizationFactor": 4})).await;
    for n in 0..10 {
        for key in 0..8 {
            put(&scene, &format!("k{key}"), n).await;
        }
    }
    for (key, n) in (0..8).flat_map(|key| (0..10).map(move |n| (key, n))) {
        scene.lines.of(GROUP, &format!("got k{key} {n} ")).await;
    }
    // Fewer lanes begin where the slowest was.
    let update = json!({"UUID": uuid, "ParallelizationFactor": 1});
    scene.call("UpdateEventSourceMapping", update).await.unwrap();
    for key in 0..8 {
        put(&scene, &format!("k{key}"), 10).await;
        let lines = scene.lines.of(GROUP, &format!("got k{key} 10 ")).await;
        let mark = format!(" k{key} ");
        let told = lines.iter().filter(|line| line.contains(&mark)).map(|line| {
            let mut numbers = line.trim().rsplit(' ').map(|number| number.parse::<u64>().unwrap());
            (numbers.next().unwrap(), numbers.next().unwrap())
        });
        let mut all: Vec<_> = told.collect();
        all.sort_unstable();
        let mut known = std::collections::HashSet::new();
        let first_times: Vec<_> = all.iter().map(|(_, n)| *n).filter(|n| known.insert(*n)).collect();
        assert_eq!(first_times, (0..=10).collect::<Vec<_>>(), "{key}: {all:?}");
    }
}

async fn windows_hand_on_their_state() {
    let code = "
def handler(e, c):
    state = e['state']
    state['n'] = state.get('n', 0) + len(e['Records'])
    if e['isFinalInvokeForWindow']:
        print('final', state['n'], e['window']['start'] < e['window']['end'], len(e['Records']), e['shardId'][:7])
    return {'state': state}
";
    let scene = Scene::new();
    scene.create("f", python(code), json!({})).await.unwrap();
    let stream = stream(&scene).await;
    for n in 0..6 {
        put(&scene, "a", n).await;
    }
    follow(&scene, &stream, json!({"BatchSize": 2, "TumblingWindowInSeconds": 1})).await;
    let lines = scene.lines.of(GROUP, "final").await;
    let sum = |lines: &[String]| -> u32 {
        let finals = lines.iter().filter(|line| line.starts_with("final"));
        finals
            .map(|line| {
                assert!(line.trim().ends_with("True 0 shardId"), "{line}");
                line.split(' ').nth(1).unwrap().parse::<u32>().unwrap()
            })
            .sum()
    };
    // The six may have fallen into two windows.
    let mut total = sum(&lines);
    while total < 6 {
        tokio::task::yield_now().await;
        total = sum(&scene.lines.of(GROUP, "final").await);
    }
    assert_eq!(total, 6);
}

async fn a_restart_goes_on_where_it_was() {
    let scene = Scene::new();
    scene.create("f", python(PRINT), json!({})).await.unwrap();
    let stream = stream(&scene).await;
    let uuid = follow(&scene, &stream, json!({})).await;
    put(&scene, "a", 1).await;
    scene.lines.of(GROUP, "got INSERT a 1").await;
    while scene.call("GetEventSourceMapping", json!({"UUID": uuid})).await.unwrap()["LastProcessingResult"]
        != "OK"
    {
        tokio::task::yield_now().await;
    }
    // The checkpoint is written behind the result; ending waits for neither.
    scene.lambda.close().await;
    put(&scene, "a", 2).await;
    let scene = scene.reopened();
    scene.lambda.recover().await.unwrap();
    put(&scene, "a", 3).await;
    let lines = scene.lines.of(GROUP, "got MODIFY a 3").await;
    assert_eq!(count(&lines, "got MODIFY a 2"), 1);
    assert!(count(&lines, "got INSERT a 1") <= 1);
}

async fn mappings_come_and_go() {
    let scene = Scene::new();
    for name in ["f", "g"] {
        scene.create(name, python(PRINT), json!({"Publish": true})).await.unwrap();
    }
    let stream = stream(&scene).await;
    let uuid = follow(&scene, &stream, json!({"Enabled": false, "Tags": {"a": "1"}})).await;
    let mapping = scene.call("GetEventSourceMapping", json!({"UUID": uuid})).await.unwrap();
    let expected = json!({
        "State": "Disabled", "BatchSize": 100, "ParallelizationFactor": 1, "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": -1, "BisectBatchOnFunctionError": false, "TumblingWindowInSeconds": 0,
        "LastProcessingResult": "No records processed", "StartingPosition": "TRIM_HORIZON",
        "EventSourceArn": stream, "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(mapping[name], *value, "{name}");
    }
    let twice = json!({"FunctionName": "f", "EventSourceArn": stream, "StartingPosition": "LATEST"});
    let error = scene.call("CreateEventSourceMapping", twice).await.unwrap_err();
    assert_eq!(error.code, "ResourceConflictException");
    assert!(error.message.contains(&uuid), "{}", error.message);
    let arn = mapping["EventSourceMappingArn"].as_str().unwrap();
    scene.call("TagResource", json!({"Resource": arn, "Tags": {"b": "2"}})).await.unwrap();
    scene.call("UntagResource", json!({"Resource": arn, "TagKeys": ["a"]})).await.unwrap();
    assert_eq!(scene.call("ListTags", json!({"Resource": arn})).await.unwrap()["Tags"], json!({"b": "2"}));
    let other = follow(&scene, &stream, json!({"FunctionName": "g:1"})).await;
    let page = scene.call("ListEventSourceMappings", json!({"MaxItems": 1})).await.unwrap();
    let next = scene.call("ListEventSourceMappings", json!({"Marker": page["NextMarker"]})).await.unwrap();
    assert_eq!(next["EventSourceMappings"].as_array().unwrap().len(), 1);
    let listed = scene.call("ListEventSourceMappings", json!({"FunctionName": "g:1"})).await.unwrap();
    assert_eq!(listed["EventSourceMappings"][0]["UUID"], json!(other));
    // The same pair again, by way of an update.
    let update = json!({"UUID": other, "FunctionName": "f"});
    let error = scene.call("UpdateEventSourceMapping", update).await.unwrap_err();
    assert_eq!(error.code, "ResourceConflictException");
    scene.call("DeleteEventSourceMapping", json!({"UUID": other})).await.unwrap();
    put(&scene, "a", 1).await;
    scene
        .call("UpdateEventSourceMapping", json!({"UUID": uuid, "Enabled": true, "BatchSize": 7}))
        .await
        .unwrap();
    scene.lines.of(GROUP, "got INSERT a 1").await;
    let gone = scene.call("DeleteEventSourceMapping", json!({"UUID": uuid})).await.unwrap();
    assert_eq!((&gone["State"], &gone["BatchSize"]), (&json!("Deleting"), &json!(7)));
    for operation in ["GetEventSourceMapping", "DeleteEventSourceMapping", "UpdateEventSourceMapping"] {
        let error = scene.call(operation, json!({"UUID": uuid})).await.unwrap_err();
        assert_eq!(error.code, "ResourceNotFoundException");
    }
    follow(&scene, &stream, json!({"StartingPosition": "LATEST"})).await;
}

async fn what_does_not_act_is_refused() {
    let scene = Scene::new();
    scene.create("f", python(PRINT), json!({})).await.unwrap();
    let stream = stream(&scene).await;
    let rows = [
        (json!({"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:q"}), 501),
        (json!({"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"}), 501),
        (json!({"Topics": ["t"]}), 501),
        (json!({"Queues": ["q"]}), 501),
        (json!({"ScalingConfig": {"MaximumConcurrency": 2}}), 501),
        (json!({"EventSourceArn": "arn:aws:s3:::bucket"}), 400),
        (json!({"EventSourceArn": format!("{stream}x")}), 400),
        (json!({"EventSourceArn": null}), 400),
        (json!({"FunctionName": "gone"}), 404),
        (json!({"StartingPosition": "AT_TIMESTAMP"}), 400),
        (json!({"StartingPosition": null}), 400),
        (json!({"BatchSize": 0}), 400),
        (json!({"ParallelizationFactor": 11}), 400),
        (json!({"MaximumRecordAgeInSeconds": 5}), 400),
        (json!({"FilterCriteria": {"Filters": [{"Pattern": "{\"a\": 1}"}]}}), 400),
        (
            json!({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sns:us-east-1:123456789012:t"}}}),
            501,
        ),
        (json!({"DestinationConfig": {"OnSuccess": {"Destination": "arn:aws:s3:::b"}}}), 400),
    ];
    for (more, status) in rows {
        let mut input = json!({"FunctionName": "f", "EventSourceArn": stream, "StartingPosition": "LATEST"});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        let error = scene.call("CreateEventSourceMapping", input).await.unwrap_err();
        assert_eq!(error.status.as_u16(), status, "{more}: {error}");
    }
    let listed = scene.call("ListEventSourceMappings", json!({})).await.unwrap();
    assert_eq!(listed["EventSourceMappings"], json!([]));
}

async fn the_role_must_be_allowed_to_read() {
    let scene = Scene::new();
    scene.create("f", python(PRINT), json!({"Role": MUTE_ROLE})).await.unwrap();
    let stream = stream(&scene).await;
    let input = json!({"FunctionName": "f", "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON"});
    let error = scene.call("CreateEventSourceMapping", input.clone()).await.unwrap_err();
    assert_eq!(error.code, "InvalidParameterValueException");
    assert!(error.message.starts_with(&format!("Cannot access stream {stream}.")), "{}", error.message);
    let role = json!({"FunctionName": "f", "Role": ROLE});
    scene.call("UpdateFunctionConfiguration", role).await.unwrap();
    scene.call("CreateEventSourceMapping", input).await.unwrap();
}
