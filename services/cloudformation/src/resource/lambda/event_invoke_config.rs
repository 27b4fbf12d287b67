//! `AWS::Lambda::EventInvokeConfig`.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventinvokeconfig.html>

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::resource::{Calls, Created, Done, Failure, Kind, Wanted, required};
use crate::template::Object;

pub(crate) struct EventInvokeConfig;

#[async_trait]
impl Kind for EventInvokeConfig {
    fn name(&self) -> &'static str {
        "AWS::Lambda::EventInvokeConfig"
    }

    fn properties(&self) -> &'static [&'static str] {
        &[
            "DestinationConfig",
            "FunctionName",
            "MaximumEventAgeInSeconds",
            "MaximumRetryAttempts",
            "Qualifier",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["FunctionName", "Qualifier"]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let input = target(wanted.properties)?;
        let found = calls.find("lambda", "GetFunctionEventInvokeConfig", input).await?;
        found.map(|_| id(wanted.properties)).into_iter().collect()
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        // Putting over what is there is no error for Lambda, but it would be somebody else's resource here.
        if !self.present(calls, wanted).await?.is_empty() {
            return Err(Failure(format!("{} already exists", id(wanted.properties)?)));
        }
        put(calls, wanted.properties).await
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        _physical: &str,
        _old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        put(calls, wanted.properties).await
    }

    async fn delete(&self, calls: &Calls<'_>, _physical: &str, properties: &Object) -> Done<()> {
        calls.gone("lambda", "DeleteFunctionEventInvokeConfig", target(properties)?).await
    }
}

/// What the configuration is of.
fn target(properties: &Object) -> Done<Value> {
    let (function, qualifier) = (required(properties, "FunctionName")?, required(properties, "Qualifier")?);
    Ok(json!({ "FunctionName": function, "Qualifier": qualifier }))
}

fn id(properties: &Object) -> Done<String> {
    Ok(format!("{}|{}", required(properties, "FunctionName")?, required(properties, "Qualifier")?))
}

async fn put(calls: &Calls<'_>, properties: &Object) -> Done<Created> {
    let input = Value::Object(properties.clone());
    calls.call("lambda", "PutFunctionEventInvokeConfig", input).await?;
    Ok(Created::new(id(properties)?, json!({})))
}
