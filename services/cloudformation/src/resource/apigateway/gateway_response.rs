//! `AWS::ApiGateway::GatewayResponse`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::SERVICE;
use crate::resource::{Calls, Created, Done, Kind, Wanted, property, required};
use crate::template::Object;

pub(crate) struct GatewayResponse;

#[async_trait]
impl Kind for GatewayResponse {
    fn name(&self) -> &'static str {
        "AWS::ApiGateway::GatewayResponse"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["ResponseParameters", "ResponseTemplates", "ResponseType", "RestApiId", "StatusCode"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["ResponseType", "RestApiId"]
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let found = calls.find(SERVICE, "GetGatewayResponse", place(wanted.properties)?).await?;
        let own = found.filter(|response| response["defaultResponse"] == false);
        Ok(own.map(|_| wanted.name.to_owned()).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        put(calls, wanted.properties).await?;
        Ok(made(wanted.name))
    }

    /// Putting it replaces all of it.
    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        _old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        put(calls, wanted.properties).await?;
        Ok(made(physical))
    }

    async fn delete(&self, calls: &Calls<'_>, _physical: &str, properties: &Object) -> Done<()> {
        calls.gone(SERVICE, "DeleteGatewayResponse", place(properties)?).await
    }
}

fn made(id: &str) -> Created {
    Created::new(id, json!({ "Id": id }))
}

fn place(properties: &Object) -> Done<Value> {
    Ok(json!({
        "restApiId": required(properties, "RestApiId")?,
        "responseType": required(properties, "ResponseType")?,
    }))
}

async fn put(calls: &Calls<'_>, properties: &Object) -> Done<()> {
    let mut input = place(properties)?;
    if let Some(status) = properties.get("StatusCode") {
        input["statusCode"] = json!(status.as_str().map_or_else(|| status.to_string(), str::to_owned));
    }
    input["responseParameters"] = property(properties, "ResponseParameters");
    input["responseTemplates"] = property(properties, "ResponseTemplates");
    calls.call(SERVICE, "PutGatewayResponse", input).await?;
    Ok(())
}
