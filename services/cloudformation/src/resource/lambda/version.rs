//! `AWS::Lambda::Version`. It is there when it can be invoked: a snapshot, where it has one, is taken.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html>

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::resource::{Calls, Created, Done, Failure, Kind, Wanted, property, required};
use crate::template::Object;

/// How often a version that is being made is looked at.
const PERIOD: Duration = Duration::from_millis(50);
/// How often at most: ten minutes.
const LOOKS_MAX: usize = 12_000;

pub(crate) struct Version;

#[async_trait]
impl Kind for Version {
    fn name(&self) -> &'static str {
        "AWS::Lambda::Version"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["CodeSha256", "Description", "FunctionName"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        self.properties()
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let input = json!({ "FunctionName": required(wanted.properties, "FunctionName")? });
        let pages = ["Versions", "NextMarker", "Marker"];
        let all = calls.list("lambda", "ListVersionsByFunction", input, pages).await?;
        let published = all.iter().filter(|one| one["Version"] != "$LATEST");
        Ok(published.filter_map(|one| one["FunctionArn"].as_str()).map(str::to_owned).collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let function = required(wanted.properties, "FunctionName")?;
        // Publishing what is published already gives the version that is there: somebody else's.
        let others = self.present(calls, wanted).await?;
        let input = Value::Object(wanted.properties.clone());
        let version = calls.call("lambda", "PublishVersion", input).await?;
        let arn = version["FunctionArn"].as_str().unwrap_or_default();
        let number = version["Version"].as_str().unwrap_or_default();
        if others.iter().any(|other| other == arn) {
            return Err(Failure(format!(
                "A version for this Lambda function exists ( {number} ). Modify the function to create a new version."
            )));
        }
        active(calls, function, number).await?;
        Ok(created(arn))
    }

    async fn update(
        &self,
        _calls: &Calls<'_>,
        physical: &str,
        _old: &Object,
        _wanted: &Wanted<'_>,
    ) -> Done<Created> {
        Ok(created(physical))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone("lambda", "DeleteFunction", json!({ "FunctionName": physical })).await
    }
}

fn created(arn: &str) -> Created {
    let number = arn.rsplit(':').next().unwrap_or_default();
    Created::new(arn, json!({ "FunctionArn": arn, "Version": number }))
}

/// Waits until the version can be invoked.
async fn active(calls: &Calls<'_>, function: &str, number: &str) -> Done<()> {
    for _ in 0..LOOKS_MAX {
        let input = json!({ "FunctionName": function, "Qualifier": number });
        let seen = calls.call("lambda", "GetFunctionConfiguration", input).await?;
        match seen["State"].as_str() {
            Some("Pending") => tokio::time::sleep(PERIOD).await,
            Some("Failed") => {
                let reason = property(seen.as_object().unwrap_or(&Object::new()), "StateReason");
                let reason = reason.as_str().unwrap_or_default();
                return Err(Failure(format!("Version {number} of {function} failed: {reason}")));
            }
            _ => return Ok(()),
        }
    }
    Err(Failure(format!("Version {number} of {function} did not become Active in time")))
}
