//! Tables and their tags.

use serde_json::{Value, json};

use crate::world::{World, run};

fn create(changes: Value) -> Value {
    let mut input = json!({
        "TableName": "orders", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

#[test]
fn a_table_is_made_described_listed_and_deleted() {
    run(async {
        let world = World::new();
        let made = world.ok("CreateTable", create(json!({}))).await;
        let table = &made["TableDescription"];
        assert_eq!(table["TableStatus"], "ACTIVE");
        assert_eq!(table["TableArn"], "arn:aws:dynamodb:us-east-1:123456789012:table/orders");
        assert_eq!(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
        let described = world.ok("DescribeTable", json!({"TableName": "orders"})).await;
        assert_eq!(&described["Table"], table);
        let by_arn = world.ok("DescribeTable", json!({"TableName": table["TableArn"]})).await;
        assert_eq!(&by_arn["Table"], table);
        assert_eq!(
            world.refused("CreateTable", create(json!({}))).await,
            ("ResourceInUseException".into(), "Table already exists: orders".into())
        );
        world.table("archive", None).await;
        let listed = world.ok("ListTables", json!({"Limit": 1})).await;
        assert_eq!(listed, json!({"TableNames": ["archive"], "LastEvaluatedTableName": "archive"}));
        let rest = world.ok("ListTables", json!({"ExclusiveStartTableName": "archive"})).await;
        assert_eq!(rest, json!({"TableNames": ["orders"]}));
        let deleted = world.ok("DeleteTable", json!({"TableName": "orders"})).await;
        assert_eq!(deleted["TableDescription"]["TableStatus"], "DELETING");
        let gone = (
            "ResourceNotFoundException".to_owned(),
            "Requested resource not found: Table: orders not found".to_owned(),
        );
        assert_eq!(world.refused("DescribeTable", json!({"TableName": "orders"})).await, gone);
        assert_eq!(world.refused("DeleteTable", json!({"TableName": "orders"})).await, gone);
    });
}

#[test]
fn a_table_made_anew_is_empty() {
    run(async {
        let world = World::new();
        let key = json!({"TableName": "items", "Key": {"id": {"S": "a"}}});
        let put = json!({"TableName": "items", "Item": {"id": {"S": "a"}}});
        world.table("items", None).await;
        world.ok("PutItem", put.clone()).await;
        world.ok("DeleteTable", json!({"TableName": "items"})).await;
        for (operation, input) in [("GetItem", key.clone()), ("PutItem", put)] {
            let refused = world.refused(operation, input).await;
            assert_eq!(refused, ("ResourceNotFoundException".into(), "Requested resource not found".into()));
        }
        world.table("items", None).await;
        assert_eq!(world.ok("GetItem", key).await, json!({}));
        assert_eq!(world.ok("Scan", json!({"TableName": "items"})).await["Count"], 0);
    });
}

#[test]
fn wrong_tables_are_refused() {
    run(async {
        let world = World::new();
        let invalid = "One or more parameter values were invalid: ";
        let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
        let definition = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
        for (changes, message) in [
            (
                json!({"KeySchema": [key("id", "RANGE")]}),
                "Invalid KeySchema: The first KeySchemaElement is not a HASH key type".to_owned(),
            ),
            (
                json!({"KeySchema": [key("id", "HASH"), key("x", "HASH")]}),
                "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type".into(),
            ),
            (
                json!({"KeySchema": [key("id", "HASH"), key("id", "RANGE")]}),
                "Both the Hash Key and the Range Key element in the KeySchema have the same name".into(),
            ),
            (
                json!({"AttributeDefinitions": [definition("x")]}),
                format!(
                    "{invalid}Some index key attributes are not defined in AttributeDefinitions. Keys: [id], \
                     AttributeDefinitions: [x]"
                ),
            ),
            (
                json!({"AttributeDefinitions": [definition("id"), definition("x")]}),
                format!(
                    "{invalid}Number of attributes in KeySchema does not exactly match number of attributes defined in \
                     AttributeDefinitions"
                ),
            ),
            (
                json!({"BillingMode": "PROVISIONED"}),
                format!(
                    "{invalid}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is \
                     PROVISIONED"
                ),
            ),
            (
                json!({"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}),
                format!(
                    "{invalid}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is \
                     PAY_PER_REQUEST"
                ),
            ),
            (
                json!({"TableName": "a"}),
                "TableName must be at least 3 characters long and at most 255 characters long".into(),
            ),
        ] {
            world.invalid("CreateTable", create(changes), &message).await;
        }
        assert_eq!(
            world.refused("CreateTable", create(json!({"TableName": "a/b"}))).await.0,
            "ValidationException"
        );
    });
}

#[test]
fn what_does_not_act_is_refused_by_name() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        for (operation, member, value) in [
            ("CreateTable", "GlobalSecondaryIndexes", json!([])),
            ("UpdateTable", "GlobalSecondaryIndexUpdates", json!([])),
            ("UpdateTable", "ReplicaUpdates", json!([])),
            ("CreateTable", "SSESpecification", json!({})),
            ("CreateTable", "TableClass", json!("STANDARD")),
            ("Query", "KeyConditions", json!({})),
            ("Scan", "ScanFilter", json!({})),
            ("GetItem", "AttributesToGet", json!(["id"])),
            ("UpdateItem", "AttributeUpdates", json!({})),
            ("PutItem", "Expected", json!({})),
        ] {
            let error =
                world.call(operation, json!({"TableName": "items", (member): value})).await.unwrap_err();
            assert_eq!(error.status, 501, "{operation} {member}");
            assert!(error.message.contains(member), "{}", error.message);
        }
    });
}

#[test]
fn what_acts_can_be_updated() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        let update = |mut changes: Value| {
            changes["TableName"] = json!("items");
            changes
        };
        assert_eq!(world.refused("UpdateTable", update(json!({}))).await.0, "ValidationException");
        let provisioned = json!({
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 3},
        });
        let table = world.ok("UpdateTable", update(provisioned.clone())).await["TableDescription"].take();
        assert_eq!(table["ProvisionedThroughput"]["WriteCapacityUnits"], 3);
        assert_eq!(world.refused("UpdateTable", update(provisioned)).await.0, "ValidationException");
        let mode = json!({"BillingMode": "PROVISIONED"});
        assert_eq!(world.refused("UpdateTable", update(mode)).await.0, "ValidationException");
        world.advance(60);
        let mode = json!({"BillingMode": "PAY_PER_REQUEST", "DeletionProtectionEnabled": true});
        let table = world.ok("UpdateTable", update(mode)).await["TableDescription"].take();
        let summary = &table["BillingModeSummary"];
        assert_ne!(summary["LastUpdateToPayPerRequestDateTime"], table["CreationDateTime"]);
        assert_eq!(world.refused("DeleteTable", update(json!({}))).await.0, "ValidationException");
        world.ok("UpdateTable", update(json!({"DeletionProtectionEnabled": false}))).await;
        world.ok("DeleteTable", update(json!({}))).await;
        let gone = world.refused("UpdateTable", update(json!({"DeletionProtectionEnabled": true}))).await.0;
        assert_eq!(gone, "ResourceNotFoundException");
    });
}

#[test]
fn a_protected_table_stays() {
    run(async {
        let world = World::new();
        let made = world.ok("CreateTable", create(json!({"DeletionProtectionEnabled": true}))).await;
        assert_eq!(made["TableDescription"]["DeletionProtectionEnabled"], true);
        let message = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion \
                       protection first.";
        world.invalid("DeleteTable", json!({"TableName": "orders"}), message).await;
    });
}

#[test]
fn tags_are_kept_with_the_table() {
    run(async {
        let world = World::new();
        let made = world.ok("CreateTable", create(json!({"Tags": [{"Key": "team", "Value": "a"}]}))).await;
        let arn = &made["TableDescription"]["TableArn"];
        world.ok("PutItem", json!({"TableName": "orders", "Item": {"id": {"S": "a"}}})).await;
        let tags: Vec<_> = (0..12).map(|n| json!({"Key": format!("k{n:02}"), "Value": ""})).collect();
        world.ok("TagResource", json!({"ResourceArn": arn, "Tags": tags})).await;
        world.ok("UntagResource", json!({"ResourceArn": arn, "TagKeys": ["k00", "unknown"]})).await;
        let first = world.ok("ListTagsOfResource", json!({"ResourceArn": arn})).await;
        assert_eq!(first["Tags"].as_array().unwrap().len(), 10);
        let next = json!({"ResourceArn": arn, "NextToken": first["NextToken"]});
        let second = world.ok("ListTagsOfResource", next).await;
        let expected = json!({"Tags": [{"Key": "k11", "Value": ""}, {"Key": "team", "Value": "a"}]});
        assert_eq!(second, expected);
        // The table was remembered as it was before: writes still find it.
        world.ok("PutItem", json!({"TableName": "orders", "Item": {"id": {"S": "b"}}})).await;
        let many: Vec<_> = (0..51).map(|n| json!({"Key": format!("m{n}"), "Value": ""})).collect();
        let refused = world.refused("TagResource", json!({"ResourceArn": arn, "Tags": many})).await;
        assert_eq!(refused.0, "ValidationException");
    });
}

#[test]
fn items_are_counted_in_the_background() {
    run(async {
        let world = World::new();
        world.table("items", None).await;
        for id in ["a", "b", "c"] {
            world.ok("PutItem", json!({"TableName": "items", "Item": {"id": {"S": id}}})).await;
        }
        let mut background = pagoda_service::Background::default();
        world.dynamodb.run(&mut background);
        let counted = async {
            loop {
                let table = world.ok("DescribeTable", json!({"TableName": "items"})).await["Table"].take();
                if table["ItemCount"] == 3 {
                    return table;
                }
                tokio::task::yield_now().await;
            }
        };
        let table = tokio::time::timeout(std::time::Duration::from_secs(20), counted).await.unwrap();
        assert_eq!(table["TableSizeBytes"], 9);
        background.stop().await;
    });
}
