//! awsJson: requests to DynamoDB.

use super::{Target, texts};
use crate::world::request;

pub(crate) const TARGET: Target = Target {
    name: "json",
    seeds: || {
        texts(&[
            "POST /\nx-amz-target: DynamoDB_20120810.PutItem\n\n{\"TableName\": \"table\", \"Item\": {\"id\": \
             {\"S\": \"a\"}, \"n\": {\"N\": \"-1.5e3\"}, \"b\": {\"B\": \"AAE=\"}, \"l\": {\"L\": [{\"NULL\": \
             true}, {\"BOOL\": false}]}, \"m\": {\"M\": {\"x\": {\"SS\": [\"a\", \"b\"]}}}}}",
            "POST /\nx-amz-target: DynamoDB_20120810.BatchWriteItem\n\n{\"RequestItems\": {\"table\": \
             [{\"PutRequest\": {\"Item\": {\"id\": {\"S\": \"b\"}, \"ns\": {\"NS\": [\"1\", \"2\"]}}}}]}}",
            "POST /\nx-amz-target: DynamoDB_20120810.Scan\n\n{\"TableName\": \"table\", \"Limit\": 3, \
             \"Segment\": 0, \"TotalSegments\": 2}",
            "POST /\nx-amz-target: DynamoDB_20120810.CreateTable\n\n{\"TableName\": \"other\", \
             \"BillingMode\": \"PAY_PER_REQUEST\", \"KeySchema\": [{\"AttributeName\": \"id\", \"KeyType\": \
             \"HASH\"}], \"AttributeDefinitions\": [{\"AttributeName\": \"id\", \"AttributeType\": \"N\"}]}",
        ])
    },
    words: &[
        "\"S\"",
        "\"N\"",
        "\"M\"",
        "\"L\"",
        "{\"L\": [",
        "{\"M\": {\"a\": ",
        "\"TableName\"",
        ": ",
        ", ",
        "}",
    ],
    run: |world, input| {
        Box::pin(async move {
            let (parts, body) = request(input).ok_or("no request")?;
            world.ask("dynamodb", parts, body).await
        })
    },
};
