//! `AWS::Lambda::Alias`.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-alias.html>

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::resource::{Calls, Created, Done, Kind, Wanted, items, required};
use crate::template::Object;

pub(crate) struct Alias;

#[async_trait]
impl Kind for Alias {
    fn name(&self) -> &'static str {
        "AWS::Lambda::Alias"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["Description", "FunctionName", "FunctionVersion", "Name", "RoutingConfig"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["FunctionName", "Name"]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let found = calls.find("lambda", "GetAlias", place(wanted.properties)?).await?;
        let arn = found.as_ref().and_then(|found| found["AliasArn"].as_str());
        Ok(arn.map(str::to_owned).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        call(calls, "CreateAlias", wanted.properties).await
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        _physical: &str,
        _old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        call(calls, "UpdateAlias", wanted.properties).await
    }

    async fn delete(&self, calls: &Calls<'_>, _physical: &str, properties: &Object) -> Done<()> {
        calls.gone("lambda", "DeleteAlias", place(properties)?).await
    }
}

/// What names the alias.
fn place(properties: &Object) -> Done<Value> {
    let (function, name) = (required(properties, "FunctionName")?, required(properties, "Name")?);
    Ok(json!({ "FunctionName": function, "Name": name }))
}

/// Sets all that an alias has: what the properties do not say goes back to nothing.
async fn call(calls: &Calls<'_>, operation: &str, properties: &Object) -> Done<Created> {
    let mut input = place(properties)?;
    input["FunctionVersion"] = json!(required(properties, "FunctionVersion")?);
    input["Description"] = properties.get("Description").cloned().unwrap_or_else(|| json!(""));
    input["RoutingConfig"] = json!({ "AdditionalVersionWeights": weights(properties) });
    let alias = calls.call("lambda", operation, input).await?;
    let arn = alias["AliasArn"].as_str().unwrap_or_default();
    Ok(Created::new(arn, json!({ "AliasArn": arn })))
}

/// Weights by version: the property has a list, the operation takes a map.
fn weights(properties: &Object) -> Object {
    let routing = properties.get("RoutingConfig").and_then(Value::as_object);
    let listed = routing.map_or(&[][..], |routing| items(routing, "AdditionalVersionWeights"));
    let weight =
        |one: &Value| Some((one["FunctionVersion"].as_str()?.to_owned(), one["FunctionWeight"].clone()));
    listed.iter().filter_map(weight).collect()
}
