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
use super::{Calls, Done, Kind, Wanted, required};
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
/// A property within an object, and how it is named behind the path that patches have for the object.
type Member = (&'static str, &'static str);

/// The patches from `old` properties to `new` ones.
fn patches(old: &Object, new: &Object, fields: &[Patched]) -> Vec<Value> {
    let changed = fields.iter().filter(|(field, ..)| old.get(*field) != new.get(*field));
    let patch = |(field, path, without): &Patched| {
        let value = new.get(*field).map_or_else(|| (*without).to_owned(), text);
        json!({ "op": "replace", "path": path, "value": value })
    };
    changed.map(patch).collect()
}

/// The patches from an old object of properties, whose path is `path`, to a new one. What the new one does not say,
/// the old one must not go on saying.
fn object_patches(old: &Object, new: &Object, field: &str, path: &str, members: &[Member]) -> Vec<Value> {
    let mut patches = Vec::new();
    if old.get(field) == new.get(field) {
        return patches;
    }
    if old.contains_key(field) {
        patches.push(json!({ "op": "remove", "path": path }));
    }
    if let Some(object) = new.get(field) {
        patches.extend(member_patches(object, path, members));
    }
    patches
}

/// The patches that say at `path` what an object of properties has.
fn member_patches(object: &Value, path: &str, members: &[Member]) -> Vec<Value> {
    let patch = |(field, member): &Member| {
        let value = text(object.get(*field)?);
        Some(json!({ "op": "replace", "path": format!("{path}/{member}"), "value": value }))
    };
    members.iter().filter_map(patch).collect()
}

/// Has `operation` apply patches, if there are any, to what `of` names.
async fn patch(calls: &Calls<'_>, operation: &str, mut of: Value, patches: Vec<Value>) -> Done<()> {
    if !patches.is_empty() {
        of["patchOperations"] = Value::Array(patches);
        calls.call(SERVICE, operation, of).await?;
    }
    Ok(())
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

/// The ids of what `operation` lists of the API under a name.
async fn called(
    calls: &Calls<'_>,
    operation: &str,
    properties: &Object,
    name: Option<&str>,
) -> Done<Vec<String>> {
    let input = json!({ "restApiId": required(properties, "RestApiId")?, "limit": 500 });
    let all = calls.list(SERVICE, operation, input, ["items", "position", "position"]).await?;
    let same = |one: &&Value| one["name"].as_str() == name;
    Ok(all.iter().filter(same).filter_map(|one| one["id"].as_str()).map(str::to_owned).collect())
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
