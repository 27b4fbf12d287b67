//! SAM's policy templates: those that are about services of the platform, and queues and topics.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html>

use serde_json::{Value, json};

use super::refused;
use crate::template::{Checked, Object, object};

/// A policy template: the parameters that it takes, and what it allows on what they name.
struct Template {
    name: &'static str,
    parameters: &'static [&'static str],
    service: &'static str,
    statements: &'static [Statement],
}

/// Resources, behind the part of an ARN that the service has in common, and actions of the service.
type Statement = (&'static [&'static str], &'static [&'static str]);

const TABLE: &[&str] = &["table/${TableName}"];
const TABLE_AND_INDEXES: &[&str] = &["table/${TableName}", "table/${TableName}/index/*"];
const BACKUPS: &[&str] = &["table/${TableName}/backup/*"];
const BUCKET: &[&str] = &["${BucketName}", "${BucketName}/*"];

#[rustfmt::skip] // a table reads better with a line for each statement
const TEMPLATES: &[Template] = &[
    Template { name: "CloudFormationDescribeStacksPolicy", parameters: &[], service: "cloudformation", statements: &[
        (&["stack/*"], &["DescribeStacks"]),
    ] },
    Template { name: "DynamoDBBackupFullAccessPolicy", parameters: &["TableName"], service: "dynamodb", statements: &[
        (TABLE, &["CreateBackup", "DescribeContinuousBackups"]),
        (BACKUPS, &["DeleteBackup", "DescribeBackup", "ListBackups"]),
    ] },
    Template { name: "DynamoDBCrudPolicy", parameters: &["TableName"], service: "dynamodb", statements: &[
        (TABLE_AND_INDEXES, &["GetItem", "DeleteItem", "PutItem", "Scan", "Query", "UpdateItem", "BatchWriteItem", "BatchGetItem", "DescribeTable", "ConditionCheckItem"]),
    ] },
    Template { name: "DynamoDBReadPolicy", parameters: &["TableName"], service: "dynamodb", statements: &[
        (TABLE_AND_INDEXES, &["GetItem", "Scan", "Query", "BatchGetItem", "DescribeTable"]),
    ] },
    Template { name: "DynamoDBReconfigurePolicy", parameters: &["TableName"], service: "dynamodb", statements: &[
        (TABLE, &["UpdateTable"]),
    ] },
    Template { name: "DynamoDBRestoreFromBackupPolicy", parameters: &["TableName"], service: "dynamodb", statements: &[
        (BACKUPS, &["RestoreTableFromBackup"]),
        (TABLE, &["PutItem", "UpdateItem", "DeleteItem", "GetItem", "Query", "Scan", "BatchWriteItem"]),
    ] },
    Template { name: "DynamoDBStreamReadPolicy", parameters: &["TableName", "StreamName"], service: "dynamodb", statements: &[
        (&["table/${TableName}/stream/${StreamName}"], &["DescribeStream", "GetRecords", "GetShardIterator"]),
        (&["table/${TableName}/stream/*"], &["ListStreams"]),
    ] },
    Template { name: "DynamoDBWritePolicy", parameters: &["TableName"], service: "dynamodb", statements: &[
        (TABLE_AND_INDEXES, &["PutItem", "UpdateItem", "BatchWriteItem"]),
    ] },
    Template { name: "FilterLogEventsPolicy", parameters: &["LogGroupName"], service: "logs", statements: &[
        (&["log-group:${LogGroupName}:log-stream:*"], &["FilterLogEvents"]),
    ] },
    Template { name: "LambdaInvokePolicy", parameters: &["FunctionName"], service: "lambda", statements: &[
        (&["function:${FunctionName}*"], &["InvokeFunction"]),
    ] },
    Template { name: "S3CrudPolicy", parameters: &["BucketName"], service: "s3", statements: &[
        (BUCKET, &["GetObject", "ListBucket", "GetBucketLocation", "GetObjectVersion", "PutObject", "PutObjectAcl", "GetLifecycleConfiguration", "PutLifecycleConfiguration", "DeleteObject"]),
    ] },
    Template { name: "S3FullAccessPolicy", parameters: &["BucketName"], service: "s3", statements: &[
        (&["${BucketName}/*"], &["GetObject", "GetObjectAcl", "GetObjectVersion", "PutObject", "PutObjectAcl", "DeleteObject", "DeleteObjectTagging", "DeleteObjectVersionTagging", "GetObjectTagging", "GetObjectVersionTagging", "PutObjectTagging", "PutObjectVersionTagging"]),
        (&["${BucketName}"], &["ListBucket", "GetBucketLocation", "GetLifecycleConfiguration", "PutLifecycleConfiguration"]),
    ] },
    Template { name: "S3ReadPolicy", parameters: &["BucketName"], service: "s3", statements: &[
        (BUCKET, &["GetObject", "ListBucket", "GetBucketLocation", "GetObjectVersion", "GetLifecycleConfiguration"]),
    ] },
    Template { name: "S3WritePolicy", parameters: &["BucketName"], service: "s3", statements: &[
        (BUCKET, &["PutObject", "PutObjectAcl", "PutLifecycleConfiguration"]),
    ] },
    Template { name: "SNSPublishMessagePolicy", parameters: &["TopicName"], service: "sns", statements: &[
        (&["${TopicName}"], &["Publish"]),
    ] },
    Template { name: "SQSPollerPolicy", parameters: &["QueueName"], service: "sqs", statements: &[
        (&["${QueueName}"], &["ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage", "DeleteMessageBatch", "GetQueueAttributes", "ReceiveMessage"]),
    ] },
    Template { name: "SQSSendMessagePolicy", parameters: &["QueueName"], service: "sqs", statements: &[
        (&["${QueueName}"], &["SendMessage*"]),
    ] },
];

/// The document that a policy template of the function `function` stands for.
pub(super) fn document(function: &str, name: &str, parameters: &Value) -> Checked<Value> {
    let template = TEMPLATES.iter().find(|template| template.name == name);
    let template = template.ok_or_else(|| {
        refused(function, &format!("the policy template {name} is unknown, or not available in Pagoda"))
    })?;
    let given = object(parameters, &format!("Parameters of the policy template {name} must be a map"))?;
    let unlike =
        || refused(function, &format!("Must specify valid parameter values for policy template '{name}'"));
    let expected = template.parameters.iter().map(|name| (*name).to_owned());
    let values: Object = expected
        .map(|name| given.get(&name).cloned().map(|value| (name, value)))
        .collect::<Option<_>>()
        .ok_or_else(unlike)?;
    if given.len() != values.len() {
        return Err(unlike());
    }
    let statements = template.statements.iter().map(|statement| allow(template.service, statement, &values));
    Ok(json!({ "Statement": statements.collect::<Vec<_>>() }))
}

fn allow(service: &str, (resources, actions): &Statement, values: &Object) -> Value {
    let place = match service {
        "s3" => "arn:${AWS::Partition}:s3:::".to_owned(),
        _ => format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:"),
    };
    let resource = |path: &&str| json!({ "Fn::Sub": [format!("{place}{path}"), values] });
    let actions: Value = actions.iter().map(|action| json!(format!("{service}:{action}"))).collect();
    let resources: Value = resources.iter().map(resource).collect();
    json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_takes_exactly_its_parameters() {
        for (name, parameters, statements) in [
            ("S3FullAccessPolicy", json!({ "BucketName": "b" }), Some(2)),
            ("CloudFormationDescribeStacksPolicy", json!({}), Some(1)),
            ("DynamoDBStreamReadPolicy", json!({ "TableName": "t", "StreamName": "s" }), Some(2)),
            ("DynamoDBStreamReadPolicy", json!({ "TableName": "t" }), None),
            ("S3ReadPolicy", json!({ "BucketName": "b", "Colour": "red" }), None),
            ("S3ReadPolicy", json!("b"), None),
            ("NoSuchPolicy", json!({}), None),
        ] {
            let made = document("F", name, &parameters).ok();
            let made = made.map(|document| document["Statement"].as_array().map_or(0, Vec::len));
            assert_eq!(made, statements, "{name} {parameters}");
        }
    }
}
