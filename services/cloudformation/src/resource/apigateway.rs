//! `AWS::ApiGateway::RestApi`, `Resource`, `Method`, `Authorizer`, `GatewayResponse`,
//! `Deployment` and `Stage`.

mod authorizer;
mod deployment;
mod gateway_response;
mod method;
mod resource;
mod rest_api;
mod stage;

use serde_json::json;

use super::tag::Retag;
use super::{Calls, Done};
use crate::template::Object;

pub(crate) use authorizer::Authorizer;
pub(crate) use deployment::Deployment;
pub(crate) use gateway_response::GatewayResponse;
pub(crate) use method::Method;
pub(crate) use resource::Resource;
pub(crate) use rest_api::RestApi;
pub(crate) use stage::Stage;

const SERVICE: &str = "apigateway";

/// Moves the tags of an API or a stage, which `path` names.
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
