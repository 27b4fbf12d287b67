//! `AWS::ApiGateway::Model`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Patched, SERVICE, patch, patches};
use crate::resource::{Calls, Created, Done, Kind, Wanted, document, named, property, required};
use crate::template::Object;

pub(crate) struct Model;

const PATCHED: [Patched; 1] = [("Description", "/description", "")];

#[async_trait]
impl Kind for Model {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::Model"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["ContentType", "Description", "Name", "RestApiId", "Schema"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["ContentType", "Name", "RestApiId"]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let name = name(wanted);
        let found = calls.find(SERVICE, "GetModel", place(wanted.properties, &name)?).await?;
        Ok(found.map(|_| name).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let (properties, name) = (wanted.properties, name(wanted));
        let content_type =
            properties.get("ContentType").cloned().unwrap_or_else(|| json!("application/json"));
        let input = json!({
            "restApiId": required(properties, "RestApiId")?,
            "name": name,
            "contentType": content_type,
            "description": property(properties, "Description"),
            "schema": schema(properties),
        });
        calls.call(SERVICE, "CreateModel", input).await?;
        Ok(Created::new(name, json!({})))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let new = wanted.properties;
        let mut patches = patches(old, new, &PATCHED);
        if old.get("Schema") != new.get("Schema") {
            patches.push(json!({ "op": "replace", "path": "/schema", "value": schema(new) }));
        }
        patch(calls, "UpdateModel", place(new, physical)?, patches).await?;
        Ok(Created::new(physical, json!({})))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        calls.gone(SERVICE, "DeleteModel", place(properties, physical)?).await
    }
}

/// Names of models are letters and digits.
fn name(wanted: &Wanted<'_>) -> String {
    let is_given = wanted.properties.contains_key("Name");
    let name = named(wanted, "Name");
    if is_given { name } else { name.chars().filter(char::is_ascii_alphanumeric).collect() }
}

fn place(properties: &Object, name: &str) -> Done<Value> {
    Ok(json!({ "restApiId": required(properties, "RestApiId")?, "modelName": name }))
}

/// As text; without one, everything is valid.
fn schema(properties: &Object) -> Value {
    match document(&property(properties, "Schema")) {
        Value::Null => json!("{}"),
        text => text,
    }
}
