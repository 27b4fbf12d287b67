//! GetAccountSettings

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::Lambda;
use crate::generated as g;
use crate::name::FunctionId;
use crate::table::{self, FUNCTIONS};
use crate::{concurrency, package};

/// AWS's quota for all packages of an account, in bytes.
const CODE_BYTES_MAX: i64 = 80_530_636_800;
const ARCHIVE_BYTES_MAX: i64 = 52_428_800;
const SCANNED_AT_ONCE: u32 = 1_000;

pub(crate) async fn settings(
    lambda: &Lambda,
    cx: &Context,
    _input: g::GetAccountSettingsRequest,
) -> Result<g::GetAccountSettingsResponse, ApiError> {
    let concurrency = i32::try_from(lambda.config.limits.concurrency).unwrap_or(i32::MAX);
    let id = FunctionId { account: cx.account, region: cx.region.clone(), name: String::new() };
    let reserved: u32 = concurrency::reserved(lambda, &id).await?.iter().map(|(_, reserved)| reserved).sum();
    let account_limit = g::AccountLimit {
        total_code_size: Some(CODE_BYTES_MAX),
        code_size_unzipped: i64::try_from(package::UNPACKED_BYTES_MAX).ok(),
        code_size_zipped: Some(ARCHIVE_BYTES_MAX),
        concurrent_executions: Some(concurrency),
        unreserved_concurrent_executions: Some(concurrency.saturating_sub_unsigned(reserved)),
    };
    let account_usage = Some(usage(lambda, &id).await?);
    Ok(g::GetAccountSettingsResponse { account_limit: Some(account_limit), account_usage })
}

async fn usage(lambda: &Lambda, id: &FunctionId) -> Result<g::AccountUsage, ApiError> {
    let (mut bytes, mut functions, mut after) = (0_u64, 0_i64, None);
    loop {
        let page =
            FUNCTIONS.scan(lambda.store(), &table::beside(id), after.as_ref(), SCANNED_AT_ONCE).await?;
        functions += page.items.len() as i64;
        bytes += page.items.iter().map(|stored| stored.record.latest.code.bytes).sum::<u64>();
        after = page.next;
        if after.is_none() {
            let total_code_size = i64::try_from(bytes).ok();
            return Ok(g::AccountUsage { total_code_size, function_count: Some(functions) });
        }
    }
}
