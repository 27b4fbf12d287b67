//! GetAccount

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::ApiGateway;
use crate::generated as g;

pub(crate) async fn get(
    _gateway: &ApiGateway,
    _cx: &Context,
    _input: g::GetAccountRequest,
) -> Result<g::Account, ApiError> {
    Ok(g::Account { features: Some(Vec::new()), api_key_version: Some("4".into()), ..Default::default() })
}
