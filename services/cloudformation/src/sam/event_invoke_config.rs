//! `EventInvokeConfig`: what becomes of asynchronous invocations, and what the function's role needs for it.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventinvokeconfiguration.html>

use serde_json::{Value, json};

use super::alias::Target;
use super::{Sam, check_properties, refused};
use crate::template::{Checked, Object, object};

/// Inline policies: their names and documents.
type Policies = Vec<(String, Value)>;

/// Reads the property: what the resource has, and what the role must allow.
pub(super) fn read(name: &str, properties: &Object) -> Checked<(Option<Value>, Policies)> {
    let mut policies = Policies::new();
    let Some(config) = properties.get("EventInvokeConfig") else { return Ok((None, policies)) };
    let config = object(config, "EventInvokeConfig must be a map")?;
    check_properties(
        name,
        config,
        &["DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"],
    )?;
    let mut read = Value::Object(config.clone());
    if let Some(destinations) = config.get("DestinationConfig") {
        let destinations = object(destinations, "DestinationConfig must be a map")?;
        check_properties(name, destinations, &["OnFailure", "OnSuccess"])?;
        for (which, place) in destinations {
            let (destination, policy) = destination(name, which, place)?;
            read["DestinationConfig"][which] = json!({ "Destination": destination });
            policies.extend(policy);
        }
    }
    Ok((Some(read), policies))
}

/// The ARN of a destination, and the policy for it where its type is told.
fn destination(name: &str, which: &str, place: &Value) -> Checked<(Value, Option<(String, Value)>)> {
    let place = object(place, "A destination must be a map")?;
    check_properties(name, place, &["Destination", "Type"])?;
    let kind = place.get("Type").map(|kind| kind.as_str().unwrap_or_default());
    let unavailable = |kind: &str| {
        refused(name, &format!("EventInvokeConfig: a destination of type {kind} is not available in Pagoda"))
    };
    if let Some(kind @ ("SQS" | "SNS" | "EventBridge")) = kind {
        return Err(unavailable(kind));
    }
    let arn = place.get("Destination").ok_or_else(|| {
        refused(name, &format!("'Destination' is required in {which} of 'EventInvokeConfig'"))
    })?;
    let statement = match kind {
        None => return Ok((arn.clone(), None)),
        Some("Lambda") => json!({ "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn }),
        Some("S3" | "S3Bucket") => json!({
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:ListBucket"],
            "Resource": [arn, { "Fn::Sub": ["${Bucket}/*", { "Bucket": arn }] }],
        }),
        Some(other) => return Err(unavailable(other)),
    };
    let policy = format!("{name}EventInvokeConfig{which}{}Policy", kind.unwrap_or_default());
    Ok((arn.clone(), Some((policy, json!({ "Statement": [statement] })))))
}

impl Sam {
    pub(super) fn event_invoke_config(
        &mut self,
        name: &str,
        mut config: Value,
        target: &Target,
        origin: &Value,
    ) {
        config["FunctionName"] = json!({ "Ref": name });
        config["Qualifier"] = json!(match target {
            Target::Function(_) => "$LATEST",
            Target::Alias { name, .. } => name,
        });
        let fields = target.behind(origin);
        self.add(format!("{name}EventInvokeConfig"), "AWS::Lambda::EventInvokeConfig", config, &fields);
    }
}
