//! Packages in S3: `s3://bucket/key`, or its parts.

use serde_json::{Value, json};

use super::{check_properties, refused};
use crate::template::Checked;

/// The place that `property` of the resource `name` names, as Lambda's resources take it.
pub(super) fn read(name: &str, property: &str, uri: &Value) -> Checked<Value> {
    let invalid = || {
        refused(
            name,
            &format!(
                "'{property}' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter."
            ),
        )
    };
    match uri {
        Value::String(uri) => {
            let place = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
            let (bucket, key) = place.ok_or_else(invalid)?;
            Ok(match key.split_once("?versionId=") {
                Some((key, version)) => {
                    json!({ "S3Bucket": bucket, "S3Key": key, "S3ObjectVersion": version })
                }
                None => json!({ "S3Bucket": bucket, "S3Key": key }),
            })
        }
        Value::Object(place) => {
            check_properties(name, place, &["Bucket", "Key", "Version"])?;
            let mut read = json!({});
            for (field, target) in [("Bucket", "S3Bucket"), ("Key", "S3Key"), ("Version", "S3ObjectVersion")]
            {
                if let Some(value) = place.get(field) {
                    read[target] = value.clone();
                }
            }
            Ok(read)
        }
        _ => Err(invalid()),
    }
}
