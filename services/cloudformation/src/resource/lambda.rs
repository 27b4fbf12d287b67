//! The resource types of Lambda.

mod alias;
mod event_invoke_config;
mod event_source_mapping;
mod function;
mod layer_version;
mod layer_version_permission;
mod permission;
mod url;
mod version;

use serde_json::Value;

use super::Calls;

pub(crate) use self::alias::Alias;
pub(crate) use self::event_invoke_config::EventInvokeConfig;
pub(crate) use self::event_source_mapping::EventSourceMapping;
pub(crate) use self::function::Function;
pub(crate) use self::layer_version::LayerVersion;
pub(crate) use self::layer_version_permission::LayerVersionPermission;
pub(crate) use self::permission::Permission;
pub(crate) use self::url::Url;
pub(crate) use self::version::Version;

/// The ARN of the function of this name.
fn arn(calls: &Calls<'_>, name: &str) -> String {
    calls.cx.arn("lambda", format!("function:{name}")).to_string()
}

/// Whether the policy in an answer has a statement of this id.
fn has_statement(answer: &Value, id: &str) -> bool {
    let policy = answer["Policy"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let statements = policy.as_ref().and_then(|policy| policy["Statement"].as_array());
    statements.is_some_and(|all| all.iter().any(|one| one["Sid"] == id))
}
