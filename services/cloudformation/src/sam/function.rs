//! `AWS::Serverless::Function` becomes a function, its role, and the permissions of its events.

use serde_json::{Value, json};

use super::event_invoke_config;
use super::globals::Globals;
use super::policy::Policies;
use super::{Sam, check_properties, location, refused, source_event};
use crate::template::{Checked, Object};

/// Properties that go to the function as they are.
const PASSED: [&str; 15] = [
    "Architectures",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FunctionName",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "ReservedConcurrentExecutions",
    "RuntimeManagementConfig",
    "SnapStart",
    "Timeout",
    "VpcConfig",
];
/// Properties that this transform acts on.
const ACTED_ON: [&str; 21] = [
    "AssumeRolePolicyDocument",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "CodeUri",
    "EventInvokeConfig",
    "Events",
    "FunctionUrlConfig",
    "InlineCode",
    "PackageType",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "Role",
    "RoleName",
    "RolePath",
    "Runtime",
    "Tags",
    "Tracing",
    "VersionDeletionPolicy",
    "VersionDescription",
];

impl Sam {
    pub(crate) fn function(&mut self, name: &str, resource: &Value) -> Checked<()> {
        let properties = Globals::under(&self.globals.function, resource)?;
        let known: Vec<&str> = PASSED.iter().chain(&ACTED_ON).copied().collect();
        check_properties(name, &properties, &known)?;
        let (asynchronous, destinations) = event_invoke_config::read(name, &properties)?;
        let mut function = json!({ "Code": code(name, &properties)? });
        for field in PASSED.iter().chain(&["Runtime", "PackageType"]) {
            if let Some(value) = properties.get(*field) {
                function[*field] = value.clone();
            }
        }
        if let Some(mode) = properties.get("Tracing").filter(|mode| *mode != "Disabled") {
            function["TracingConfig"] = json!({ "Mode": mode });
        }
        function["Tags"] = tags(properties.get("Tags"));
        function["Role"] = match properties.get("Role") {
            Some(role) => role.clone(),
            None => {
                self.role(name, &properties, destinations, resource)?;
                json!({ "Fn::GetAtt": [format!("{name}Role"), "Arn"] })
            }
        };
        let target = self.publish(name, &properties, &function, resource)?;
        self.add(name, "AWS::Lambda::Function", function, resource);
        if let Some(asynchronous) = asynchronous {
            self.event_invoke_config(name, asynchronous, &target, resource);
        }
        if let Some(config) = properties.get("FunctionUrlConfig") {
            self.function_url(name, config, &target, resource)?;
        }
        for (event, value) in properties.get("Events").and_then(Value::as_object).into_iter().flatten() {
            self.event(name, &target, event, value, resource)?;
        }
        Ok(())
    }

    /// The role, with inline policies that come beside those of `Policies`: their names and documents.
    fn role(
        &mut self,
        name: &str,
        properties: &Object,
        more: Vec<(String, Value)>,
        resource: &Value,
    ) -> Checked<()> {
        let policies = Policies::read(name, properties.get("Policies"))?;
        let mut managed = vec![json!("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")];
        let (followed, documents) = source_event::role(name, properties);
        managed.extend(followed.into_iter().filter(|policy| !policies.managed.contains(policy)));
        managed.extend(policies.managed);
        managed.dedup();
        let trust = properties.get("AssumeRolePolicyDocument").cloned().unwrap_or_else(|| {
            json!({
                "Version": "2012-10-17",
                "Statement": [{ "Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": { "Service": ["lambda.amazonaws.com"] } }],
            })
        });
        let mut role = json!({
            "AssumeRolePolicyDocument": trust,
            "ManagedPolicyArns": managed,
            "Tags": tags(properties.get("Tags").filter(|_| properties.get("PropagateTags") == Some(&json!(true)))),
        });
        let given = policies.documents.into_iter().enumerate();
        let inline: Vec<Value> = given
            .map(|(index, document)| (format!("{name}RolePolicy{index}"), document))
            .chain(more)
            .chain(documents)
            .map(|(name, document)| json!({ "PolicyName": name, "PolicyDocument": versioned(document) }))
            .collect();
        if !inline.is_empty() {
            role["Policies"] = json!(inline);
        }
        for (field, target) in
            [("PermissionsBoundary", "PermissionsBoundary"), ("RoleName", "RoleName"), ("RolePath", "Path")]
        {
            if let Some(value) = properties.get(field) {
                role[target] = value.clone();
            }
        }
        self.add_beside(format!("{name}Role"), "AWS::IAM::Role", role, resource);
        Ok(())
    }
}

/// The tags that SAM sets, and the given ones.
fn tags(given: Option<&Value>) -> Value {
    let given = given.and_then(Value::as_object).into_iter().flatten();
    let own = ("lambda:createdBy".to_owned(), json!("SAM"));
    let tags = [(&own.0, &own.1)].into_iter().chain(given);
    tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// Code in the template itself, or `CodeUri` as packaged.
fn code(name: &str, properties: &Object) -> Checked<Value> {
    match (properties.get("CodeUri"), properties.get("InlineCode")) {
        (_, Some(code)) => Ok(json!({ "ZipFile": code })),
        (Some(uri), None) => location::read(name, "CodeUri", uri),
        (None, None) => Err(refused(name, "Missing required property 'CodeUri'.")),
    }
}

fn versioned(mut document: Value) -> Value {
    if document.get("Version").is_none() {
        document["Version"] = json!("2012-10-17");
    }
    document
}
