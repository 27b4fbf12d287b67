//! `AutoPublishAlias`: every change of a function's code is a version, which the alias moves to.
//!
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html>

use serde_json::{Value, json};

use super::{Sam, hashed, refused};
use crate::template::{Checked, Object};

/// What is invoked for a function's events.
pub(super) enum Target {
    Function(String),
    Alias {
        /// The alias's logical id.
        id: String,
        /// Its name.
        name: String,
    },
}

impl Target {
    /// What operations take for it.
    pub(super) fn reference(&self) -> Value {
        match self {
            Self::Function(id) | Self::Alias { id, .. } => json!({ "Ref": id }),
        }
    }

    /// Its ARN in a text for `Fn::Sub`.
    pub(super) fn substituted(&self) -> String {
        match self {
            Self::Function(id) => format!("${{{id}.Arn}}"),
            Self::Alias { id, .. } => format!("${{{id}}}"),
        }
    }

    /// The fields of a resource that is made for `origin`, behind the alias that it names.
    pub(super) fn behind(&self, origin: &Value) -> Value {
        let mut fields = json!({});
        if let Some(condition) = origin.get("Condition") {
            fields["Condition"] = condition.clone();
        }
        if let Self::Alias { id, .. } = self {
            fields["DependsOn"] = json!([id]);
        }
        fields
    }
}

impl Sam {
    /// Adds the version and the alias of a function that is to have them.
    pub(super) fn publish(
        &mut self,
        name: &str,
        properties: &Object,
        function: &Value,
        origin: &Value,
    ) -> Checked<Target> {
        let Some(alias) = properties.get("AutoPublishAlias") else {
            return Ok(Target::Function(name.to_owned()));
        };
        let alias = alias.as_str().ok_or_else(|| {
            refused(name, "AutoPublishAlias must be a string; references are not available in Pagoda")
        })?;
        let lawful = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if alias.is_empty() || !alias.bytes().all(lawful) {
            return Err(refused(
                name,
                "AutoPublishAlias must be of letters, digits, hyphens and underscores",
            ));
        }
        let version = format!("{name}Version{}", mark(name, properties, function)?);
        let mut published = json!({ "FunctionName": { "Ref": name } });
        if let Some(description) = properties.get("VersionDescription") {
            published["Description"] = description.clone();
        }
        let mut fields = Target::Function(name.to_owned()).behind(origin);
        fields["DeletionPolicy"] =
            properties.get("VersionDeletionPolicy").cloned().unwrap_or_else(|| json!("Retain"));
        self.add(&version, "AWS::Lambda::Version", published, &fields);
        // Logical ids have letters and digits only.
        let id = format!("{name}Alias{}", alias.replace('-', "D").replace('_', "U"));
        let moved = json!({
            "Name": alias,
            "FunctionName": { "Ref": name },
            "FunctionVersion": { "Fn::GetAtt": [version, "Version"] },
        });
        self.add_beside(&id, "AWS::Lambda::Alias", moved, origin);
        self.renamed.insert(format!("{name}.Version"), version);
        self.renamed.insert(format!("{name}.Alias"), id.clone());
        Ok(Target::Alias { id, name: alias.to_owned() })
    }
}

/// What makes a version another one: the hash that the template gives, or one of what the function is.
fn mark(name: &str, properties: &Object, function: &Value) -> Checked<String> {
    if let Some(hash) = properties.get("AutoPublishCodeSha256") {
        let text = hash.as_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let text =
            text.ok_or_else(|| refused(name, "AutoPublishCodeSha256 must be a hash in hexadecimal"))?;
        return Ok(text.chars().take(10).collect());
    }
    if properties.get("AutoPublishAliasAllProperties") == Some(&json!(true)) {
        return Ok(hashed(function));
    }
    let mut parts = function["Code"].clone();
    if let Some(environment) = function.get("Environment").and_then(Value::as_object) {
        for (field, value) in environment {
            parts[field] = value.clone();
        }
    }
    if let Some(memory) = function.get("MemorySize") {
        parts["MemorySize"] = memory.clone();
    }
    // Versions are what snapshots are made of.
    if let Some(snap_start) = function.get("SnapStart").filter(|one| one["ApplyOn"] == "PublishedVersions") {
        parts["SnapStart"] = snap_start.clone();
    }
    Ok(hashed(&parts))
}
