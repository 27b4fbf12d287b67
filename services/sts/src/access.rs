//! What STS checks before each operation.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html>

use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context};

use crate::generated as g;

pub(crate) fn role(_cx: &Context, input: &g::AssumeRoleRequest) -> Result<Vec<Access>, ApiError> {
    let tags = || input.tags.iter().flatten().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    let access = |action: &'static str| {
        Access::new(action, &input.role_arn)
            .with("sts:RoleSessionName", &*input.role_session_name)
            .with_some("sts:ExternalId", input.external_id.as_deref())
            .with_tags(tags())
    };
    let mut needed = vec![access("sts:AssumeRole")];
    if tags().next().is_some() {
        needed.push(access("sts:TagSession"));
    }
    Ok(needed)
}

/// `GetCallerIdentity` needs no permission, not even against an explicit denial.
pub(crate) fn nobody_is_refused(
    _cx: &Context,
    _input: &g::GetCallerIdentityRequest,
) -> Result<Vec<Access>, ApiError> {
    Ok(Vec::new())
}
