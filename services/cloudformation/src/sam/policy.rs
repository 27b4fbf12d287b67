//! A function's `Policies`: names of managed policies, documents, and SAM's policy templates.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html>

use serde_json::{Value, json};

use super::refused;
use crate::template::Checked;

/// Managed policies that a bare name may mean, with the path of their ARNs.
const SERVICE_ROLES: [&str; 6] = [
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaKinesisExecutionRole",
    "AWSLambdaRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
];

/// What a function's role gets.
#[derive(Default)]
pub(crate) struct Policies {
    pub(crate) managed: Vec<Value>,
    pub(crate) documents: Vec<Value>,
}

impl Policies {
    /// Reads the property of the function `name`.
    pub(crate) fn read(name: &str, property: Option<&Value>) -> Checked<Self> {
        let entries = match property {
            None => &[][..],
            Some(Value::Array(entries)) => entries,
            Some(one) => std::slice::from_ref(one),
        };
        let mut policies = Self::default();
        for entry in entries {
            match entry {
                Value::String(text) => policies.managed.push(json!(arn(text))),
                Value::Object(fields) if fields.contains_key("Statement") => {
                    policies.documents.push(entry.clone())
                }
                Value::Object(fields) => match fields.iter().next() {
                    Some((function, _)) if function == "Ref" || function.starts_with("Fn::") => {
                        policies.managed.push(entry.clone());
                    }
                    Some((template, parameters)) => {
                        policies.documents.push(document(name, template, parameters)?)
                    }
                    None => {}
                },
                _ => return Err(refused(name, "Policies must be names, documents or policy templates")),
            }
        }
        Ok(policies)
    }
}

/// The ARN of a managed policy given by name.
fn arn(text: &str) -> String {
    if text.starts_with("arn:") {
        return text.to_owned();
    }
    let path = if SERVICE_ROLES.contains(&text) { "service-role/" } else { "" };
    format!("arn:aws:iam::aws:policy/{path}{text}")
}

const TABLE: &[&str] = &["table/${Name}", "table/${Name}/index/*"];

/// The document of a policy template.
fn document(function: &str, template: &str, parameters: &Value) -> Checked<Value> {
    let (parameter, service, resources, actions): (&str, &str, &[&str], &[&str]) = match template {
        "DynamoDBCrudPolicy" => (
            "TableName",
            "dynamodb",
            TABLE,
            &[
                "GetItem",
                "DeleteItem",
                "PutItem",
                "Scan",
                "Query",
                "UpdateItem",
                "BatchWriteItem",
                "BatchGetItem",
                "DescribeTable",
                "ConditionCheckItem",
            ],
        ),
        "DynamoDBReadPolicy" => {
            ("TableName", "dynamodb", TABLE, &["GetItem", "Scan", "Query", "BatchGetItem", "DescribeTable"])
        }
        "DynamoDBWritePolicy" => {
            ("TableName", "dynamodb", TABLE, &["PutItem", "UpdateItem", "BatchWriteItem"])
        }
        "S3CrudPolicy" => (
            "BucketName",
            "s3",
            &["${Name}", "${Name}/*"],
            &[
                "GetObject",
                "ListBucket",
                "GetBucketLocation",
                "GetObjectVersion",
                "PutObject",
                "PutObjectAcl",
                "GetLifecycleConfiguration",
                "PutLifecycleConfiguration",
                "DeleteObject",
            ],
        ),
        "S3ReadPolicy" => (
            "BucketName",
            "s3",
            &["${Name}", "${Name}/*"],
            &[
                "GetObject",
                "ListBucket",
                "GetBucketLocation",
                "GetObjectVersion",
                "GetLifecycleConfiguration",
            ],
        ),
        "S3WritePolicy" => (
            "BucketName",
            "s3",
            &["${Name}", "${Name}/*"],
            &["PutObject", "PutObjectAcl", "PutLifecycleConfiguration"],
        ),
        "LambdaInvokePolicy" => ("FunctionName", "lambda", &["function:${Name}*"], &["InvokeFunction"]),
        "SQSPollerPolicy" => (
            "QueueName",
            "sqs",
            &["${Name}"],
            &[
                "ChangeMessageVisibility",
                "ChangeMessageVisibilityBatch",
                "DeleteMessage",
                "DeleteMessageBatch",
                "GetQueueAttributes",
                "ReceiveMessage",
            ],
        ),
        "SQSSendMessagePolicy" => ("QueueName", "sqs", &["${Name}"], &["SendMessage*"]),
        "SNSPublishMessagePolicy" => ("TopicName", "sns", &["${Name}"], &["Publish"]),
        _ => {
            return Err(refused(
                function,
                &format!("the policy template {template} is unknown, or not available in Pagoda"),
            ));
        }
    };
    let value = parameters.get(parameter);
    let value = value.ok_or_else(|| {
        refused(function, &format!("Must specify valid parameter values for policy template '{template}'"))
    })?;
    let resource = |path: &&str| {
        let place = if service == "s3" {
            "arn:${AWS::Partition}:s3:::"
        } else {
            "arn:${AWS::Partition}:SERVICE:${AWS::Region}:${AWS::AccountId}:"
        };
        json!({ "Fn::Sub": [format!("{}{path}", place.replace("SERVICE", service)), { "Name": value }] })
    };
    let actions: Value = actions.iter().map(|action| json!(format!("{service}:{action}"))).collect();
    let resources: Value = resources.iter().map(resource).collect();
    Ok(json!({ "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": resources }] }))
}
