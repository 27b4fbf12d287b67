//! `AWS::Lambda::Url`.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-url.html>

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::resource::{Calls, Created, Done, Kind, Wanted, property, required};
use crate::template::Object;

pub(crate) struct Url;

#[async_trait]
impl Kind for Url {
    fn name(&self) -> &'static str {
        "AWS::Lambda::Url"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["AuthType", "Cors", "InvokeMode", "Qualifier", "TargetFunctionArn"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["Qualifier", "TargetFunctionArn"]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let found = calls.find("lambda", "GetFunctionUrlConfig", target(wanted.properties)?).await?;
        let arn = found.as_ref().and_then(|found| found["FunctionArn"].as_str());
        Ok(arn.map(str::to_owned).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        call(calls, "CreateFunctionUrlConfig", wanted.properties).await
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        _physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let mut properties = wanted.properties.clone();
        if old.contains_key("Cors") {
            // Without any, what was set would stay.
            properties.entry("Cors").or_insert_with(|| json!({}));
        }
        call(calls, "UpdateFunctionUrlConfig", &properties).await
    }

    async fn delete(&self, calls: &Calls<'_>, _physical: &str, properties: &Object) -> Done<()> {
        calls.gone("lambda", "DeleteFunctionUrlConfig", target(properties)?).await
    }
}

/// What the URL is of.
fn target(properties: &Object) -> Done<Value> {
    let function = required(properties, "TargetFunctionArn")?;
    Ok(match property(properties, "Qualifier") {
        Value::Null => json!({ "FunctionName": function }),
        qualifier => json!({ "FunctionName": function, "Qualifier": qualifier }),
    })
}

async fn call(calls: &Calls<'_>, operation: &str, properties: &Object) -> Done<Created> {
    let mut input = target(properties)?;
    for field in ["AuthType", "Cors", "InvokeMode"] {
        input[field] = property(properties, field);
    }
    let url = calls.call("lambda", operation, input).await?;
    let arn = url["FunctionArn"].as_str().unwrap_or_default();
    Ok(Created::new(arn, json!({ "FunctionArn": arn, "FunctionUrl": url["FunctionUrl"] })))
}
