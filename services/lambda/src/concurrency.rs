//! PutFunctionConcurrency GetFunctionConcurrency DeleteFunctionConcurrency
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Decision, Key, update};

use crate::generated as g;
use crate::name::{self, FunctionId};
use crate::table::{self, FUNCTIONS, Function};
use crate::{Lambda, page};

/// What stays for the functions that reserve nothing.
const UNRESERVED_MIN: u32 = 100;

pub(crate) async fn put(
    lambda: &Lambda,
    cx: &Context,
    input: g::PutFunctionConcurrencyRequest,
) -> Result<g::Concurrency, ApiError> {
    let wanted = input.reserved_concurrent_executions.unsigned_abs();
    let id = name::parse(cx, &input.function_name)?.function;
    let others: u32 =
        reserved(lambda, &id).await?.iter().filter(|(one, _)| *one != id).map(|(_, one)| one).sum();
    let limit = u32::try_from(lambda.config.limits.concurrency).unwrap_or(u32::MAX);
    if wanted.saturating_add(others) > limit.saturating_sub(UNRESERVED_MIN.min(limit)) {
        let message = format!(
            "Specified ReservedConcurrentExecutions for function decreases account's \
             UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MIN}]."
        );
        return Err(g::InvalidParameterValueException::new(message).into());
    }
    set(lambda, &id, Some(wanted)).await?;
    Ok(g::Concurrency { reserved_concurrent_executions: Some(wanted.cast_signed()) })
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetFunctionConcurrencyRequest,
) -> Result<g::GetFunctionConcurrencyResponse, ApiError> {
    let loaded = lambda.load(&name::parse(cx, &input.function_name)?).await?;
    let reserved = loaded.function.record.reserved.map(u32::cast_signed);
    Ok(g::GetFunctionConcurrencyResponse { reserved_concurrent_executions: reserved })
}

pub(crate) async fn delete(
    lambda: &Lambda,
    cx: &Context,
    input: g::DeleteFunctionConcurrencyRequest,
) -> Result<Unit, ApiError> {
    let id = name::parse(cx, &input.function_name)?.function;
    set(lambda, &id, None).await?;
    Ok(Unit)
}

async fn set(lambda: &Lambda, id: &FunctionId, reserved: Option<u32>) -> Result<(), ApiError> {
    update(lambda.store(), &table::function(id), |found: Option<Function>| {
        let mut function = found.ok_or_else(|| name::missing(&id.arn()))?;
        function.reserved = reserved;
        Ok::<_, ApiError>(Decision::save(function, ()))
    })
    .await?;
    lambda.scheduler.reserve(id, reserved);
    Ok(())
}

/// What the functions of `id`'s account and region reserve.
pub(crate) async fn reserved(lambda: &Lambda, id: &FunctionId) -> Result<Vec<(FunctionId, u32)>, ApiError> {
    under(lambda, &table::beside(id)).await
}

/// What all functions reserve.
pub(crate) async fn all_reserved(lambda: &Lambda) -> Result<Vec<(FunctionId, u32)>, ApiError> {
    under(lambda, &FUNCTIONS.key().done()).await
}

async fn under(lambda: &Lambda, prefix: &Key) -> Result<Vec<(FunctionId, u32)>, ApiError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let found = FUNCTIONS.scan(lambda.store(), prefix, after.as_ref(), 1_000).await?;
        for stored in found.items {
            if let Some(reserved) = stored.record.reserved {
                all.push((page::function_in(&stored.key)?, reserved));
            }
        }
        after = found.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}
