//! What is put is found again: all of it, in its order.

use serde_json::json;

use crate::world::LogsWorld;

#[tokio::test]
async fn events_of_one_millisecond_are_all_kept_in_their_order() {
    let world = LogsWorld::new();
    world.stream("g", "s").await;
    let now = world.now();
    let events: Vec<(i64, String)> = (0..100).map(|n| (now, format!("{n:03}"))).collect();
    let events: Vec<(i64, &str)> = events.iter().map(|(at, text)| (*at, text.as_str())).collect();
    world.put("g", "s", &events).await;
    let found = world.filtered(json!({ "logGroupName": "g", "limit": 7 })).await;
    let expected: Vec<&str> = events.iter().map(|(_, text)| *text).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn streams_are_merged_by_time_page_by_page() {
    let world = LogsWorld::new();
    let now = world.now();
    for stream in ["a", "b", "c"] {
        world.stream("g", stream).await;
    }
    for step in 0..30 {
        let stream = ["a", "b", "c"][step as usize % 3];
        world.put("g", stream, &[(now + step, &format!("{step:02}"))]).await;
    }
    let found = world.filtered(json!({ "logGroupName": "g", "limit": 4 })).await;
    let expected: Vec<String> = (0..30).map(|step| format!("{step:02}")).collect();
    assert_eq!(found, expected);
    let some =
        json!({ "logGroupName": "g", "logStreamNames": ["b"], "startTime": now + 4, "endTime": now + 10 });
    assert_eq!(world.filtered(some).await, ["04", "07", "10"]);
    let matching = json!({ "logGroupName": "g", "filterPattern": "?03 ?05" });
    assert_eq!(world.filtered(matching).await, ["03", "05"]);
}

#[tokio::test]
async fn a_stream_is_read_forwards_and_backwards() {
    let world = LogsWorld::new();
    world.stream("g", "s").await;
    let now = world.now();
    let texts: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    let events: Vec<(i64, &str)> = (0..).zip(&texts).map(|(n, text)| (now + n, text.as_str())).collect();
    world.put("g", "s", &events).await;
    let ask = |head: bool, token: Option<&str>| json!({ "logGroupName": "g", "logStreamName": "s", "limit": 4, "startFromHead": head, "nextToken": token });
    let messages = |page: &serde_json::Value| -> Vec<String> {
        page["events"].as_array().unwrap().iter().map(|e| e["message"].as_str().unwrap().to_owned()).collect()
    };
    let without_token = |mut input: serde_json::Value| {
        input.as_object_mut().unwrap().remove("nextToken");
        input
    };
    let first = world.call("GetLogEvents", without_token(ask(true, None))).await.unwrap();
    assert_eq!(messages(&first), ["0", "1", "2", "3"]);
    let next = world.call("GetLogEvents", ask(true, first["nextForwardToken"].as_str())).await.unwrap();
    assert_eq!(messages(&next), ["4", "5", "6", "7"]);
    let back = world.call("GetLogEvents", ask(true, next["nextBackwardToken"].as_str())).await.unwrap();
    assert_eq!(messages(&back), ["0", "1", "2", "3"]);
    let last = world.call("GetLogEvents", without_token(ask(false, None))).await.unwrap();
    assert_eq!(messages(&last), ["6", "7", "8", "9"]);
    let end = world.call("GetLogEvents", ask(true, last["nextForwardToken"].as_str())).await.unwrap();
    assert_eq!((messages(&end).len(), &end["nextForwardToken"]), (0, &last["nextForwardToken"]));
}

#[tokio::test]
async fn a_group_made_anew_starts_empty() {
    let world = LogsWorld::new();
    world.stream("g", "s").await;
    world.put("g", "s", &[(world.now(), "old")]).await;
    world.call("DeleteLogGroup", json!({ "logGroupName": "g" })).await.unwrap();
    let gone = world.call("FilterLogEvents", json!({ "logGroupName": "g" })).await.unwrap_err();
    assert_eq!(gone.code, "ResourceNotFoundException");
    world.stream("g", "s").await;
    assert!(world.filtered(json!({ "logGroupName": "g" })).await.is_empty());
}

#[tokio::test]
async fn what_is_past_its_retention_is_refused_when_it_is_put() {
    let world = LogsWorld::new();
    world.stream("g", "s").await;
    world.call("PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 1 })).await.unwrap();
    let old = world.now();
    world.world.advance_hours(48);
    let answer = world.put("g", "s", &[(old, "old"), (old + 60_000, "old too")]).await;
    assert_eq!(answer["rejectedLogEventsInfo"]["expiredLogEventEndIndex"], 2);
    let odd = world.call("PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 2 })).await;
    assert_eq!(odd.unwrap_err().code, "InvalidParameterException");
}
