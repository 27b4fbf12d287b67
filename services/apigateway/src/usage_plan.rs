//! CreateUsagePlan GetUsagePlan GetUsagePlans UpdateUsagePlan DeleteUsagePlan
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html>

use std::collections::BTreeMap;

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Stored};

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::patch::Patch;
use crate::table::{self, Period, PlanStage, Quota, STAGES, Throttle, USAGE_PLANS, UsagePlan};
use crate::{ApiGateway, patch, position, tag, usage_plan_key};

const ID_CHARS: usize = 6;

pub(crate) async fn create(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::CreateUsagePlanRequest,
) -> Result<g::UsagePlan, ApiError> {
    let tags = input.tags.unwrap_or_default();
    tag::check(cx, &tags)?;
    let mut stages = BTreeMap::new();
    for stage in input.api_stages.unwrap_or_default() {
        let (Some(api), Some(name)) = (stage.api_id, stage.stage) else {
            return Err(bad_request("API stage must have an API identifier and a stage name"));
        };
        let throttle = stage.throttle.unwrap_or_default().into_iter();
        let throttle = throttle.map(|(method, limit)| Ok((method, self::throttle(&limit)?)));
        let throttle = throttle.collect::<Result<_, ApiError>>()?;
        stages.insert(format!("{api}:{name}"), PlanStage { throttle });
    }
    let plan = UsagePlan {
        id: ids::short_id(ID_CHARS, &*gateway.ports.random),
        name: input.name,
        description: input.description,
        stages,
        throttle: input.throttle.as_ref().map(throttle).transpose()?,
        quota: input.quota.as_ref().map(quota).transpose()?,
        tags,
    };
    check_stages(gateway, cx, &plan).await?;
    let place = table::in_account(&USAGE_PLANS, cx.account, &cx.region, &plan.id);
    gateway.commit_plans(USAGE_PLANS.create(Commit::new(), &place, &plan)?).await?;
    Ok(describe(&plan))
}

fn throttle(wanted: &g::ThrottleSettings) -> Result<Throttle, ApiError> {
    let throttle = Throttle {
        rate: wanted.rate_limit.unwrap_or(0.0),
        burst: f64::from(wanted.burst_limit.unwrap_or(0)),
    };
    check_throttle(throttle)
}

fn check_throttle(throttle: Throttle) -> Result<Throttle, ApiError> {
    if throttle.rate.is_finite() && throttle.rate >= 0.0 && throttle.burst >= 0.0 {
        return Ok(throttle);
    }
    Err(bad_request("Usage Plan throttle rate limit and burst limit must not be negative"))
}

fn quota(wanted: &g::QuotaSettings) -> Result<Quota, ApiError> {
    let period = match wanted.period {
        Some(g::QuotaPeriodType::Day) => Period::Day,
        Some(g::QuotaPeriodType::Week) => Period::Week,
        Some(g::QuotaPeriodType::Month) => Period::Month,
        None => return Err(bad_request("Usage Plan quota period must be specified")),
    };
    check_quota(Quota {
        limit: i64::from(wanted.limit.unwrap_or(0)),
        offset_days: i64::from(wanted.offset.unwrap_or(0)),
        period,
    })
}

fn check_quota(quota: Quota) -> Result<Quota, ApiError> {
    let (last, name) = match quota.period {
        Period::Day => (0, "DAY"),
        Period::Week => (6, "WEEK"),
        Period::Month => (27, "MONTH"),
    };
    if quota.limit < 0 {
        return Err(bad_request("Usage Plan quota limit must not be negative"));
    }
    if !(0..=last).contains(&quota.offset_days) {
        let message =
            format!("Usage Plan quota offset must be between 0 and {last} inclusive in the {name} period");
        return Err(bad_request(message));
    }
    Ok(quota)
}

/// Refuses stages that there are not.
async fn check_stages(gateway: &ApiGateway, cx: &Context, plan: &UsagePlan) -> Result<(), ApiError> {
    for stage in plan.stages.keys() {
        let missing = || bad_request(format!("API Stage not found: {stage}"));
        let (api, name) = stage.split_once(':').ok_or_else(missing)?;
        edit::load(gateway, cx, api).await.map_err(|_| missing())?;
        STAGES.get(gateway.store(), &table::in_api(&STAGES, api, name)).await?.ok_or_else(missing)?;
    }
    Ok(())
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetUsagePlanRequest,
) -> Result<g::UsagePlan, ApiError> {
    Ok(describe(&load(gateway, cx, &input.usage_plan_id).await?.record))
}

pub(crate) async fn list(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetUsagePlansRequest,
) -> Result<g::UsagePlans, ApiError> {
    let mut all = all(gateway, cx).await?;
    if let Some(key) = &input.key_id {
        let used = usage_plan_key::of_key(gateway, cx, key).await?;
        all.retain(|plan| used.iter().any(|used| used.record.plan == plan.id));
    }
    let (page, position) = position::cut(all, |plan| &plan.id, input.position.as_deref(), input.limit)?;
    Ok(g::UsagePlans { position, items: Some(page.iter().map(describe).collect()) })
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateUsagePlanRequest,
) -> Result<g::UsagePlan, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    let stored = load(gateway, cx, &input.usage_plan_id).await?;
    let mut plan = stored.record.clone();
    patches.iter().try_for_each(|patch| apply(&mut plan, patch))?;
    plan.throttle.map(check_throttle).transpose()?;
    plan.quota.map(check_quota).transpose()?;
    check_stages(gateway, cx, &plan).await?;
    gateway.commit_plans(USAGE_PLANS.replace(Commit::new(), &stored.key, stored.stamp, &plan)?).await?;
    Ok(describe(&plan))
}

/// Source: <https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html#UpdateUsagePlan-Patch>
fn apply(plan: &mut UsagePlan, patch: &Patch<'_>) -> Result<(), ApiError> {
    if let Some(rest) = patch.path.strip_prefix("/apiStages") {
        return apply_to_stages(plan, patch, rest);
    }
    match (patch.path, patch.op) {
        ("/name", _) => plan.name = patch.replaced()?.to_owned(),
        ("/description", _) => plan.description = Some(patch.replaced()?.to_owned()),
        ("/throttle", g::Op::Remove) => plan.throttle = None,
        ("/quota", g::Op::Remove) => plan.quota = None,
        _ => match patch.path.split_once('/').map(|(_, path)| path) {
            Some(path) if path.starts_with("throttle/") => {
                let throttle = plan.throttle.get_or_insert(Throttle { rate: 0.0, burst: 0.0 });
                set_throttle(throttle, &path["throttle/".len()..], patch)?;
            }
            Some(path) if path.starts_with("quota/") => {
                let quota = plan.quota.get_or_insert(Quota { limit: 0, offset_days: 0, period: Period::Day });
                set_quota(quota, &path["quota/".len()..], patch)?;
            }
            _ => return Err(patch.refused()),
        },
    }
    Ok(())
}

/// `/apiStages` with a stage as value, or `/apiStages/{api}:{stage}/throttle[/{path}/{verb}[/rateLimit]]`.
fn apply_to_stages(plan: &mut UsagePlan, patch: &Patch<'_>, rest: &str) -> Result<(), ApiError> {
    if rest.is_empty() {
        let stage = match patch.op {
            g::Op::Remove => patch.value().ok_or_else(|| patch.refused())?,
            _ => patch.given()?,
        };
        match patch.op {
            g::Op::Remove => drop(plan.stages.remove(stage)),
            _ => drop(plan.stages.entry(stage.to_owned()).or_default()),
        }
        return Ok(());
    }
    let mut parts = rest.trim_start_matches('/').splitn(3, '/');
    let stage = parts.next().and_then(|stage| plan.stages.get_mut(stage)).ok_or_else(|| patch.refused())?;
    if parts.next() != Some("throttle") {
        return Err(patch.refused());
    }
    let Some(method) = parts.next() else {
        if patch.op != g::Op::Remove {
            return Err(patch.refused());
        }
        stage.throttle.clear();
        return Ok(());
    };
    // The path's own slashes are written as JSON Pointer has them.
    let plain = |text: &str| text.replace("~1", "/").replace("~0", "~");
    match method.rsplit_once('/') {
        Some((method, limit @ ("rateLimit" | "burstLimit"))) => {
            let throttle = stage.throttle.entry(plain(method)).or_insert(Throttle { rate: 0.0, burst: 0.0 });
            set_throttle(throttle, limit, patch)?;
            check_throttle(*throttle).map(drop)
        }
        Some(_) if patch.op == g::Op::Remove => {
            stage.throttle.remove(&plain(method));
            Ok(())
        }
        _ => Err(patch.refused()),
    }
}

fn set_throttle(throttle: &mut Throttle, limit: &str, patch: &Patch<'_>) -> Result<(), ApiError> {
    let number: f64 =
        patch.given()?.parse().map_err(|_| bad_request(format!("Invalid patch value for {}", patch.path)))?;
    match limit {
        "rateLimit" => throttle.rate = number,
        "burstLimit" => throttle.burst = number.trunc(),
        _ => return Err(patch.refused()),
    }
    Ok(())
}

fn set_quota(quota: &mut Quota, name: &str, patch: &Patch<'_>) -> Result<(), ApiError> {
    let invalid = || bad_request(format!("Invalid patch value for {}", patch.path));
    let number = || patch.given().and_then(|text| text.parse().map_err(|_| invalid()));
    match name {
        "limit" => quota.limit = number()?,
        "offset" => quota.offset_days = number()?,
        "period" => {
            quota.period = match patch.given()? {
                "DAY" => Period::Day,
                "WEEK" => Period::Week,
                "MONTH" => Period::Month,
                _ => return Err(invalid()),
            };
        }
        _ => return Err(patch.refused()),
    }
    Ok(())
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteUsagePlanRequest,
) -> Result<Unit, ApiError> {
    let stored = load(gateway, cx, &input.usage_plan_id).await?;
    if !stored.record.stages.is_empty() {
        let message = "Cannot delete usage plan because it has associated API stages. Please disassociate the API stages first.";
        return Err(bad_request(message));
    }
    let (lo, hi) = table::of_plan(cx.account, &cx.region, &stored.record.id).prefix_range();
    gateway.commit_plans(USAGE_PLANS.remove(Commit::new(), &stored)).await?;
    gateway.store().clear_in_steps(lo, hi, &Commit::new()).await?;
    Ok(Unit)
}

pub(crate) async fn all(gateway: &ApiGateway, cx: &Context) -> Result<Vec<UsagePlan>, ApiError> {
    Ok(USAGE_PLANS.all(gateway.store(), &table::of_account(&USAGE_PLANS, cx.account, &cx.region)).await?)
}

pub(crate) async fn load(
    gateway: &ApiGateway,
    cx: &Context,
    id: &str,
) -> Result<Stored<UsagePlan>, ApiError> {
    let place = table::in_account(&USAGE_PLANS, cx.account, &cx.region, id);
    let missing = || g::NotFoundException::new("Invalid Usage Plan identifier specified").into();
    USAGE_PLANS.get(gateway.store(), &place).await?.ok_or_else(missing)
}

fn describe(plan: &UsagePlan) -> g::UsagePlan {
    let limits = |throttle: &Throttle| g::ThrottleSettings {
        burst_limit: Some(throttle.burst as i32),
        rate_limit: Some(throttle.rate),
    };
    let stage = |(name, stage): (&String, &PlanStage)| {
        let (api, name) = name.split_once(':').unwrap_or((name, ""));
        let throttle = stage.throttle.iter().map(|(method, throttle)| (method.clone(), limits(throttle)));
        g::ApiStage {
            api_id: Some(api.to_owned()),
            stage: Some(name.to_owned()),
            throttle: (!stage.throttle.is_empty()).then(|| throttle.collect()),
        }
    };
    let quota = plan.quota.map(|quota| g::QuotaSettings {
        limit: i32::try_from(quota.limit).ok(),
        offset: i32::try_from(quota.offset_days).ok(),
        period: Some(match quota.period {
            Period::Day => g::QuotaPeriodType::Day,
            Period::Week => g::QuotaPeriodType::Week,
            Period::Month => g::QuotaPeriodType::Month,
        }),
    });
    g::UsagePlan {
        id: Some(plan.id.clone()),
        name: Some(plan.name.clone()),
        description: plan.description.clone(),
        api_stages: Some(plan.stages.iter().map(stage).collect()),
        throttle: plan.throttle.as_ref().map(limits),
        quota,
        product_code: None,
        tags: (!plan.tags.is_empty()).then(|| plan.tags.clone()),
    }
}
