//! `AWS::ApiGateway::Account`, `RestApi`, `Resource`, `Method`, `Model`, `RequestValidator`, `Authorizer`, `GatewayResponse`,
//! `Deployment`, `Stage`, `ApiKey`, `UsagePlan` and `UsagePlanKey`.

mod account;
mod api_key;
mod authorizer;
mod deployment;
mod gateway_response;
mod method;
mod model;
mod request_validator;
mod resource;
mod rest_api;
mod stage;
mod usage_plan;
mod usage_plan_key;

use serde_json::{Value, json};

use super::tag::{Retag, is_marked};
use super::{Calls, Done, Kind, Wanted};
use crate::template::Object;

pub(crate) use account::Account;
pub(crate) use api_key::ApiKey;
pub(crate) use authorizer::Authorizer;
pub(crate) use deployment::Deployment;
pub(crate) use gateway_response::GatewayResponse;
pub(crate) use method::Method;
pub(crate) use model::Model;
pub(crate) use request_validator::RequestValidator;
pub(crate) use resource::Resource;
pub(crate) use rest_api::RestApi;
pub(crate) use stage::Stage;
pub(crate) use usage_plan::UsagePlan;
pub(crate) use usage_plan_key::UsagePlanKey;

const SERVICE: &str = "apigateway";

/// A property, the path that patches have for it, and what it is where nothing is said of it.
type Patched = (&'static str, &'static str, &'static str);

/// The patches from `old` properties to `new` ones.
fn patches(old: &Object, new: &Object, fields: &[Patched]) -> Vec<Value> {
    let changed = fields.iter().filter(|(field, ..)| old.get(*field) != new.get(*field));
    let patch = |(field, path, without): &Patched| {
        let value = new.get(*field).map_or_else(|| (*without).to_owned(), text);
        json!({ "op": "replace", "path": path, "value": value })
    };
    changed.map(patch).collect()
}

/// A value as patches have it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The ids of what `operation` lists and this stack has made.
async fn marked(
    kind: &dyn Kind,
    calls: &Calls<'_>,
    operation: &str,
    wanted: &Wanted<'_>,
) -> Done<Vec<String>> {
    let input = json!({ "limit": 500 });
    let all = calls.list(SERVICE, operation, input, ["items", "position", "position"]).await?;
    let own = all.iter().filter(|one| is_marked(kind, wanted.properties, &one["tags"]));
    Ok(own.filter_map(|one| one["id"].as_str()).map(str::to_owned).collect())
}

/// Moves the tags of what `path` names.
async fn retag(calls: &Calls<'_>, path: &str, old: &Object, new: &Object) -> Done<()> {
    let arn = format!("arn:aws:apigateway:{}::{path}", calls.cx.region);
    let retag = Retag {
        service: SERVICE,
        operations: ["TagResource", "UntagResource"],
        of: json!({ "resourceArn": arn }),
        members: ["tags", "tagKeys"],
        as_map: true,
    };
    retag.run(calls, old, new).await
}
