//! Provisioned throughput acts.

use serde_json::json;

use crate::world::{World, run};

#[test]
fn a_table_gives_what_it_was_provisioned_with() {
    run(async {
        let world = World::new();
        let create = json!({
            "TableName": "slow", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 2},
        });
        let made = world.ok("CreateTable", create).await;
        assert_eq!(made["TableDescription"]["ProvisionedThroughput"]["WriteCapacityUnits"], 2);
        // 100 units each: six use up what two units a second have saved in five minutes.
        let put =
            json!({"TableName": "slow", "Item": {"id": {"S": "a"}, "v": {"S": "x".repeat(100 * 1024 - 4)}}});
        for _ in 0..6 {
            world.ok("PutItem", put.clone()).await;
        }
        let refused = world.refused("PutItem", put.clone()).await;
        assert_eq!(refused.0, "ProvisionedThroughputExceededException");
        let get = json!({"TableName": "slow", "Key": {"id": {"S": "a"}}, "ConsistentRead": true});
        world.ok("GetItem", get).await;
        world.advance(1);
        world.ok("PutItem", put.clone()).await;
        world.advance(10);
        assert_eq!(world.refused("PutItem", put.clone()).await.0, "ProvisionedThroughputExceededException");
        world.advance(3600);
        for _ in 0..6 {
            world.ok("PutItem", put.clone()).await;
        }
        assert_eq!(world.refused("PutItem", put).await.0, "ProvisionedThroughputExceededException");
    });
}
