//! What IAM checks before each operation: the action and the resource it names.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>

use pagoda_base::Arn;
use pagoda_protocol::{ApiError, Operation};
use pagoda_service::{Access, Context};

use crate::generated as g;

type Needs = Result<Vec<Access>, ApiError>;

fn entity(cx: &Context, kind: &str, path: Option<&str>, name: &str) -> Arn {
    Arn::global("iam", cx.account, format!("{kind}{}{name}", path.unwrap_or("/")))
}

fn pairs(tags: &Option<Vec<g::Tag>>) -> impl Iterator<Item = (&str, &str)> {
    tags.iter().flatten().map(|tag| (tag.key.as_str(), tag.value.as_str()))
}

pub(crate) fn new_user(cx: &Context, input: &g::CreateUserRequest) -> Needs {
    let arn = entity(cx, "user", input.path.as_deref(), &input.user_name);
    let boundary = input.permissions_boundary.as_deref();
    Ok(vec![
        Access::new("iam:CreateUser", arn)
            .with_tags(pairs(&input.tags))
            .with_some("iam:PermissionsBoundary", boundary),
    ])
}

pub(crate) fn new_role(cx: &Context, input: &g::CreateRoleRequest) -> Needs {
    let arn = entity(cx, "role", input.path.as_deref(), &input.role_name);
    let boundary = input.permissions_boundary.as_deref();
    Ok(vec![
        Access::new("iam:CreateRole", arn)
            .with_tags(pairs(&input.tags))
            .with_some("iam:PermissionsBoundary", boundary),
    ])
}

pub(crate) fn new_policy(cx: &Context, input: &g::CreatePolicyRequest) -> Needs {
    let arn = entity(cx, "policy", input.path.as_deref(), &input.policy_name);
    Ok(vec![Access::new("iam:CreatePolicy", arn).with_tags(pairs(&input.tags))])
}

/// Inputs that name a user; without a name the caller's own user is meant.
pub(crate) trait OnUser {
    type Operation: Operation;
    fn user_name(&self) -> Option<&str>;
}

/// Inputs that name a role.
pub(crate) trait OnRole {
    type Operation: Operation;
    fn role_name(&self) -> &str;
}

/// Inputs that name a managed policy.
pub(crate) trait OnPolicy {
    type Operation: Operation;
    fn policy_arn(&self) -> &str;
}

macro_rules! on_user {
    ($($input:ident: $operation:ident $(($required:ident))?),* $(,)?) => {$(
        impl OnUser for g::$input {
            type Operation = g::$operation;
            fn user_name(&self) -> Option<&str> {
                on_user!(@name self $($required)?)
            }
        }
    )*};
    (@name $self:ident required) => { Some($self.user_name.as_str()) };
    (@name $self:ident) => { $self.user_name.as_deref() };
}

macro_rules! on_role {
    ($($input:ident: $operation:ident),* $(,)?) => {$(
        impl OnRole for g::$input {
            type Operation = g::$operation;
            fn role_name(&self) -> &str {
                &self.role_name
            }
        }
    )*};
}

macro_rules! on_policy {
    ($($input:ident: $operation:ident),* $(,)?) => {$(
        impl OnPolicy for g::$input {
            type Operation = g::$operation;
            fn policy_arn(&self) -> &str {
                &self.policy_arn
            }
        }
    )*};
}

on_user!(
    AttachUserPolicyRequest: AttachUserPolicy (required),
    CreateAccessKeyRequest: CreateAccessKey,
    DeleteAccessKeyRequest: DeleteAccessKey,
    DeleteUserPolicyRequest: DeleteUserPolicy (required),
    DeleteUserRequest: DeleteUser (required),
    DetachUserPolicyRequest: DetachUserPolicy (required),
    GetUserPolicyRequest: GetUserPolicy (required),
    GetUserRequest: GetUser,
    ListAccessKeysRequest: ListAccessKeys,
    ListAttachedUserPoliciesRequest: ListAttachedUserPolicies (required),
    ListUserPoliciesRequest: ListUserPolicies (required),
    ListUserTagsRequest: ListUserTags (required),
    PutUserPolicyRequest: PutUserPolicy (required),
    TagUserRequest: TagUser (required),
    UntagUserRequest: UntagUser (required),
    UpdateAccessKeyRequest: UpdateAccessKey,
);

on_role!(
    AttachRolePolicyRequest: AttachRolePolicy,
    DeleteRolePolicyRequest: DeleteRolePolicy,
    DeleteRoleRequest: DeleteRole,
    DetachRolePolicyRequest: DetachRolePolicy,
    GetRolePolicyRequest: GetRolePolicy,
    GetRoleRequest: GetRole,
    ListAttachedRolePoliciesRequest: ListAttachedRolePolicies,
    ListRolePoliciesRequest: ListRolePolicies,
    ListRoleTagsRequest: ListRoleTags,
    PutRolePolicyRequest: PutRolePolicy,
    TagRoleRequest: TagRole,
    UntagRoleRequest: UntagRole,
    UpdateAssumeRolePolicyRequest: UpdateAssumeRolePolicy,
    UpdateRoleRequest: UpdateRole,
);

on_policy!(
    CreatePolicyVersionRequest: CreatePolicyVersion,
    DeletePolicyRequest: DeletePolicy,
    DeletePolicyVersionRequest: DeletePolicyVersion,
    GetPolicyRequest: GetPolicy,
    GetPolicyVersionRequest: GetPolicyVersion,
    ListPolicyVersionsRequest: ListPolicyVersions,
    SetDefaultPolicyVersionRequest: SetDefaultPolicyVersion,
);

fn action<O: Operation>() -> String {
    format!("iam:{}", O::SPEC.name)
}

pub(crate) fn user<I: OnUser>(cx: &Context, input: &I) -> Needs {
    let arn = match input.user_name() {
        Some(name) => entity(cx, "user", None, name).to_string(),
        None => cx.caller.arn(),
    };
    Ok(vec![Access::new(action::<I::Operation>(), arn)])
}

pub(crate) fn role<I: OnRole>(cx: &Context, input: &I) -> Needs {
    Ok(vec![Access::new(action::<I::Operation>(), entity(cx, "role", None, input.role_name()))])
}

pub(crate) fn policy<I: OnPolicy>(_cx: &Context, input: &I) -> Needs {
    Ok(vec![Access::new(action::<I::Operation>(), input.policy_arn())])
}

pub(crate) fn role_and_policy_attached(cx: &Context, input: &g::AttachRolePolicyRequest) -> Needs {
    Ok(role(cx, input)?.into_iter().map(|access| access.with("iam:PolicyARN", &*input.policy_arn)).collect())
}

pub(crate) fn role_and_policy_detached(cx: &Context, input: &g::DetachRolePolicyRequest) -> Needs {
    Ok(role(cx, input)?.into_iter().map(|access| access.with("iam:PolicyARN", &*input.policy_arn)).collect())
}

pub(crate) fn user_and_policy_attached(cx: &Context, input: &g::AttachUserPolicyRequest) -> Needs {
    Ok(user(cx, input)?.into_iter().map(|access| access.with("iam:PolicyARN", &*input.policy_arn)).collect())
}

pub(crate) fn user_and_policy_detached(cx: &Context, input: &g::DetachUserPolicyRequest) -> Needs {
    Ok(user(cx, input)?.into_iter().map(|access| access.with("iam:PolicyARN", &*input.policy_arn)).collect())
}

pub(crate) fn all_users(cx: &Context, input: &g::ListUsersRequest) -> Needs {
    Ok(vec![Access::new("iam:ListUsers", entity(cx, "user", input.path_prefix.as_deref(), ""))])
}

pub(crate) fn all_roles(cx: &Context, input: &g::ListRolesRequest) -> Needs {
    Ok(vec![Access::new("iam:ListRoles", entity(cx, "role", input.path_prefix.as_deref(), ""))])
}

pub(crate) fn all_policies(_cx: &Context, _input: &g::ListPoliciesRequest) -> Needs {
    Ok(vec![Access::everywhere("iam:ListPolicies")])
}
