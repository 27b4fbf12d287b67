//! What Lambda checks before each operation.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html>

use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context};

use crate::generated as g;
use crate::name;

/// The service that functions' roles are passed to.
pub(crate) const PRINCIPAL: &str = "lambda.amazonaws.com";

type Needs = Result<Vec<Access>, ApiError>;

fn on(cx: &Context, action: &'static str, function: &str, qualifier: Option<&str>) -> Needs {
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
    Ok(vec![Access::new("lambda:CreateFunction", &arn).with_tags(tags), pass(&input.role, &arn)])
}

pub(crate) fn configuration_updated(cx: &Context, input: &g::UpdateFunctionConfigurationRequest) -> Needs {
    let arn = name::parse(cx, &input.function_name)?.function.arn();
    let mut needs = vec![Access::new("lambda:UpdateFunctionConfiguration", &arn)];
    needs.extend(input.role.as_deref().map(|role| pass(role, &arn)));
    Ok(needs)
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
