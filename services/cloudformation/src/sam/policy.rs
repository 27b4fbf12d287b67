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

/// A policy template: the parameter that it takes, and what it allows on what that names.
struct Template {
    name: &'static str,
    parameter: &'static str,
    service: &'static str,
    resources: &'static [&'static str],
    actions: &'static [&'static str],
}

const TABLE: &[&str] = &["table/${Name}", "table/${Name}/index/*"];
const BUCKET: &[&str] = &["${Name}", "${Name}/*"];

#[rustfmt::skip] // a table reads better with a line for each template
const TEMPLATES: &[Template] = &[
    Template { name: "DynamoDBCrudPolicy", parameter: "TableName", service: "dynamodb", resources: TABLE, actions: &["GetItem", "DeleteItem", "PutItem", "Scan", "Query", "UpdateItem", "BatchWriteItem", "BatchGetItem", "DescribeTable", "ConditionCheckItem"] },
    Template { name: "DynamoDBReadPolicy", parameter: "TableName", service: "dynamodb", resources: TABLE, actions: &["GetItem", "Scan", "Query", "BatchGetItem", "DescribeTable"] },
    Template { name: "DynamoDBWritePolicy", parameter: "TableName", service: "dynamodb", resources: TABLE, actions: &["PutItem", "UpdateItem", "BatchWriteItem"] },
    Template { name: "S3CrudPolicy", parameter: "BucketName", service: "s3", resources: BUCKET, actions: &["GetObject", "ListBucket", "GetBucketLocation", "GetObjectVersion", "PutObject", "PutObjectAcl", "GetLifecycleConfiguration", "PutLifecycleConfiguration", "DeleteObject"] },
    Template { name: "S3ReadPolicy", parameter: "BucketName", service: "s3", resources: BUCKET, actions: &["GetObject", "ListBucket", "GetBucketLocation", "GetObjectVersion", "GetLifecycleConfiguration"] },
    Template { name: "S3WritePolicy", parameter: "BucketName", service: "s3", resources: BUCKET, actions: &["PutObject", "PutObjectAcl", "PutLifecycleConfiguration"] },
    Template { name: "LambdaInvokePolicy", parameter: "FunctionName", service: "lambda", resources: &["function:${Name}*"], actions: &["InvokeFunction"] },
    Template { name: "SQSPollerPolicy", parameter: "QueueName", service: "sqs", resources: &["${Name}"], actions: &["ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "DeleteMessage", "DeleteMessageBatch", "GetQueueAttributes", "ReceiveMessage"] },
    Template { name: "SQSSendMessagePolicy", parameter: "QueueName", service: "sqs", resources: &["${Name}"], actions: &["SendMessage*"] },
    Template { name: "SNSPublishMessagePolicy", parameter: "TopicName", service: "sns", resources: &["${Name}"], actions: &["Publish"] },
];

/// The document of a policy template.
fn document(function: &str, name: &str, parameters: &Value) -> Checked<Value> {
    let template = TEMPLATES.iter().find(|template| template.name == name);
    let template = template.ok_or_else(|| {
        refused(function, &format!("the policy template {name} is unknown, or not available in Pagoda"))
    })?;
    let value = parameters.get(template.parameter).ok_or_else(|| {
        refused(function, &format!("Must specify valid parameter values for policy template '{name}'"))
    })?;
    let service = template.service;
    let place = match service {
        "s3" => "arn:${AWS::Partition}:s3:::".to_owned(),
        _ => format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:"),
    };
    let resource = |path: &&str| json!({ "Fn::Sub": [format!("{place}{path}"), { "Name": value }] });
    let actions: Value = template.actions.iter().map(|action| json!(format!("{service}:{action}"))).collect();
    let resources: Value = template.resources.iter().map(resource).collect();
    Ok(json!({ "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": resources }] }))
}
