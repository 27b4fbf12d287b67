//! PutRuntimeManagementConfig GetRuntimeManagementConfig
//!
//! A function runs on the interpreter that the host has when an instance begins, so that `Auto` is what is done.
//! The host keeps no interpreters of yesterday: `FunctionUpdate` and `Manual` are refused by name.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html>

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::Lambda;
use crate::generated as g;
use crate::name::{self, LATEST, Named, Qualifier};

pub(crate) async fn put(
    lambda: &Lambda,
    cx: &Context,
    input: g::PutRuntimeManagementConfigRequest,
) -> Result<g::PutRuntimeManagementConfigResponse, ApiError> {
    let arn = target(lambda, cx, &input.function_name, input.qualifier.as_deref()).await?;
    if input.update_runtime_on != g::UpdateRuntimeOn::Auto {
        let value = format!("UpdateRuntimeOn={}", input.update_runtime_on);
        return Err(ApiError::not_implemented("PutRuntimeManagementConfig", &value));
    }
    Ok(g::PutRuntimeManagementConfigResponse {
        update_runtime_on: g::UpdateRuntimeOn::Auto,
        function_arn: arn,
        runtime_version_arn: None,
    })
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetRuntimeManagementConfigRequest,
) -> Result<g::GetRuntimeManagementConfigResponse, ApiError> {
    let arn = target(lambda, cx, &input.function_name, input.qualifier.as_deref()).await?;
    Ok(g::GetRuntimeManagementConfigResponse {
        update_runtime_on: Some(g::UpdateRuntimeOn::Auto),
        function_arn: Some(arn),
        runtime_version_arn: None,
    })
}

/// The ARN of the function's version.
async fn target(
    lambda: &Lambda,
    cx: &Context,
    function: &str,
    qualifier: Option<&str>,
) -> Result<String, ApiError> {
    let named = name::parse_qualified(cx, function, qualifier)?;
    if let Qualifier::Alias(_) = named.qualifier() {
        let message = "Only a version or $LATEST has a runtime of its own, not an alias.";
        return Err(g::InvalidParameterValueException::new(message).into());
    }
    lambda.load(&named).await?;
    let qualifier = named.qualifier.clone().or_else(|| Some(LATEST.to_owned()));
    Ok(Named { qualifier, ..named }.arn())
}
