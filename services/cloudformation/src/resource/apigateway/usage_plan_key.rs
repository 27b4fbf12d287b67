//! `AWS::ApiGateway::UsagePlanKey`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::SERVICE;
use crate::resource::{Calls, Created, Done, Kind, Wanted, lower_camel, required};
use crate::template::Object;

pub(crate) struct UsagePlanKey;

#[async_trait]
impl Kind for UsagePlanKey {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::UsagePlanKey"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["KeyId", "KeyType", "UsagePlanId"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["KeyId", "KeyType", "UsagePlanId"]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let found = calls.find(SERVICE, "GetUsagePlanKey", place(wanted.properties)?).await?;
        let physical = physical(wanted.properties)?;
        Ok(found.map(|_| physical).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let input = lower_camel(&Value::Object(wanted.properties.clone()));
        calls.call(SERVICE, "CreateUsagePlanKey", input).await?;
        Ok(made(&physical(wanted.properties)?))
    }

    async fn update(
        &self,
        _calls: &Calls<'_>,
        physical: &str,
        _old: &Object,
        _wanted: &Wanted<'_>,
    ) -> Done<Created> {
        Ok(made(physical))
    }

    async fn delete(&self, calls: &Calls<'_>, _physical: &str, properties: &Object) -> Done<()> {
        calls.gone(SERVICE, "DeleteUsagePlanKey", place(properties)?).await
    }
}

fn place(properties: &Object) -> Done<Value> {
    Ok(
        json!({ "usagePlanId": required(properties, "UsagePlanId")?, "keyId": required(properties, "KeyId")? }),
    )
}

fn physical(properties: &Object) -> Done<String> {
    Ok(format!("{}:{}", required(properties, "KeyId")?, required(properties, "UsagePlanId")?))
}

fn made(physical: &str) -> Created {
    Created::new(physical, json!({ "Id": physical }))
}
