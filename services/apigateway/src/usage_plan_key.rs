//! CreateUsagePlanKey GetUsagePlanKey GetUsagePlanKeys DeleteUsagePlanKey

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, KeyBuilder, Stored};

use crate::edit::bad_request;
use crate::generated as g;
use crate::table::{self, USAGE_PLAN_KEYS, UsagePlanKey};
use crate::{ApiGateway, api_key, position, usage_plan};

const TYPE: &str = "API_KEY";

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateUsagePlanKeyRequest,
) -> Result<g::UsagePlanKey, ApiError> {
    if input.key_type != TYPE {
        return Err(bad_request(format!("Invalid key type specified: {}", input.key_type)));
    }
    put(gateway, cx, &input.usage_plan_id, &input.key_id).await?;
    describe(gateway, cx, &input.key_id, true).await
}

/// Puts a key into a plan. A key is in one plan of a stage at most.
pub(crate) async fn put(gateway: &ApiGateway, cx: &Context, plan: &str, key: &str) -> Result<(), ApiError> {
    let stored = usage_plan::load(gateway, cx, plan).await?;
    api_key::load(gateway, cx, key).await?;
    for used in of_key(gateway, cx, key).await? {
        if used.record.plan == plan {
            let message = format!("Usage Plan {plan} already contains API Key {key}");
            return Err(g::ConflictException::new(message).into());
        }
        let other = usage_plan::load(gateway, cx, &used.record.plan).await?.record;
        if let Some(stage) = other.stages.keys().find(|stage| stored.record.stages.contains_key(*stage)) {
            let message =
                format!("API Key {key} is already associated with a usage plan of the API stage {stage}");
            return Err(g::ConflictException::new(message).into());
        }
    }
    let record = UsagePlanKey { plan: plan.to_owned(), key: key.to_owned() };
    let place = KeyBuilder::under(&table::of_plan(cx.account, &cx.region, plan)).text(key).done();
    gateway.commit_plans(USAGE_PLAN_KEYS.put(Commit::new(), &place, &record)?).await
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetUsagePlanKeyRequest,
) -> Result<g::UsagePlanKey, ApiError> {
    usage_plan::load(gateway, cx, &input.usage_plan_id).await?;
    load(gateway, cx, &input.usage_plan_id, &input.key_id).await?;
    describe(gateway, cx, &input.key_id, true).await
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetUsagePlanKeysRequest,
) -> Result<g::UsagePlanKeys, ApiError> {
    usage_plan::load(gateway, cx, &input.usage_plan_id).await?;
    let prefix = table::of_plan(cx.account, &cx.region, &input.usage_plan_id);
    let all = USAGE_PLAN_KEYS.all(gateway.store(), &prefix).await?;
    let mut keys = Vec::with_capacity(all.len());
    for used in all {
        let key = describe(gateway, cx, &used.key, false).await?;
        let name = input.name_query.as_deref().unwrap_or_default();
        if key.name.as_deref().unwrap_or_default().starts_with(name) {
            keys.push(key);
        }
    }
    let id = |key: &g::UsagePlanKey| key.id.clone().unwrap_or_default();
    let keyed: Vec<(String, g::UsagePlanKey)> = keys.into_iter().map(|key| (id(&key), key)).collect();
    let (page, position) = position::cut(keyed, |(id, _)| id, input.position.as_deref(), input.limit)?;
    Ok(g::UsagePlanKeys { position, items: Some(page.into_iter().map(|(_, key)| key).collect()) })
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteUsagePlanKeyRequest,
) -> Result<Unit, ApiError> {
    let stored = load(gateway, cx, &input.usage_plan_id, &input.key_id).await?;
    gateway.commit_plans(USAGE_PLAN_KEYS.remove(Commit::new(), &stored)).await?;
    Ok(Unit)
}

/// All plans in which a key is.
pub(crate) async fn of_key(
    gateway: &ApiGateway,
    cx: &Context,
    key: &str,
) -> Result<Vec<Stored<UsagePlanKey>>, ApiError> {
    let mut found = Vec::new();
    for plan in usage_plan::all(gateway, cx).await? {
        let place = KeyBuilder::under(&table::of_plan(cx.account, &cx.region, &plan.id)).text(key).done();
        found.extend(USAGE_PLAN_KEYS.get(gateway.store(), &place).await?);
    }
    Ok(found)
}

pub(crate) async fn load(
    gateway: &ApiGateway,
    cx: &Context,
    plan: &str,
    key: &str,
) -> Result<Stored<UsagePlanKey>, ApiError> {
    let place = KeyBuilder::under(&table::of_plan(cx.account, &cx.region, plan)).text(key).done();
    let missing = || g::NotFoundException::new("Invalid Usage Plan Key identifier specified").into();
    USAGE_PLAN_KEYS.get(gateway.store(), &place).await?.ok_or_else(missing)
}

async fn describe(
    gateway: &ApiGateway,
    cx: &Context,
    key: &str,
    with_value: bool,
) -> Result<g::UsagePlanKey, ApiError> {
    let key = api_key::load(gateway, cx, key).await?.record;
    Ok(g::UsagePlanKey {
        value: with_value.then(|| api_key::value(gateway, &key)).transpose()?,
        id: Some(key.id),
        r#type: Some(TYPE.into()),
        name: Some(key.name),
    })
}
