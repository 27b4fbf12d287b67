//! Events of tables and buckets: a mapping that follows a table's stream, or a bucket's notification with S3's
//! permission to invoke.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-dynamodb.html>
//! and <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-s3.html>

use serde_json::{Value, json};

use super::alias::Target;
use super::{Sam, check_properties, refused};
use crate::template::{Checked, Object};

/// What the role of a function that follows a table may do.
const FOLLOWER: &str = "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole";

const DYNAMODB: [&str; 14] = [
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Stream",
    "TumblingWindowInSeconds",
];

/// What a bucket is to tell.
pub(super) struct Notification {
    function: String,
    bucket: String,
    /// The logical id of S3's permission.
    permission: String,
    condition: Option<Value>,
    configurations: Vec<Value>,
}

/// What the role of a function with these events gets: managed policies, and documents by name.
pub(super) fn role(function: &str, properties: &Object) -> (Vec<Value>, Vec<(String, Value)>) {
    let events = properties.get("Events").and_then(Value::as_object).into_iter().flatten();
    let followed: Vec<_> = events.filter(|(_, event)| kind(event) == "DynamoDB").collect();
    let managed = followed.first().map(|_| json!(FOLLOWER)).into_iter().collect();
    let policy = |(name, event): (&String, &Value)| {
        let place = event.pointer("/Properties/DestinationConfig/OnFailure")?;
        let kind = place.get("Type").and_then(Value::as_str).filter(|kind| kind.starts_with("S3"))?;
        let arn = place.get("Destination")?;
        let statement = json!({
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:ListBucket"],
            "Resource": [arn, { "Fn::Sub": ["${Bucket}/*", { "Bucket": arn }] }],
        });
        Some((format!("{function}{name}{kind}Policy"), json!({ "Statement": [statement] })))
    };
    (managed, followed.into_iter().filter_map(policy).collect())
}

fn kind(event: &Value) -> &str {
    event.get("Type").and_then(Value::as_str).unwrap_or_default()
}

impl Sam {
    /// Takes in an event of a table.
    pub(super) fn follow(
        &mut self,
        function: &str,
        target: &Target,
        event: &str,
        properties: &Object,
        origin: &Value,
    ) -> Checked<()> {
        check_properties(function, properties, &DYNAMODB)?;
        let mut mapping = properties.clone();
        for required in ["Stream", "StartingPosition"] {
            if !mapping.contains_key(required) {
                return Err(refused(
                    function,
                    &format!("Event with id [{event}] is invalid. Missing required property '{required}'."),
                ));
            }
        }
        if let Some(stream) = mapping.remove("Stream") {
            mapping.insert("EventSourceArn".into(), stream);
        }
        if let Some(place) =
            mapping.get_mut("DestinationConfig").and_then(|config| config.get_mut("OnFailure"))
        {
            let kind = place.get("Type").and_then(Value::as_str).unwrap_or("S3");
            if !kind.starts_with("S3") {
                return Err(refused(
                    function,
                    &format!(
                        "Event with id [{event}]: a destination of type {kind} is not available in Pagoda"
                    ),
                ));
            }
            *place = json!({ "Destination": place.get("Destination") });
        }
        mapping.insert("FunctionName".into(), target.reference());
        let mapping = Value::Object(mapping);
        self.add_beside(format!("{function}{event}"), "AWS::Lambda::EventSourceMapping", mapping, origin);
        Ok(())
    }

    /// Takes in an event of a bucket.
    pub(super) fn notified(
        &mut self,
        function: &str,
        target: &Target,
        event: &str,
        properties: &Object,
        origin: &Value,
    ) -> Checked<()> {
        check_properties(function, properties, &["Bucket", "Events", "Filter"])?;
        let invalid = |what: &str| refused(function, &format!("Event with id [{event}] is invalid. {what}"));
        let bucket = properties.get("Bucket").and_then(|bucket| bucket.get("Ref")).and_then(Value::as_str);
        let bucket =
            bucket.ok_or_else(|| invalid("Bucket must be a reference to a bucket of the template"))?;
        let events = match properties.get("Events") {
            Some(Value::Array(events)) => events.clone(),
            Some(one) => vec![one.clone()],
            None => return Err(invalid("Missing required property 'Events'.")),
        };
        let invoked = match target {
            Target::Function(id) => json!({ "Fn::GetAtt": [id, "Arn"] }),
            Target::Alias { .. } => target.reference(),
        };
        let configuration = |event: Value| {
            let mut configuration = json!({ "Event": event, "Function": invoked });
            if let Some(filter) = properties.get("Filter") {
                configuration["Filter"] = filter.clone();
            }
            configuration
        };
        let permission = format!("{function}{event}Permission");
        let allowed = json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": target.reference(),
            "Principal": "s3.amazonaws.com",
            "SourceAccount": { "Ref": "AWS::AccountId" },
        });
        self.add_beside(&permission, "AWS::Lambda::Permission", allowed, origin);
        self.notifications.push(Notification {
            function: function.to_owned(),
            bucket: bucket.to_owned(),
            permission,
            condition: origin.get("Condition").cloned(),
            configurations: events.into_iter().map(configuration).collect(),
        });
        Ok(())
    }

    /// Puts the notifications into their buckets, each behind the permission that S3 needs for it.
    pub(super) fn notify(&mut self) -> Checked<()> {
        for notification in std::mem::take(&mut self.notifications) {
            let bucket = self.resources.get_mut(&notification.bucket);
            let bucket = bucket.filter(|bucket| bucket["Type"] == "AWS::S3::Bucket").ok_or_else(|| {
                let what =
                    format!("the bucket {} is no AWS::S3::Bucket of the template", notification.bucket);
                refused(&notification.function, &what)
            })?;
            put(bucket, notification);
        }
        Ok(())
    }
}

fn put(bucket: &mut Value, notification: Notification) {
    let Notification { permission, condition, configurations, .. } = notification;
    if let Some(depends @ Value::String(_)) = bucket.get_mut("DependsOn") {
        *depends = json!([depends.take()]);
    }
    match &condition {
        None => append(&mut bucket["DependsOn"], json!(permission)),
        // Nothing can depend on what may not be there: the reference makes the order.
        Some(condition) => {
            let value = json!({ "Fn::If": [condition, { "Ref": permission }, "no dependency"] });
            let tag = json!({ "Key": format!("sam:ConditionalDependsOn:{permission}"), "Value": value });
            append(&mut bucket["Properties"]["Tags"], tag);
        }
    }
    for configuration in configurations {
        let configuration = match &condition {
            None => configuration,
            Some(condition) => json!({ "Fn::If": [condition, configuration, { "Ref": "AWS::NoValue" }] }),
        };
        append(&mut bucket["Properties"]["NotificationConfiguration"]["LambdaConfigurations"], configuration);
    }
}

/// Adds to a list, which begins where there is none.
fn append(list: &mut Value, value: Value) {
    match list {
        Value::Array(items) => items.push(value),
        other => *other = json!([value]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::sam::{TRANSFORM, transform};

    fn function(events: Value) -> Value {
        let properties =
            json!({ "CodeUri": "s3://b/k", "Handler": "a.h", "Runtime": "python3.12", "Events": events });
        json!({ "Type": "AWS::Serverless::Function", "Properties": properties })
    }

    fn made(resources: Value) -> Result<Value, String> {
        let template = json!({ "Transform": TRANSFORM, "Resources": resources });
        transform(&template).map(|mut template| template["Resources"].take()).map_err(|invalid| invalid.0)
    }

    #[test]
    fn a_table_is_followed() {
        let stream = json!({ "Fn::GetAtt": ["T", "StreamArn"] });
        let properties = json!({
            "Stream": stream, "StartingPosition": "LATEST", "BatchSize": 5,
            "DestinationConfig": { "OnFailure": { "Type": "S3Bucket", "Destination": "arn:aws:s3:::b" } },
        });
        let event = json!({ "E": { "Type": "DynamoDB", "Properties": properties } });
        let made = made(json!({ "F": function(event) })).unwrap();
        let expected = json!({
            "StartingPosition": "LATEST", "BatchSize": 5, "EventSourceArn": stream, "FunctionName": { "Ref": "F" },
            "DestinationConfig": { "OnFailure": { "Destination": "arn:aws:s3:::b" } },
        });
        assert_eq!(made["FE"]["Type"], "AWS::Lambda::EventSourceMapping");
        assert_eq!(made["FE"]["Properties"], expected);
        let role = &made["FRole"]["Properties"];
        assert_eq!(role["ManagedPolicyArns"][1], super::FOLLOWER);
        assert_eq!(role["Policies"][0]["PolicyName"], "FES3BucketPolicy");
    }

    #[test]
    fn a_bucket_notifies_behind_its_permission() {
        let filter = json!({ "S3Key": { "Rules": [{ "Name": "suffix", "Value": ".png" }] } });
        let events = json!(["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]);
        let event = |events: Value| json!({ "Type": "S3", "Properties": { "Bucket": { "Ref": "B" }, "Events": events, "Filter": filter } });
        let mut conditional = function(json!({ "E": event(json!("s3:ObjectTagging:*")) }));
        conditional["Condition"] = json!("C");
        let made = made(json!({
            "B": { "Type": "AWS::S3::Bucket", "DependsOn": "X" },
            "F": function(json!({ "E": event(events) })),
            "G": conditional,
        }))
        .unwrap();
        let bucket = &made["B"];
        assert_eq!(bucket["DependsOn"], json!(["X", "FEPermission"]));
        let told = &bucket["Properties"]["NotificationConfiguration"]["LambdaConfigurations"];
        let of_f = json!({ "Event": "s3:ObjectRemoved:*", "Function": { "Fn::GetAtt": ["F", "Arn"] }, "Filter": filter });
        assert_eq!((told.as_array().unwrap().len(), &told[1]), (3, &of_f));
        assert_eq!(told[2]["Fn::If"][0], "C");
        assert_eq!(bucket["Properties"]["Tags"][0]["Key"], "sam:ConditionalDependsOn:GEPermission");
        let permission = json!({
            "Action": "lambda:InvokeFunction", "FunctionName": { "Ref": "F" }, "Principal": "s3.amazonaws.com",
            "SourceAccount": { "Ref": "AWS::AccountId" },
        });
        assert_eq!(made["FEPermission"]["Properties"], permission);
        assert_eq!(made["GEPermission"]["Condition"], "C");
    }

    #[test]
    fn what_nothing_acts_on_is_refused_by_name() {
        let one = |kind: &str, properties: Value| json!({ "F": function(json!({ "E": { "Type": kind, "Properties": properties } })) });
        let to_queue = json!({ "OnFailure": { "Type": "SQS", "Destination": "arn" } });
        let rows = [
            (one("DynamoDB", json!({ "StartingPosition": "LATEST" })), "Stream"),
            (one("DynamoDB", json!({ "Stream": "arn" })), "StartingPosition"),
            (
                one(
                    "DynamoDB",
                    json!({ "Stream": "arn", "StartingPosition": "LATEST", "DestinationConfig": to_queue }),
                ),
                "SQS",
            ),
            (
                one("DynamoDB", json!({ "Stream": "arn", "StartingPosition": "LATEST", "KmsKeyArn": "k" })),
                "KmsKeyArn",
            ),
            (one("S3", json!({ "Bucket": "b", "Events": "s3:ObjectCreated:*" })), "Bucket"),
            (
                one("S3", json!({ "Bucket": { "Ref": "B" }, "Events": "s3:ObjectCreated:*" })),
                "B is no AWS::S3::Bucket",
            ),
            (one("S3", json!({ "Bucket": { "Ref": "B" } })), "Events"),
            (one("SQS", json!({ "Queue": "q" })), "SQS"),
        ];
        for (resources, named) in rows {
            let refused = made(resources).unwrap_err();
            assert!(refused.contains(named), "{named}: {refused}");
        }
    }
}
