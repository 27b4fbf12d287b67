//! GetCallerIdentity

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::Sts;
use crate::generated as g;

pub(crate) async fn get(
    _sts: &Sts,
    cx: &Context,
    _input: g::GetCallerIdentityRequest,
) -> Result<g::GetCallerIdentityResponse, ApiError> {
    Ok(g::GetCallerIdentityResponse {
        user_id: Some(cx.caller.user_id.clone()),
        account: Some(cx.account.to_string()),
        arn: Some(cx.caller.arn()),
    })
}
