//! `AWS::Lambda::LayerVersionPermission`.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-layerversionpermission.html>

use async_trait::async_trait;
use serde_json::json;

use super::has_statement;
use super::layer_version::version;
use crate::resource::{Calls, Created, Done, Kind, Wanted, property, required};
use crate::template::Object;

pub(crate) struct LayerVersionPermission;

#[async_trait]
impl Kind for LayerVersionPermission {
    fn name(&self) -> &'static str {
        "AWS::Lambda::LayerVersionPermission"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["Action", "LayerVersionArn", "OrganizationId", "Principal"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        self.properties()
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let arn = required(wanted.properties, "LayerVersionArn")?;
        let found = calls.find("lambda", "GetLayerVersionPolicy", version(arn)?).await?;
        let own = found.filter(|policy| has_statement(policy, wanted.name));
        Ok(own.map(|_| id(arn, wanted.name)).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let arn = required(wanted.properties, "LayerVersionArn")?;
        let mut input = version(arn)?;
        input["StatementId"] = json!(wanted.name);
        for field in ["Action", "OrganizationId", "Principal"] {
            input[field] = property(wanted.properties, field);
        }
        calls.call("lambda", "AddLayerVersionPermission", input).await?;
        Ok(created(&id(arn, wanted.name)))
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

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        let mut input = version(required(properties, "LayerVersionArn")?)?;
        input["StatementId"] = json!(physical.rsplit('#').next());
        calls.gone("lambda", "RemoveLayerVersionPermission", input).await
    }
}

/// `{version}#{statement}`, as AWS has it.
fn id(arn: &str, statement: &str) -> String {
    format!("{arn}#{statement}")
}

fn created(id: &str) -> Created {
    Created::new(id, json!({ "Id": id }))
}
