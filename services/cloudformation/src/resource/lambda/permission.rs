//! `AWS::Lambda::Permission`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::has_statement;
use crate::resource::{Calls, Created, Done, Kind, Wanted, required};
use crate::template::Object;

pub(crate) struct Permission;

#[async_trait]
impl Kind for Permission {
    fn name(&self) -> &'static str {
        "AWS::Lambda::Permission"
    }

    fn properties(&self) -> &'static [&'static str] {
        &[
            "Action",
            "EventSourceToken",
            "FunctionName",
            "FunctionUrlAuthType",
            "InvokedViaFunctionUrl",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
            "SourceArn",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        self.properties()
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let input = json!({ "FunctionName": required(wanted.properties, "FunctionName")? });
        let found = calls.find("lambda", "GetPolicy", input).await?;
        let own = found.filter(|policy| has_statement(policy, wanted.name));
        Ok(own.map(|_| wanted.name.to_owned()).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let mut input = Value::Object(wanted.properties.clone());
        input["StatementId"] = json!(wanted.name);
        calls.call("lambda", "AddPermission", input).await?;
        Ok(Created::new(wanted.name, json!({ "Id": wanted.name })))
    }

    async fn update(
        &self,
        _calls: &Calls<'_>,
        physical: &str,
        _old: &Object,
        _wanted: &Wanted<'_>,
    ) -> Done<Created> {
        Ok(Created::new(physical, json!({ "Id": physical })))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()> {
        let input = json!({ "FunctionName": required(properties, "FunctionName")?, "StatementId": physical });
        calls.gone("lambda", "RemovePermission", input).await
    }
}
