//! `AWS::ApiGateway::RequestValidator`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Patched, SERVICE, patches};
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
        let input = json!({ "restApiId": required(wanted.properties, "RestApiId")?, "limit": 500 });
        let all =
            calls.list(SERVICE, "GetRequestValidators", input, ["items", "position", "position"]).await?;
        let name = named(wanted, "Name");
        let same = |one: &&Value| one["name"] == name.as_str();
        Ok(all.iter().filter(same).filter_map(|one| one["id"].as_str()).map(str::to_owned).collect())
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
        let patches = patches(old, wanted.properties, &PATCHED);
        if !patches.is_empty() {
            let mut input = place(wanted.properties, physical)?;
            input["patchOperations"] = Value::Array(patches);
            calls.call(SERVICE, "UpdateRequestValidator", input).await?;
        }
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
