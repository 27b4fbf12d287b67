//! `AWS::Serverless::LayerVersion`: a layer whose every change is a version with a name of its own.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-layerversion.html>

use serde_json::{Value, json};

use super::globals::Globals;
use super::{Sam, check_properties, hashed, location, refused};
use crate::template::{Checked, Object};

/// Properties that go to the version as they are.
const PASSED: [&str; 5] =
    ["CompatibleArchitectures", "CompatibleRuntimes", "Description", "LayerName", "LicenseInfo"];

impl Sam {
    pub(crate) fn layer_version(&mut self, name: &str, resource: &Value) -> Checked<()> {
        let properties = Globals::under(&Object::new(), resource)?;
        let known: Vec<&str> = PASSED.iter().chain(&["ContentUri", "RetentionPolicy"]).copied().collect();
        check_properties(name, &properties, &known)?;
        let uri = properties.get("ContentUri");
        let uri = uri.ok_or_else(|| refused(name, "Missing required property 'ContentUri'."))?;
        let mut version = json!({ "LayerName": name, "Content": location::read(name, "ContentUri", uri)? });
        for field in PASSED {
            if let Some(value) = properties.get(field) {
                version[field] = value.clone();
            }
        }
        let described = json!({ "Type": "AWS::Serverless::LayerVersion", "Properties": properties });
        let id = format!("{name}{}", hashed(&json!({ name: described })));
        let mut fields = resource.clone();
        fields["DeletionPolicy"] = json!(retention(name, &properties)?);
        self.add(&id, "AWS::Lambda::LayerVersion", version, &fields);
        self.renamed.insert(name.to_owned(), id);
        Ok(())
    }
}

/// What becomes of a version whose successor is there: it stays, unless the template wants otherwise.
fn retention(name: &str, properties: &Object) -> Checked<&'static str> {
    let Some(policy) = properties.get("RetentionPolicy") else { return Ok("Retain") };
    match policy.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("retain") => Ok("Retain"),
        Some("delete") => Ok("Delete"),
        _ => Err(refused(name, "'RetentionPolicy' must be one of the following options: Retain, Delete.")),
    }
}
