//! What streams tell, in which order, and for how long.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn each_view_shows_its_images() {
    let world = World::new();
    let rows = [
        ("KEYS_ONLY", false, false),
        ("NEW_IMAGE", true, false),
        ("OLD_IMAGE", false, true),
        ("NEW_AND_OLD_IMAGES", true, true),
    ];
    for (number, (view, new, old)) in rows.into_iter().enumerate() {
        let table = format!("table{number}");
        let arn = world.table(&table, view).await;
        world.put(&table, "a", 1).await;
        world.put(&table, "a", 2).await;
        world.put(&table, "a", 2).await;
        let key = json!({"TableName": table, "Key": {"id": {"S": "a"}}});
        world.ok("DeleteItem", key.clone()).await;
        world.ok("DeleteItem", key).await;
        let records = world.records(&arn).await;
        let names: Vec<_> = records.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
        assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"], "{view}");
        let image = |n: u32| json!({"id": {"S": "a"}, "n": {"N": n.to_string()}});
        let expected = [(Some(1), None), (Some(2), Some(1)), (None, Some(2))];
        for (record, (after, before)) in records.iter().zip(expected) {
            let inside = &record["dynamodb"];
            let shown = |wanted: bool, n: Option<u32>| n.filter(|_| wanted).map_or(Value::Null, image);
            assert_eq!(inside["NewImage"], shown(new, after), "{view}");
            assert_eq!(inside["OldImage"], shown(old, before), "{view}");
            assert_eq!(inside["Keys"], json!({"id": {"S": "a"}}));
            assert_eq!(inside["StreamViewType"], view);
            let images =
                [(new, after), (old, before)].iter().filter(|(wanted, n)| *wanted && n.is_some()).count();
            assert_eq!(inside["SizeBytes"], 3 + 6 * images, "{view}");
            assert_eq!(record["eventSource"], "aws:dynamodb");
            assert_eq!(record["awsRegion"], "us-east-1");
        }
        let mut ids: Vec<_> = records.iter().map(|record| record["eventID"].to_string()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 3);
    }
}

#[tokio::test]
async fn items_are_in_order_over_all_kinds_of_writes() {
    let world = World::new();
    let arn = world.table("table", "NEW_IMAGE").await;
    for n in 0..20 {
        world.put("table", &format!("k{}", n % 3), n).await;
        let batch = json!({"PutRequest": {"Item": {"id": {"S": "batch"}, "n": {"N": n.to_string()}}}});
        world.ok("BatchWriteItem", json!({"RequestItems": {"table": [batch]}})).await;
        let update = json!({
            "TableName": "table", "Key": {"id": {"S": "count"}}, "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        });
        world.ok("UpdateItem", update).await;
    }
    let refused = json!({
        "TableName": "table", "Item": {"id": {"S": "count"}}, "ConditionExpression": "attribute_not_exists(id)",
    });
    assert_eq!(world.refused("PutItem", refused).await, "ConditionalCheckFailedException");
    let records = world.records(&arn).await;
    assert_eq!(records.len(), 60);
    for id in ["k0", "k1", "k2", "batch", "count"] {
        let of_item = records.iter().filter(|record| record["dynamodb"]["Keys"]["id"]["S"] == id);
        let told: Vec<(String, u32)> = of_item
            .map(|record| {
                let inside = &record["dynamodb"];
                let n = inside["NewImage"]["n"]["N"].as_str().unwrap().parse().unwrap();
                (inside["SequenceNumber"].as_str().unwrap().to_owned(), n)
            })
            .collect();
        assert!(told.is_sorted() && told.iter().map(|(_, n)| n).is_sorted(), "{id}: {told:?}");
        assert!(told.len() >= 6, "{id}");
    }
}

#[tokio::test]
async fn iterators_begin_where_they_say() {
    let world = World::new();
    let arn = world.table("table", "NEW_IMAGE").await;
    for n in 0..5 {
        world.put("table", "a", n).await;
        world.advance(1);
    }
    let all = world.records(&arn).await;
    let mut shard = String::new();
    for candidate in world.shards(&arn).await {
        let iterator = world.iterator(&arn, &candidate, json!({"ShardIteratorType": "TRIM_HORIZON"})).await;
        let page = world.ok("GetRecords", json!({"ShardIterator": iterator})).await;
        if page["Records"] != json!([]) {
            shard = candidate;
        }
    }
    let sequence = |n: usize| all[n]["dynamodb"]["SequenceNumber"].clone();
    let rows = [
        (json!({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": sequence(2)}), 3),
        (json!({"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": sequence(2)}), 2),
        (json!({"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1_767_225_600 + 4 * 3600}), 1),
        (json!({"ShardIteratorType": "LATEST"}), 0),
    ];
    let mut next = Value::Null;
    for (input, expected) in rows {
        let iterator = world.iterator(&arn, &shard, input.clone()).await;
        let page = world.ok("GetRecords", json!({"ShardIterator": iterator})).await;
        assert_eq!(page["Records"].as_array().unwrap().len(), expected, "{input}");
        next = page["NextShardIterator"].clone();
    }
    world.put("table", "a", 100).await;
    let page = world.ok("GetRecords", json!({"ShardIterator": next})).await;
    assert_eq!(page["Records"].as_array().unwrap().len(), 1);
    let iterator = world.iterator(&arn, &shard, json!({"ShardIteratorType": "TRIM_HORIZON"})).await;
    let page = world.ok("GetRecords", json!({"ShardIterator": iterator, "Limit": 2})).await;
    assert_eq!(page["Records"].as_array().unwrap().len(), 2);
    for bad in [
        json!({"ShardIteratorType": "AT_SEQUENCE_NUMBER"}),
        json!({"ShardIteratorType": "LATEST", "SequenceNumber": sequence(1)}),
        json!({"ShardIteratorType": "AT_TIMESTAMP"}),
        json!({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "000000000000000000000012"}),
    ] {
        let mut input = bad.clone();
        input["StreamArn"] = json!(arn);
        input["ShardId"] = json!(shard);
        assert_eq!(world.refused("GetShardIterator", input).await, "ValidationException", "{bad}");
    }
    assert_eq!(world.refused("GetRecords", json!({"ShardIterator": "x|1|y"})).await, "ValidationException");
    let missing = json!({"StreamArn": arn, "ShardId": format!("{}0", shard), "ShardIteratorType": "LATEST"});
    assert_eq!(world.refused("GetShardIterator", missing).await, "ResourceNotFoundException");
}

#[tokio::test]
async fn iterators_and_records_grow_old() {
    let world = World::new();
    let arn = world.table("table", "KEYS_ONLY").await;
    world.put("table", "a", 1).await;
    let records = world.records(&arn).await;
    let sequence = records[0]["dynamodb"]["SequenceNumber"].clone();
    let shards = world.shards(&arn).await;
    let iterator = world.iterator(&arn, &shards[0], json!({"ShardIteratorType": "TRIM_HORIZON"})).await;
    world.advance(1);
    let expired = world.refused("GetRecords", json!({"ShardIterator": iterator})).await;
    assert_eq!(expired, "ExpiredIteratorException");
    world.advance(24);
    assert!(world.records(&arn).await.is_empty());
    world.put("table", "a", 2).await;
    assert_eq!(world.records(&arn).await.len(), 1);
    let is_trimmed = || async {
        let mut trimmed = 0;
        for shard in &shards {
            let input = json!({
                "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "AT_SEQUENCE_NUMBER",
                "SequenceNumber": sequence,
            });
            if let Err(error) = world.as_user("GetShardIterator", input).await {
                assert_eq!(error.code, "TrimmedDataAccessException");
                trimmed += 1;
            }
        }
        assert!(trimmed <= 1, "the other shards had nothing to trim");
        trimmed == 1
    };
    world.sweep(is_trimmed).await;
    assert_eq!(world.records(&arn).await.len(), 1);
}

#[tokio::test]
async fn streams_are_switched_on_and_off_and_outlive_their_tables() {
    let world = World::new();
    let arn = world.table("table", "KEYS_ONLY").await;
    world.put("table", "a", 1).await;
    let stream = |specification: Value| json!({"TableName": "table", "StreamSpecification": specification});
    let on = stream(json!({"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"}));
    let off = stream(json!({"StreamEnabled": false}));
    assert_eq!(world.refused("UpdateTable", on.clone()).await, "ValidationException");
    let answer = world.ok("UpdateTable", off.clone()).await;
    assert_eq!(answer["TableDescription"]["LatestStreamArn"], json!(arn));
    assert_eq!(answer["TableDescription"].get("StreamSpecification"), None);
    assert_eq!(world.refused("UpdateTable", off).await, "ValidationException");
    world.put("table", "a", 2).await;
    let described = world.ok("DescribeStream", json!({"StreamArn": arn})).await;
    assert_eq!(described["StreamDescription"]["StreamStatus"], "DISABLED");
    assert_eq!(world.records(&arn).await.len(), 1);
    let shard = &described["StreamDescription"]["Shards"][0];
    assert!(shard["SequenceNumberRange"]["EndingSequenceNumber"].is_string());
    let id = shard["ShardId"].as_str().unwrap();
    let iterator = world.iterator(&arn, id, json!({"ShardIteratorType": "LATEST"})).await;
    let end = world.ok("GetRecords", json!({"ShardIterator": iterator})).await;
    assert_eq!(end.get("NextShardIterator"), None);
    world.advance(1);
    let second = world.ok("UpdateTable", on).await["TableDescription"]["LatestStreamArn"].clone();
    assert_ne!(second, json!(arn));
    world.put("table", "a", 3).await;
    world.ok("DeleteTable", json!({"TableName": "table"})).await;
    assert_eq!(world.records(second.as_str().unwrap()).await.len(), 1);
    let listed = world.ok("ListStreams", json!({"TableName": "table"})).await;
    assert_eq!(listed["Streams"].as_array().unwrap().len(), 2);
    let page = world.ok("ListStreams", json!({"Limit": 1})).await;
    assert_eq!(page["LastEvaluatedStreamArn"], json!(arn));
    let next = world.ok("ListStreams", json!({"ExclusiveStartStreamArn": arn})).await;
    assert_eq!(next["Streams"][0]["StreamArn"], second);
    world.advance(25);
    let is_gone = || async { world.ok("ListStreams", json!({})).await["Streams"] == json!([]) };
    world.sweep(is_gone).await;
    assert_eq!(world.refused("DescribeStream", json!({"StreamArn": arn})).await, "ResourceNotFoundException");
}

#[tokio::test]
async fn reading_needs_its_permission() {
    let world = World::new();
    let arn = world.table("table", "KEYS_ONLY").await;
    let shard = &world.shards(&arn).await[0];
    assert!(world.as_user("DescribeStream", json!({"StreamArn": arn})).await.is_ok());
    let iterator = world.iterator(&arn, shard, json!({"ShardIteratorType": "LATEST"})).await;
    let error = world.as_user("GetRecords", json!({"ShardIterator": iterator})).await.unwrap_err();
    assert_eq!(error.code, "AccessDeniedException");
}

#[tokio::test]
async fn two_large_images_fit() {
    let world = World::new();
    let arn = world.table("table", "NEW_AND_OLD_IMAGES").await;
    for letter in ["a", "b", "c"] {
        let item = json!({"id": {"S": "a"}, "text": {"S": letter.repeat(400_000)}});
        world.ok("PutItem", json!({"TableName": "table", "Item": item})).await;
    }
    let mut modified = Vec::new();
    for shard in world.shards(&arn).await {
        let mut iterator =
            json!(world.iterator(&arn, &shard, json!({"ShardIteratorType": "TRIM_HORIZON"})).await);
        loop {
            let page = world.ok("GetRecords", json!({"ShardIterator": iterator})).await;
            let records = page["Records"].as_array().unwrap();
            if records.is_empty() {
                break;
            }
            modified.extend(records.iter().filter(|record| record["eventName"] == "MODIFY").cloned());
            iterator = page["NextShardIterator"].clone();
        }
    }
    let letters = |record: &Value| {
        ["OldImage", "NewImage"].map(|image| {
            let text = record["dynamodb"][image]["text"]["S"].as_str().unwrap();
            (text.len(), text[..1].to_owned())
        })
    };
    let expected = |letter: &str| (400_000, letter.to_owned());
    assert_eq!(letters(&modified[0]), [expected("a"), expected("b")]);
    assert_eq!(letters(&modified[1]), [expected("b"), expected("c")]);
}

#[tokio::test]
async fn each_item_of_a_transaction_is_told() {
    let world = World::new();
    let arn = world.table("table", "NEW_IMAGE").await;
    world.put("table", "same", 1).await;
    let put =
        |id: &str, n: &str| json!({"Put": {"TableName": "table", "Item": {"id": {"S": id}, "n": {"N": n}}}});
    let mut actions: Vec<_> = (0..12).map(|number| put(&format!("k{number}"), "1")).collect();
    actions.push(put("same", "1"));
    world.ok("TransactWriteItems", json!({"TransactItems": actions})).await;
    let records = world.records(&arn).await;
    assert_eq!(records.len(), 13);
    let text = |record: &Value, pointer: &str| record.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let mut numbers: Vec<_> = records.iter().map(|record| text(record, "/eventID")).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 13, "each record has an id of its own");
    for shard in world.shards(&arn).await {
        // One at a time, so that a page ends within the commit.
        let mut iterator =
            json!(world.iterator(&arn, &shard, json!({"ShardIteratorType": "TRIM_HORIZON"})).await);
        let mut seen = std::collections::HashSet::new();
        loop {
            let page = world.ok("GetRecords", json!({"ShardIterator": iterator, "Limit": 1})).await;
            let Some(record) = page["Records"].get(0) else { break };
            assert!(seen.insert(text(record, "/dynamodb/Keys/id/S")), "told once");
            iterator = page["NextShardIterator"].clone();
        }
    }
}
