//! Events of types `Schedule`, `EventBridgeRule` and `CloudWatchEvent`: a rule, and its permission to invoke.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventbridgerule.html>

use serde_json::{Value, json};

use super::alias::Target;
use super::{Sam, check_properties, refused};
use crate::template::{Checked, Object};

const SCHEDULE: &str = "Schedule";

/// Whether an event of this type is a rule.
pub(super) fn is_rule(kind: &str) -> bool {
    matches!(kind, SCHEDULE | "EventBridgeRule" | "CloudWatchEvent")
}

impl Sam {
    /// Takes in an event that is a rule.
    pub(super) fn rule(
        &mut self,
        function: &str,
        target: &Target,
        (event, kind): (&str, &str),
        properties: &Object,
        origin: &Value,
    ) -> Checked<()> {
        let id = format!("{function}{event}");
        let rule = match kind {
            SCHEDULE => scheduled(function, event, properties)?,
            _ => patterned(function, event, kind, properties)?,
        };
        let mut rule = without_nulls(rule);
        let named = properties.get("Target").and_then(|target| target.get("Id")).cloned();
        let mut told =
            json!({ "Arn": arn(target), "Id": named.unwrap_or_else(|| json!(format!("{id}LambdaTarget"))) });
        for field in ["Input", "InputPath", "InputTransformer", "RetryPolicy"] {
            if let Some(value) = properties.get(field) {
                told[field] = value.clone();
            }
        }
        rule["Targets"] = json!([told]);
        self.add_beside(&id, "AWS::Events::Rule", rule, origin);
        let permission = json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": target.reference(),
            "Principal": "events.amazonaws.com",
            "SourceArn": { "Fn::GetAtt": [id, "Arn"] },
        });
        self.add_beside(format!("{id}Permission"), "AWS::Lambda::Permission", permission, origin);
        Ok(())
    }
}

fn scheduled(function: &str, event: &str, properties: &Object) -> Checked<Value> {
    let known = ["Schedule", "Input", "Name", "Description", "Enabled", "State", "RetryPolicy"];
    check_properties(function, properties, &known)?;
    if !properties.contains_key("Schedule") {
        return Err(refused(
            function,
            &format!("Event with id [{event}] is invalid. Missing required property 'Schedule'."),
        ));
    }
    Ok(json!({
        "ScheduleExpression": properties.get("Schedule"),
        "Name": properties.get("Name"),
        "Description": properties.get("Description"),
        "State": state(function, event, properties)?,
    }))
}

fn patterned(function: &str, event: &str, kind: &str, properties: &Object) -> Checked<Value> {
    let mut known = vec![
        "Pattern",
        "EventBusName",
        "Input",
        "InputPath",
        "State",
        "Target",
        "RetryPolicy",
        "InputTransformer",
    ];
    known.push(if kind == "CloudWatchEvent" { "Enabled" } else { "RuleName" });
    check_properties(function, properties, &known)?;
    if let Some(Value::Object(target)) = properties.get("Target") {
        check_properties(function, target, &["Id"])?;
    }
    if !properties.contains_key("Pattern") {
        return Err(refused(
            function,
            &format!("Event with id [{event}] is invalid. Missing required property 'Pattern'."),
        ));
    }
    Ok(json!({
        "EventPattern": properties.get("Pattern"),
        "EventBusName": properties.get("EventBusName"),
        "Name": properties.get("RuleName"),
        "State": state(function, event, properties)?,
    }))
}

fn state(function: &str, event: &str, properties: &Object) -> Checked<Value> {
    match (properties.get("Enabled"), properties.get("State")) {
        (Some(_), Some(_)) => {
            let what = format!(
                "Event with id [{event}] is invalid. State and Enabled Properties cannot both be specified."
            );
            Err(refused(function, &what))
        }
        (Some(Value::Bool(is_enabled)), None) => Ok(json!(if *is_enabled { "ENABLED" } else { "DISABLED" })),
        (Some(_), None) => {
            Err(refused(function, &format!("Event with id [{event}]: Enabled must be true or false")))
        }
        (None, state) => Ok(state.cloned().unwrap_or_default()),
    }
}

fn arn(target: &Target) -> Value {
    match target {
        Target::Function(id) => json!({ "Fn::GetAtt": [id, "Arn"] }),
        Target::Alias { .. } => target.reference(),
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sam::{TRANSFORM, transform};

    #[test]
    fn rules_are_made_for_events() {
        let function = json!({ "Type": "AWS::Serverless::Function", "Properties": {
            "Runtime": "python3.12", "Handler": "a.b", "CodeUri": "s3://b/k", "Events": {
                "Tick": { "Type": "Schedule", "Properties": { "Schedule": "rate(1 minute)", "Enabled": false, "Input": "{}" } },
                "Seen": { "Type": "EventBridgeRule", "Properties": { "Pattern": { "source": ["s"] }, "EventBusName": "own" } },
            },
        } });
        let made = transform(&json!({ "Transform": TRANSFORM, "Resources": { "F": function } })).unwrap();
        for (resource, pointer, expected) in [
            ("FTick", "/Type", json!("AWS::Events::Rule")),
            ("FTick", "/Properties/ScheduleExpression", json!("rate(1 minute)")),
            ("FTick", "/Properties/State", json!("DISABLED")),
            ("FTick", "/Properties/Targets/0/Id", json!("FTickLambdaTarget")),
            ("FTick", "/Properties/Targets/0/Input", json!("{}")),
            ("FTickPermission", "/Properties/Principal", json!("events.amazonaws.com")),
            ("FTickPermission", "/Properties/SourceArn", json!({ "Fn::GetAtt": ["FTick", "Arn"] })),
            ("FSeen", "/Properties/EventPattern", json!({ "source": ["s"] })),
            ("FSeen", "/Properties/EventBusName", json!("own")),
        ] {
            let found = made["Resources"][resource].pointer(pointer);
            assert_eq!(found, Some(&expected), "{resource}{pointer}");
        }
    }

    #[test]
    fn an_enabled_rule_is_a_state() {
        let check = |properties: Value, expected: Option<Value>| {
            let found = state("F", "E", properties.as_object().unwrap()).ok();
            assert_eq!(found, expected, "{properties}");
        };
        check(json!({}), Some(Value::Null));
        check(json!({ "Enabled": false }), Some(json!("DISABLED")));
        check(json!({ "State": "ENABLED" }), Some(json!("ENABLED")));
        check(json!({ "Enabled": true, "State": "ENABLED" }), None);
        check(json!({ "Enabled": "yes" }), None);
    }
}
