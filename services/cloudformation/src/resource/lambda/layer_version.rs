//! `AWS::Lambda::LayerVersion`. Every change is a new version.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-layerversion.html>

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::resource::{Calls, Created, Done, Failure, Kind, Wanted, named};
use crate::template::Object;

pub(crate) struct LayerVersion;

#[async_trait]
impl Kind for LayerVersion {
    fn name(&self) -> &'static str {
        "AWS::Lambda::LayerVersion"
    }

    fn properties(&self) -> &'static [&'static str] {
        &[
            "CompatibleArchitectures",
            "CompatibleRuntimes",
            "Content",
            "Description",
            "LayerName",
            "LicenseInfo",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        self.properties()
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let input = json!({ "LayerName": named(wanted, "LayerName") });
        let pages = ["LayerVersions", "NextMarker", "Marker"];
        let all = calls.list("lambda", "ListLayerVersions", input, pages).await?;
        Ok(all.iter().filter_map(|one| one["LayerVersionArn"].as_str()).map(str::to_owned).collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let mut input = Value::Object(wanted.properties.clone());
        input["LayerName"] = json!(named(wanted, "LayerName"));
        let layer = calls.call("lambda", "PublishLayerVersion", input).await?;
        Ok(created(layer["LayerVersionArn"].as_str().unwrap_or_default()))
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
        calls.gone("lambda", "DeleteLayerVersion", version(physical)?).await
    }
}

fn created(arn: &str) -> Created {
    Created::new(arn, json!({ "LayerVersionArn": arn }))
}

/// The layer and the number in a version's ARN, as operations take them.
pub(super) fn version(arn: &str) -> Done<Value> {
    let parts = arn.rsplit_once(':').and_then(|(layer, number)| Some((layer, number.parse::<i64>().ok()?)));
    let (layer, number) = parts.ok_or_else(|| Failure(format!("Invalid layer version ARN: {arn}")))?;
    Ok(json!({ "LayerName": layer, "VersionNumber": number }))
}
