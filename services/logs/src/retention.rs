//! PutRetentionPolicy DeleteRetentionPolicy

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Decision, update};

use crate::generated as g;
use crate::table::{self, Group};
use crate::{Logs, Scope, group};

/// Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const DAYS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

pub(crate) async fn put(
    logs: &Logs,
    cx: &Context,
    input: g::PutRetentionPolicyRequest,
) -> Result<Unit, ApiError> {
    if !DAYS.contains(&input.retention_in_days) {
        let message =
            format!("{} is not a valid number of days to retain log events.", input.retention_in_days);
        return Err(g::InvalidParameterException::new(message).into());
    }
    set(logs, cx, &input.log_group_name, Some(input.retention_in_days)).await
}

pub(crate) async fn delete(
    logs: &Logs,
    cx: &Context,
    input: g::DeleteRetentionPolicyRequest,
) -> Result<Unit, ApiError> {
    set(logs, cx, &input.log_group_name, None).await
}

async fn set(logs: &Logs, cx: &Context, name: &str, days: Option<i32>) -> Result<Unit, ApiError> {
    update(logs.store(), &table::group(&Scope::of(cx), name), |found: Option<Group>| {
        let group = found.ok_or_else(group::missing)?;
        Ok::<_, ApiError>(Decision::save(Group { retention_days: days, ..group }, Unit))
    })
    .await?;
    logs.sweep.now();
    Ok(Unit)
}
