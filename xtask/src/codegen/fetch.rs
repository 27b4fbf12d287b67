//! `--fetch`: takes the pinned botocore from PyPI and keeps the interface facts of its models.
//!
//! Invariants: no documentation text of the models is kept; the kept files have one operation or shape a
//! line, so that a change of the pin can be reviewed.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use serde_json::{Map, Value};
use zip::ZipArchive;

use crate::Outcome;

/// The version of botocore that models/ comes from.
const BOTOCORE: &str = "1.44.5";

/// What is kept of metadata, operations, references and shapes. All else is prose, or is for clients.
const METADATA: [&str; 9] = [
    "apiVersion",
    "endpointPrefix",
    "jsonVersion",
    "protocols",
    "serviceFullName",
    "serviceId",
    "signingName",
    "targetPrefix",
    "xmlNamespace",
];
const OPERATION: [&str; 6] = ["http", "input", "output", "errors", "deprecated", "httpChecksum"];
const REFERENCE: [&str; 10] = [
    "shape",
    "location",
    "locationName",
    "flattened",
    "streaming",
    "xmlAttribute",
    "xmlNamespace",
    "timestampFormat",
    "resultWrapper",
    "idempotencyToken",
];
const SHAPE: [&str; 24] = [
    "type",
    "required",
    "payload",
    "min",
    "max",
    "pattern",
    "enum",
    "flattened",
    "streaming",
    "sensitive",
    "union",
    "document",
    "eventstream",
    "event",
    "exception",
    "fault",
    "error",
    "timestampFormat",
    "locationName",
    "xmlNamespace",
    "member",
    "key",
    "value",
    "members",
];

/// Writes models/ for `services`.
pub(crate) fn models(root: &Path, services: &[&str]) -> Outcome {
    let mut wheel = ZipArchive::new(File::open(download(root)?)?)?;
    for service in services {
        let reduced = reduced(&newest_model(&mut wheel, service)?);
        fs::write(root.join(format!("models/{service}.json")), lines(&reduced)?)?;
    }
    Ok(())
}

fn download(root: &Path) -> Outcome<PathBuf> {
    let folder = root.join("target/models");
    let wheel = folder.join(format!("botocore-{BOTOCORE}-py3-none-any.whl"));
    if !wheel.exists() {
        fs::create_dir_all(&folder)?;
        let pinned = format!("botocore=={BOTOCORE}");
        let pip = ["-m", "pip", "download", "--quiet", "--no-deps", &pinned, "--dest"];
        let status = Command::new("python3").args(pip).arg(&folder).status()?;
        if !status.success() {
            return Err(format!("pip could not download {pinned}: {status}").into());
        }
    }
    Ok(wheel)
}

fn newest_model(wheel: &mut ZipArchive<File>, service: &str) -> Outcome<Value> {
    let prefix = format!("botocore/data/{service}/");
    let versions = wheel.file_names().filter(|n| n.starts_with(&prefix) && n.ends_with("/service-2.json.gz"));
    let newest = versions.max().ok_or_else(|| format!("botocore has no model of {service}"))?.to_owned();
    let mut text = String::new();
    GzDecoder::new(wheel.by_name(&newest)?).read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

fn reduced(model: &Value) -> Value {
    let each = |part: &str, reduce: fn(&Value) -> Value| {
        let entries = model[part].as_object().into_iter().flatten();
        entries.map(|(name, value)| (name.clone(), reduce(value))).collect::<Map<_, _>>()
    };
    let mut reduced = Map::new();
    reduced.insert("metadata".into(), kept(&model["metadata"], &METADATA));
    reduced.insert("operations".into(), each("operations", operation).into());
    reduced.insert("shapes".into(), each("shapes", shape).into());
    reduced.into()
}

fn operation(operation: &Value) -> Value {
    let mut operation = kept(operation, &OPERATION);
    for part in ["input", "output"] {
        if let Some(value) = operation.get_mut(part) {
            *value = kept(value, &REFERENCE);
        }
    }
    for error in operation.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten() {
        *error = kept(error, &REFERENCE);
    }
    operation
}

fn shape(shape: &Value) -> Value {
    let mut shape = kept(shape, &SHAPE);
    for part in ["member", "key", "value"] {
        if let Some(value) = shape.get_mut(part) {
            *value = kept(value, &REFERENCE);
        }
    }
    for (_, member) in shape.get_mut("members").and_then(Value::as_object_mut).into_iter().flatten() {
        *member = kept(member, &REFERENCE);
    }
    shape
}

fn kept(value: &Value, keys: &[&str]) -> Value {
    let entries = value.as_object().into_iter().flatten();
    entries.filter(|(key, _)| keys.contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn lines(model: &Value) -> Outcome<Vec<u8>> {
    let mut text = Vec::new();
    writeln!(text, "{{\n\"metadata\":{},", model["metadata"])?;
    for (part, end) in [("operations", "},"), ("shapes", "}")] {
        writeln!(text, "\"{part}\":{{")?;
        let entries: Vec<_> = model[part].as_object().into_iter().flatten().collect();
        for (place, (name, value)) in entries.iter().enumerate() {
            let comma = if place + 1 < entries.len() { "," } else { "" };
            writeln!(text, "{}:{value}{comma}", Value::from(name.as_str()))?;
        }
        writeln!(text, "{end}")?;
    }
    writeln!(text, "}}")?;
    Ok(text)
}
