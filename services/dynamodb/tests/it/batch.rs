//! BatchGetItem BatchWriteItem

use serde_json::{Value, json};

use crate::world::{World, run};

fn put(id: &str) -> Value {
    json!({"PutRequest": {"Item": {"id": {"S": id}, "v": {"S": id}}}})
}

#[test]
fn batches_write_and_read_several_tables() {
    run(async {
        let world = World::new();
        world.table("one", None).await;
        world.table("two", None).await;
        let requests = json!({"one": [put("a"), put("b")], "two": [put("c")]});
        let written = world.ok("BatchWriteItem", json!({"RequestItems": requests})).await;
        assert_eq!(written, json!({"UnprocessedItems": {}}));
        let delete = json!({"one": [{"DeleteRequest": {"Key": {"id": {"S": "a"}}}}]});
        let input = json!({"RequestItems": delete, "ReturnConsumedCapacity": "TOTAL"});
        let consumed = json!([{"TableName": "one", "CapacityUnits": 1.0}]);
        assert_eq!(world.ok("BatchWriteItem", input).await["ConsumedCapacity"], consumed);
        let keys = json!([{"id": {"S": "a"}}, {"id": {"S": "b"}}]);
        let read = json!({"RequestItems": {
            "one": {"Keys": keys, "ProjectionExpression": "v"}, "two": {"Keys": [{"id": {"S": "c"}}]},
        }});
        let answer = world.ok("BatchGetItem", read).await;
        assert_eq!(
            answer,
            json!({
                "Responses": {"one": [{"v": {"S": "b"}}], "two": [{"id": {"S": "c"}, "v": {"S": "c"}}]},
                "UnprocessedKeys": {},
            })
        );
    });
}

#[test]
fn what_is_over_sixteen_megabytes_is_handed_back() {
    run(async {
        let world = World::new();
        world.table("one", None).await;
        for id in 0..45 {
            let item = json!({"id": {"S": id.to_string()}, "v": {"S": "x".repeat(390 * 1024)}});
            world.ok("PutItem", json!({"TableName": "one", "Item": item})).await;
        }
        let keys: Vec<_> = (0..45).map(|id| json!({"id": {"S": id.to_string()}})).collect();
        let mut wanted = json!({"one": {"Keys": keys, "ConsistentRead": true}});
        let mut read = 0;
        for _ in 0..2 {
            let answer = world.ok("BatchGetItem", json!({"RequestItems": wanted})).await;
            read += answer["Responses"]["one"].as_array().unwrap().len();
            wanted = answer["UnprocessedKeys"].clone();
            if read < 45 {
                assert_eq!(wanted["one"]["ConsistentRead"], true);
            }
        }
        assert_eq!((read, wanted), (45, json!({})));
    });
}

#[test]
fn large_batches_are_written_whole() {
    run(async {
        let world = World::new();
        world.table("one", None).await;
        let large = |id: i32| json!({"PutRequest": {"Item": {"id": {"S": id.to_string()}, "v": {"S": "x".repeat(390 * 1024)}}}});
        let requests: Vec<_> = (0..25).map(large).collect();
        world.ok("BatchWriteItem", json!({"RequestItems": {"one": requests}})).await;
        let count = json!({"TableName": "one", "Select": "COUNT", "Limit": 100});
        assert_eq!(world.ok("Scan", count).await["Count"], 2);
        for id in [0, 24] {
            let get = json!({"TableName": "one", "Key": {"id": {"S": id.to_string()}}});
            assert!(world.ok("GetItem", get).await["Item"].is_object());
        }
    });
}

#[test]
fn wrong_batches_change_nothing() {
    run(async {
        let world = World::new();
        world.table("one", None).await;
        let write = |requests: Value| json!({"RequestItems": requests});
        let twice = "Provided list of item keys contains duplicates";
        world.invalid("BatchWriteItem", write(json!({"one": [put("a"), put("a")]})), twice).await;
        let both =
            json!({"PutRequest": {"Item": {"id": {"S": "a"}}}, "DeleteRequest": {"Key": {"id": {"S": "b"}}}});
        let exactly =
            "Supplied WriteRequest is invalid, must contain exactly one of PutRequest and DeleteRequest";
        world.invalid("BatchWriteItem", write(json!({"one": [put("x"), both]})), exactly).await;
        let missing = write(json!({"one": [put("a")], "zzz": [put("b")]}));
        assert_eq!(world.refused("BatchWriteItem", missing).await.0, "ResourceNotFoundException");
        let many: Vec<_> = (0..26).map(|id| put(&id.to_string())).collect();
        assert_eq!(
            world.refused("BatchWriteItem", write(json!({"one": many}))).await.0,
            "ValidationException"
        );
        assert_eq!(world.ok("Scan", json!({"TableName": "one"})).await["Count"], 0);
        let keys = json!([{"id": {"S": "a"}}, {"id": {"S": "a"}}]);
        world.invalid("BatchGetItem", write(json!({"one": {"Keys": keys}})), twice).await;
    });
}
