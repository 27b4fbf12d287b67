//! `AWS::ApiGateway::RequestValidator`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Patched, SERVICE, called, patch, patches};
use crate::resource::{Calls, Created, Done, Kind, Wanted, lower_camel, named, required};
use crate::template::Object;

pub(crate) struct RequestValidator;

const PATCHED: [Patched; 2] = [
    ("ValidateRequestBody", "/validateRequestBody", "false"),
    ("ValidateRequestParameters", "/validateRequestParameters", "false"),
];

#[async_trait]
impl Kind for RequestValidator {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::RequestValidator"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["Name", "RestApiId", "ValidateRequestBody", "ValidateRequestParameters"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["Name", "RestApiId"]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        called(calls, "GetRequestValidators", wanted.properties, Some(&named(wanted, "Name"))).await
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let mut input = lower_camel(&Value::Object(wanted.properties.clone()));
        input["name"] = json!(named(wanted, "Name"));
        let validator = calls.call(SERVICE, "CreateRequestValidator", input).await?;
        Ok(made(validator["id"].as_str().unwrap_or_default()))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let place = place(wanted.properties, physical)?;
        patch(calls, "UpdateRequestValidator", place, patches(old, wanted.properties, &PATCHED)).await?;
        Ok(made(physical))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        calls.gone(SERVICE, "DeleteRequestValidator", place(properties, physical)?).await
    }
}

fn place(properties: &Object, id: &str) -> Done<Value> {
    Ok(json!({ "restApiId": required(properties, "RestApiId")?, "requestValidatorId": id }))
}

fn made(id: &str) -> Created {
    Created::new(id, json!({ "RequestValidatorId": id }))
}
