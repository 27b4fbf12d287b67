//! `AWS::Lambda::Function`.

use std::io::Write as _;
use std::sync::LazyLock;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use super::arn;
use crate::resource::tag::{Retag, is_marked, map};
use crate::resource::{Calls, Created, Done, Failure, Kind, RESERVED, Wanted, named, property};
use crate::template::Object;

pub(crate) struct Function;

/// What `UpdateFunctionConfiguration` changes.
const CONFIGURATION: [&str; 13] = [
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "SnapStart",
    "Timeout",
    "VpcConfig",
];
/// What only `CreateFunction` takes beside it, and `UpdateFunctionCode` or nothing changes.
const AT_CREATION: [&str; 5] =
    ["Architectures", "KmsKeyArn", "PackageType", "RuntimeManagementConfig", "TracingConfig"];
/// What an update says of a property that the template no longer has, or the old value would stay.
static DEFAULTS: LazyLock<[(&str, Value); 6]> = LazyLock::new(|| {
    [
        ("Description", json!("")),
        ("Environment", json!({ "Variables": {} })),
        ("Layers", json!([])),
        ("MemorySize", json!(128)),
        ("SnapStart", json!({ "ApplyOn": "None" })),
        ("Timeout", json!(3)),
    ]
});

#[async_trait]
impl Kind for Function {
    fn name(&self) -> &'static str {
        "AWS::Lambda::Function"
    }

    /// What the operation does not accept, it refuses by name.
    fn properties(&self) -> &'static [&'static str] {
        &[
            "Architectures",
            "Code",
            "DeadLetterConfig",
            "Description",
            "Environment",
            "EphemeralStorage",
            "FunctionName",
            "Handler",
            "KmsKeyArn",
            "Layers",
            "LoggingConfig",
            "MemorySize",
            "PackageType",
            "ReservedConcurrentExecutions",
            "Role",
            "Runtime",
            "RuntimeManagementConfig",
            "SnapStart",
            "Tags",
            "Timeout",
            "TracingConfig",
            "VpcConfig",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["FunctionName", "PackageType"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    fn check_update(&self, old: &Object, new: &Object) -> Done<()> {
        match AT_CREATION[1..].iter().find(|field| old.get(**field) != new.get(**field)) {
            Some(field) => Err(Failure(format!("Changing {field} of a function is not available in Pagoda"))),
            None => Ok(()),
        }
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let name = named(wanted, "FunctionName");
        let found = calls.find("lambda", "ListTags", json!({ "Resource": arn(calls, &name) })).await?;
        let own = found.filter(|found| is_marked(self, wanted.properties, &found["Tags"]));
        Ok(own.map(|_| name).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let (name, properties) = (named(wanted, "FunctionName"), wanted.properties);
        let mut input = json!({ "FunctionName": name, "Code": code(properties)?, "Tags": map(properties) });
        for field in CONFIGURATION.iter().chain(&AT_CREATION) {
            input[*field] = property(properties, field);
        }
        let function = calls.call("lambda", "CreateFunction", input).await?;
        reserve(calls, &name, &Object::new(), properties).await?;
        Ok(Created::new(name, json!({ "Arn": function["FunctionArn"] })))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let new = wanted.properties;
        let differs = |field: &str| old.get(field) != new.get(field);
        if CONFIGURATION.iter().any(|field| differs(field)) {
            let mut input = json!({ "FunctionName": physical });
            for field in CONFIGURATION {
                input[field] = property(new, field);
            }
            for (field, default) in DEFAULTS.iter() {
                if old.contains_key(*field) && !new.contains_key(*field) {
                    input[*field] = default.clone();
                }
            }
            calls.call("lambda", "UpdateFunctionConfiguration", input).await?;
        }
        if differs("Code") || differs("Architectures") {
            let mut input = code(new)?;
            input["FunctionName"] = json!(physical);
            input["Architectures"] = property(new, "Architectures");
            calls.call("lambda", "UpdateFunctionCode", input).await?;
        }
        reserve(calls, physical, old, new).await?;
        let arn = arn(calls, physical);
        if differs("Tags") {
            retag(calls, &arn, old, new).await?;
        }
        Ok(Created::new(physical, json!({ "Arn": arn })))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone("lambda", "DeleteFunction", json!({ "FunctionName": physical })).await
    }
}

/// Moves the reserved concurrency from `old` properties to `new` ones.
async fn reserve(calls: &Calls<'_>, name: &str, old: &Object, new: &Object) -> Done<()> {
    let field = "ReservedConcurrentExecutions";
    match (old.get(field), new.get(field)) {
        (before, Some(wanted)) if before != Some(wanted) => {
            let input = json!({ "FunctionName": name, field: wanted });
            calls.call("lambda", "PutFunctionConcurrency", input).await?;
        }
        (Some(_), None) => {
            calls.gone("lambda", "DeleteFunctionConcurrency", json!({ "FunctionName": name })).await?;
        }
        _ => {}
    }
    Ok(())
}

async fn retag(calls: &Calls<'_>, arn: &str, old: &Object, new: &Object) -> Done<()> {
    let retag = Retag {
        service: "lambda",
        operations: ["TagResource", "UntagResource"],
        of: json!({ "Resource": arn }),
        members: ["Tags", "TagKeys"],
        as_map: true,
    };
    retag.run(calls, old, new).await
}

/// The code as the operations take it. Source text in the template becomes a package with one file.
fn code(properties: &Object) -> Done<Value> {
    let code = properties.get("Code").and_then(Value::as_object);
    let code = code.ok_or_else(|| {
        Failure("Property validation failure: [Encountered missing required property Code]".into())
    })?;
    let Some(text) = code.get("ZipFile") else { return Ok(Value::Object(code.clone())) };
    let text = text.as_str().ok_or_else(|| Failure("ZipFile must be text".into()))?;
    let runtime = properties.get("Runtime").and_then(Value::as_str).unwrap_or_default();
    let name = match runtime {
        runtime if runtime.starts_with("python") => "index.py",
        runtime if runtime.starts_with("nodejs") => "index.js",
        other => {
            return Err(Failure(format!(
                "ZipFile can only be used when Runtime is set to a nodejs or python runtime, not {other}"
            )));
        }
    };
    let failed = |error: zip::result::ZipError| Failure(format!("the code could not be packaged: {error}"));
    let mut package = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    package.start_file(name, SimpleFileOptions::default().unix_permissions(0o644)).map_err(failed)?;
    package.write_all(text.as_bytes()).map_err(|error| failed(error.into()))?;
    let bytes = package.finish().map_err(failed)?.into_inner();
    Ok(json!({ "ZipFile": STANDARD.encode(bytes) }))
}
