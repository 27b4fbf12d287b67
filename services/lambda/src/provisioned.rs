//! PutProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig ListProvisionedConcurrencyConfigs
//! DeleteProvisionedConcurrencyConfig
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html>

use std::collections::HashMap;

use pagoda_base::Timestamp;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Key, Record, Space, Table};
use serde::{Deserialize, Serialize};

use crate::execution::Provision;
use crate::generated as g;
use crate::name::{self, FunctionId, LATEST, Named, Qualifier, VersionId};
use crate::{Lambda, alias, configuration, page, table};

/// How many instances a version or alias keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Provisioned {
    requested: u32,
    modified: Timestamp,
}

const CONFIGS: Table<Provisioned> = Table::new(Space::Meta);

impl Record for Provisioned {
    const KIND: &str = "lambda.provisioned";
    const VERSION: u8 = 1;
}

pub(crate) async fn put(
    lambda: &Lambda,
    cx: &Context,
    input: g::PutProvisionedConcurrencyConfigRequest,
) -> Result<g::PutProvisionedConcurrencyConfigResponse, ApiError> {
    let named = target(lambda, cx, &input.function_name, &input.qualifier).await?;
    let requested = input.provisioned_concurrent_executions.unsigned_abs();
    let loaded = lambda.load(&named).await?;
    if loaded.has_snapshot() {
        return Err(invalid(
            "Provisioned Concurrency is not supported for functions enabled with SnapStart.".into(),
        ));
    }
    let others = sum_of_others(lambda, &named).await?;
    match loaded.function.record.reserved {
        Some(reserved) if requested.saturating_add(others) > reserved => {
            let message = "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function";
            return Err(invalid(message.into()));
        }
        None if requested as usize > lambda.config.limits.concurrency => {
            let limit = lambda.config.limits.concurrency;
            return Err(invalid(format!(
                "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{limit}]."
            )));
        }
        _ => {}
    }
    let config = Provisioned { requested, modified: cx.now };
    let commit = CONFIGS.put(Commit::new(), &key(&named), &config)?;
    lambda.store().commit(commit).await?.done()?;
    lambda.provision.now();
    let described = describe(lambda, &named, &config).await?;
    Ok(g::PutProvisionedConcurrencyConfigResponse {
        requested_provisioned_concurrent_executions: described.requested_provisioned_concurrent_executions,
        allocated_provisioned_concurrent_executions: described.allocated_provisioned_concurrent_executions,
        available_provisioned_concurrent_executions: described.available_provisioned_concurrent_executions,
        status: described.status,
        status_reason: described.status_reason,
        last_modified: described.last_modified,
    })
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetProvisionedConcurrencyConfigRequest,
) -> Result<g::GetProvisionedConcurrencyConfigResponse, ApiError> {
    let named = target(lambda, cx, &input.function_name, &input.qualifier).await?;
    let found = CONFIGS.get(lambda.store(), &key(&named)).await?.ok_or_else(missing)?;
    let described = describe(lambda, &named, &found.record).await?;
    Ok(g::GetProvisionedConcurrencyConfigResponse {
        requested_provisioned_concurrent_executions: described.requested_provisioned_concurrent_executions,
        allocated_provisioned_concurrent_executions: described.allocated_provisioned_concurrent_executions,
        available_provisioned_concurrent_executions: described.available_provisioned_concurrent_executions,
        status: described.status,
        status_reason: described.status_reason,
        last_modified: described.last_modified,
    })
}

pub(crate) async fn list(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListProvisionedConcurrencyConfigsRequest,
) -> Result<g::ListProvisionedConcurrencyConfigsResponse, ApiError> {
    let named = name::parse(cx, &input.function_name)?;
    lambda.load(&named).await?;
    let id = &named.function;
    let after = input.marker.as_deref().map(page::read).transpose()?;
    let after = after.map(|qualifier| table::of(CONFIGS.key(), id).text(&qualifier).done());
    let limit = page::limit(input.max_items);
    let found = CONFIGS.scan(lambda.store(), &prefix(id), after.as_ref(), limit).await?;
    let (mut configs, mut last) = (Vec::new(), String::new());
    for stored in found.items {
        last = page::name_in(&stored.key)?;
        let of = Named { function: id.clone(), qualifier: Some(last.clone()) };
        configs.push(describe(lambda, &of, &stored.record).await?);
    }
    let next_marker = found.next.map(|_| page::marker(last));
    Ok(g::ListProvisionedConcurrencyConfigsResponse {
        provisioned_concurrency_configs: Some(configs),
        next_marker,
    })
}

pub(crate) async fn delete(
    lambda: &Lambda,
    cx: &Context,
    input: g::DeleteProvisionedConcurrencyConfigRequest,
) -> Result<Unit, ApiError> {
    let named = target(lambda, cx, &input.function_name, &input.qualifier).await?;
    lambda.store().commit(Commit::new().delete(key(&named))).await?.done()?;
    lambda.provision.now();
    Ok(Unit)
}

/// The prefix of all that is set for a function.
pub(crate) fn prefix(id: &FunctionId) -> Key {
    table::of(CONFIGS.key(), id).done()
}

/// How many instances each version is to keep; an alias of two versions shares its instances out by weight.
pub(crate) async fn wanted(lambda: &Lambda) -> Result<HashMap<VersionId, usize>, ApiError> {
    let mut wanted = HashMap::new();
    for stored in CONFIGS.all_stored(lambda.store(), &CONFIGS.key().done()).await? {
        let id = page::function_in(&stored.key)?;
        let of = Named { function: id, qualifier: Some(page::name_in(&stored.key)?) };
        for (version, count) in shares(lambda, &of, stored.record.requested).await? {
            *wanted.entry(version).or_default() += count;
        }
    }
    Ok(wanted)
}

/// The versions behind a version or alias, each with its share of the instances.
async fn shares(lambda: &Lambda, named: &Named, requested: u32) -> Result<Vec<(VersionId, usize)>, ApiError> {
    let of = |number: &str| VersionId { function: named.function.clone(), number: number.to_owned() };
    let Qualifier::Alias(name) = named.qualifier() else {
        return Ok(vec![(of(named.qualifier.as_deref().unwrap_or(LATEST)), requested as usize)]);
    };
    let Some(alias) = alias::find(lambda, &named.function, name).await? else { return Ok(Vec::new()) };
    let (version, other) = (alias.record.version, alias.record.other);
    Ok(match other {
        None => vec![(of(&version), requested as usize)],
        Some((other, share)) => {
            let of_other = ((f64::from(requested) * share).round() as usize).min(requested as usize);
            vec![(of(&version), requested as usize - of_other), (of(&other), of_other)]
        }
    })
}

/// A version or an alias; `$LATEST` changes too often.
async fn target(lambda: &Lambda, cx: &Context, function: &str, qualifier: &str) -> Result<Named, ApiError> {
    let named = name::parse_qualified(cx, function, Some(qualifier))?;
    if named.qualifier() == Qualifier::Latest {
        return Err(invalid(
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.".into(),
        ));
    }
    lambda.load(&named).await?;
    Ok(named)
}

async fn sum_of_others(lambda: &Lambda, named: &Named) -> Result<u32, ApiError> {
    let own = key(named);
    let found = CONFIGS.scan(lambda.store(), &prefix(&named.function), None, 1_000).await?;
    Ok(found.items.iter().filter(|stored| stored.key != own).map(|stored| stored.record.requested).sum())
}

async fn describe(
    lambda: &Lambda,
    named: &Named,
    config: &Provisioned,
) -> Result<g::ProvisionedConcurrencyConfigListItem, ApiError> {
    let (mut ready, mut reason) = (0, None);
    for (version, share) in shares(lambda, named, config.requested).await? {
        let Provision { alive, failure } = lambda.scheduler.provision(&version);
        ready += alive.min(share);
        reason = reason.or(failure);
    }
    let ready = i32::try_from(ready).unwrap_or(i32::MAX);
    let status = match &reason {
        _ if ready.unsigned_abs() >= config.requested => g::ProvisionedConcurrencyStatusEnum::Ready,
        Some(_) => g::ProvisionedConcurrencyStatusEnum::Failed,
        None => g::ProvisionedConcurrencyStatusEnum::InProgress,
    };
    Ok(g::ProvisionedConcurrencyConfigListItem {
        function_arn: Some(named.arn()),
        requested_provisioned_concurrent_executions: Some(config.requested.cast_signed()),
        available_provisioned_concurrent_executions: Some(ready),
        allocated_provisioned_concurrent_executions: Some(ready),
        status_reason: reason.filter(|_| status == g::ProvisionedConcurrencyStatusEnum::Failed),
        status: Some(status),
        last_modified: Some(configuration::written(config.modified)),
    })
}

fn key(named: &Named) -> Key {
    let qualifier = named.qualifier.as_deref().unwrap_or(LATEST);
    table::of(CONFIGS.key(), &named.function).text(qualifier).done()
}

fn missing() -> ApiError {
    let message = "No Provisioned Concurrency Config found for this function";
    g::ProvisionedConcurrencyConfigNotFoundException::new(message).into()
}

fn invalid(message: String) -> ApiError {
    g::InvalidParameterValueException::new(message).into()
}
