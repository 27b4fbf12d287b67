//! What Lambda checks before each operation.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html>

use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context};

use crate::generated as g;
use crate::{layer, name, source};

/// The service that functions' roles are passed to.
pub(crate) const PRINCIPAL: &str = "lambda.amazonaws.com";

type Needs = Result<Vec<Access>, ApiError>;

fn on(cx: &Context, action: &'static str, function: &str, qualifier: Option<&str>) -> Needs {
    if source::tag::uuid(function).is_some() {
        return Ok(vec![Access::new(action, function)]);
    }
    let named = name::parse_qualified(cx, function, qualifier)?;
    Ok(vec![Access::new(action, named.arn())])
}

/// That the caller may hand `role` to Lambda.
fn pass(role: &str, function: &str) -> Access {
    Access::new("iam:PassRole", role)
        .with("iam:PassedToService", PRINCIPAL)
        .with("iam:AssociatedResourceArn", function)
}

pub(crate) fn new_function(cx: &Context, input: &g::CreateFunctionRequest) -> Needs {
    let arn = name::parse(cx, &input.function_name)?.function.arn();
    let tags = input.tags.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut needs = vec![Access::new("lambda:CreateFunction", &arn).with_tags(tags), pass(&input.role, &arn)];
    needs.extend(layers(input.layers.as_deref()));
    Ok(needs)
}

pub(crate) fn configuration_updated(cx: &Context, input: &g::UpdateFunctionConfigurationRequest) -> Needs {
    let arn = name::parse(cx, &input.function_name)?.function.arn();
    let mut needs = vec![Access::new("lambda:UpdateFunctionConfiguration", &arn)];
    needs.extend(input.role.as_deref().map(|role| pass(role, &arn)));
    needs.extend(layers(input.layers.as_deref()));
    Ok(needs)
}

/// That the caller may use these layers.
fn layers(arns: Option<&[String]>) -> impl Iterator<Item = Access> {
    arns.unwrap_or_default().iter().map(|arn| Access::new("lambda:GetLayerVersion", arn))
}

pub(crate) fn code_updated(cx: &Context, input: &g::UpdateFunctionCodeRequest) -> Needs {
    on(cx, "lambda:UpdateFunctionCode", &input.function_name, None)
}

pub(crate) fn deleted(cx: &Context, input: &g::DeleteFunctionRequest) -> Needs {
    on(cx, "lambda:DeleteFunction", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn read(cx: &Context, input: &g::GetFunctionRequest) -> Needs {
    on(cx, "lambda:GetFunction", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn configuration_read(cx: &Context, input: &g::GetFunctionConfigurationRequest) -> Needs {
    on(cx, "lambda:GetFunctionConfiguration", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn versions_listed(cx: &Context, input: &g::ListVersionsByFunctionRequest) -> Needs {
    on(cx, "lambda:ListVersionsByFunction", &input.function_name, None)
}

pub(crate) fn invoked(cx: &Context, input: &g::InvocationRequest) -> Needs {
    on(cx, "lambda:InvokeFunction", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn invoked_with_stream(cx: &Context, input: &g::InvokeWithResponseStreamRequest) -> Needs {
    on(cx, "lambda:InvokeFunction", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn permission_added(cx: &Context, input: &g::AddPermissionRequest) -> Needs {
    let needs = on(cx, "lambda:AddPermission", &input.function_name, input.qualifier.as_deref())?;
    Ok(needs.into_iter().map(|access| access.with("lambda:Principal", &*input.principal)).collect())
}

pub(crate) fn permission_removed(cx: &Context, input: &g::RemovePermissionRequest) -> Needs {
    on(cx, "lambda:RemovePermission", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn policy_read(cx: &Context, input: &g::GetPolicyRequest) -> Needs {
    on(cx, "lambda:GetPolicy", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn tagged(cx: &Context, input: &g::TagResourceRequest) -> Needs {
    let tags = input.tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let needs = on(cx, "lambda:TagResource", &input.resource, None)?;
    let tags: Vec<_> = tags.collect();
    Ok(needs.into_iter().map(|access| access.with_tags(tags.iter().copied())).collect())
}

pub(crate) fn untagged(cx: &Context, input: &g::UntagResourceRequest) -> Needs {
    let mut needs = on(cx, "lambda:UntagResource", &input.resource, None)?;
    for access in &mut needs {
        access.keys.set_all("aws:TagKeys", input.tag_keys.iter().cloned());
    }
    Ok(needs)
}

pub(crate) fn tags_listed(cx: &Context, input: &g::ListTagsRequest) -> Needs {
    on(cx, "lambda:ListTags", &input.resource, None)
}

pub(crate) fn all_functions(_cx: &Context, _input: &g::ListFunctionsRequest) -> Needs {
    Ok(vec![Access::everywhere("lambda:ListFunctions")])
}

pub(crate) fn account(_cx: &Context, _input: &g::GetAccountSettingsRequest) -> Needs {
    Ok(vec![Access::everywhere("lambda:GetAccountSettings")])
}

pub(crate) fn version_published(cx: &Context, input: &g::PublishVersionRequest) -> Needs {
    on(cx, "lambda:PublishVersion", &input.function_name, None)
}

pub(crate) fn new_alias(cx: &Context, input: &g::CreateAliasRequest) -> Needs {
    on(cx, "lambda:CreateAlias", &input.function_name, None)
}

pub(crate) fn alias_updated(cx: &Context, input: &g::UpdateAliasRequest) -> Needs {
    on(cx, "lambda:UpdateAlias", &input.function_name, None)
}

pub(crate) fn alias_read(cx: &Context, input: &g::GetAliasRequest) -> Needs {
    on(cx, "lambda:GetAlias", &input.function_name, None)
}

pub(crate) fn aliases_listed(cx: &Context, input: &g::ListAliasesRequest) -> Needs {
    on(cx, "lambda:ListAliases", &input.function_name, None)
}

pub(crate) fn alias_deleted(cx: &Context, input: &g::DeleteAliasRequest) -> Needs {
    on(cx, "lambda:DeleteAlias", &input.function_name, None)
}

pub(crate) fn concurrency_put(cx: &Context, input: &g::PutFunctionConcurrencyRequest) -> Needs {
    on(cx, "lambda:PutFunctionConcurrency", &input.function_name, None)
}

pub(crate) fn concurrency_read(cx: &Context, input: &g::GetFunctionConcurrencyRequest) -> Needs {
    on(cx, "lambda:GetFunctionConcurrency", &input.function_name, None)
}

pub(crate) fn concurrency_deleted(cx: &Context, input: &g::DeleteFunctionConcurrencyRequest) -> Needs {
    on(cx, "lambda:DeleteFunctionConcurrency", &input.function_name, None)
}

fn on_layer(cx: &Context, action: &'static str, layer: &str, number: Option<i64>) -> Needs {
    let id = layer::parse(cx, layer)?;
    let arn = number.map_or_else(|| id.arn(), |number| id.version_arn(number.unsigned_abs()));
    Ok(vec![Access::new(action, arn)])
}

pub(crate) fn new_layer_version(cx: &Context, input: &g::PublishLayerVersionRequest) -> Needs {
    on_layer(cx, "lambda:PublishLayerVersion", &input.layer_name, None)
}

pub(crate) fn layer_read(cx: &Context, input: &g::GetLayerVersionRequest) -> Needs {
    on_layer(cx, "lambda:GetLayerVersion", &input.layer_name, Some(input.version_number))
}

pub(crate) fn layer_read_by_arn(_cx: &Context, input: &g::GetLayerVersionByArnRequest) -> Needs {
    let (id, number) = layer::read_version(&input.arn)?;
    Ok(vec![Access::new("lambda:GetLayerVersion", id.version_arn(number))])
}

pub(crate) fn layer_deleted(cx: &Context, input: &g::DeleteLayerVersionRequest) -> Needs {
    on_layer(cx, "lambda:DeleteLayerVersion", &input.layer_name, Some(input.version_number))
}

pub(crate) fn layer_versions_listed(_cx: &Context, _input: &g::ListLayerVersionsRequest) -> Needs {
    Ok(vec![Access::everywhere("lambda:ListLayerVersions")])
}

pub(crate) fn all_layers(_cx: &Context, _input: &g::ListLayersRequest) -> Needs {
    Ok(vec![Access::everywhere("lambda:ListLayers")])
}

pub(crate) fn layer_permission_added(cx: &Context, input: &g::AddLayerVersionPermissionRequest) -> Needs {
    on_layer(cx, "lambda:AddLayerVersionPermission", &input.layer_name, Some(input.version_number))
}

pub(crate) fn layer_permission_removed(
    cx: &Context,
    input: &g::RemoveLayerVersionPermissionRequest,
) -> Needs {
    on_layer(cx, "lambda:RemoveLayerVersionPermission", &input.layer_name, Some(input.version_number))
}

pub(crate) fn layer_policy_read(cx: &Context, input: &g::GetLayerVersionPolicyRequest) -> Needs {
    on_layer(cx, "lambda:GetLayerVersionPolicy", &input.layer_name, Some(input.version_number))
}

pub(crate) fn event_config_put(cx: &Context, input: &g::PutFunctionEventInvokeConfigRequest) -> Needs {
    on(cx, "lambda:PutFunctionEventInvokeConfig", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn event_config_updated(cx: &Context, input: &g::UpdateFunctionEventInvokeConfigRequest) -> Needs {
    on(cx, "lambda:UpdateFunctionEventInvokeConfig", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn event_config_read(cx: &Context, input: &g::GetFunctionEventInvokeConfigRequest) -> Needs {
    on(cx, "lambda:GetFunctionEventInvokeConfig", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn event_config_deleted(cx: &Context, input: &g::DeleteFunctionEventInvokeConfigRequest) -> Needs {
    on(cx, "lambda:DeleteFunctionEventInvokeConfig", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn event_configs_listed(cx: &Context, input: &g::ListFunctionEventInvokeConfigsRequest) -> Needs {
    on(cx, "lambda:ListFunctionEventInvokeConfigs", &input.function_name, None)
}

pub(crate) fn new_url(cx: &Context, input: &g::CreateFunctionUrlConfigRequest) -> Needs {
    on(cx, "lambda:CreateFunctionUrlConfig", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn url_updated(cx: &Context, input: &g::UpdateFunctionUrlConfigRequest) -> Needs {
    on(cx, "lambda:UpdateFunctionUrlConfig", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn url_read(cx: &Context, input: &g::GetFunctionUrlConfigRequest) -> Needs {
    on(cx, "lambda:GetFunctionUrlConfig", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn url_deleted(cx: &Context, input: &g::DeleteFunctionUrlConfigRequest) -> Needs {
    on(cx, "lambda:DeleteFunctionUrlConfig", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn urls_listed(cx: &Context, input: &g::ListFunctionUrlConfigsRequest) -> Needs {
    on(cx, "lambda:ListFunctionUrlConfigs", &input.function_name, None)
}

pub(crate) fn provisioned_put(cx: &Context, input: &g::PutProvisionedConcurrencyConfigRequest) -> Needs {
    on(cx, "lambda:PutProvisionedConcurrencyConfig", &input.function_name, Some(&input.qualifier))
}

pub(crate) fn provisioned_read(cx: &Context, input: &g::GetProvisionedConcurrencyConfigRequest) -> Needs {
    on(cx, "lambda:GetProvisionedConcurrencyConfig", &input.function_name, Some(&input.qualifier))
}

pub(crate) fn provisioned_deleted(
    cx: &Context,
    input: &g::DeleteProvisionedConcurrencyConfigRequest,
) -> Needs {
    on(cx, "lambda:DeleteProvisionedConcurrencyConfig", &input.function_name, Some(&input.qualifier))
}

pub(crate) fn provisioned_listed(cx: &Context, input: &g::ListProvisionedConcurrencyConfigsRequest) -> Needs {
    on(cx, "lambda:ListProvisionedConcurrencyConfigs", &input.function_name, None)
}

pub(crate) fn invoked_asynchronously(cx: &Context, input: &g::InvokeAsyncRequest) -> Needs {
    on(cx, "lambda:InvokeAsync", &input.function_name, None)
}

pub(crate) fn recursion_put(cx: &Context, input: &g::PutFunctionRecursionConfigRequest) -> Needs {
    on(cx, "lambda:PutFunctionRecursionConfig", &input.function_name, None)
}

pub(crate) fn recursion_read(cx: &Context, input: &g::GetFunctionRecursionConfigRequest) -> Needs {
    on(cx, "lambda:GetFunctionRecursionConfig", &input.function_name, None)
}

pub(crate) fn runtime_management_put(cx: &Context, input: &g::PutRuntimeManagementConfigRequest) -> Needs {
    on(cx, "lambda:PutRuntimeManagementConfig", &input.function_name, input.qualifier.as_deref())
}

pub(crate) fn runtime_management_read(cx: &Context, input: &g::GetRuntimeManagementConfigRequest) -> Needs {
    on(cx, "lambda:GetRuntimeManagementConfig", &input.function_name, input.qualifier.as_deref())
}
