//! A function's `Policies`: names of managed policies, documents, and SAM's policy templates.

use serde_json::{Value, json};

use super::{policy_template, refused};
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
                Value::Object(fields) if fields.keys().any(|key| key == "Ref" || key.starts_with("Fn::")) => {
                    policies.managed.push(entry.clone());
                }
                Value::Object(templates) => {
                    for (template, parameters) in templates {
                        policies.documents.push(policy_template::document(name, template, parameters)?);
                    }
                }
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
