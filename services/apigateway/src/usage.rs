//! GetUsage UpdateUsage
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html>

use std::collections::BTreeMap;

use jiff::Unit;
use jiff::civil::Date;
use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::edit::bad_request;
use crate::generated as g;
use crate::serve::{DAYS_MAX, day, period_start};
use crate::table::{self, Quota, USAGE_PLAN_KEYS};
use crate::{ApiGateway, patch, position, usage_plan, usage_plan_key};

type Days = Vec<Vec<i64>>;

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetUsageRequest,
) -> Result<g::Usage, ApiError> {
    let plan = usage_plan::load(gateway, cx, &input.usage_plan_id).await?.record;
    let (from, to) = (date(&input.start_date)?, date(&input.end_date)?);
    let days = from.until((Unit::Day, to)).map_or(-1, |span| span.get_days());
    if days < 0 || i64::from(days) >= i64::from(DAYS_MAX) {
        return Err(bad_request(
            "Invalid date range specified: the end date must not be before the start date",
        ));
    }
    let prefix = table::of_plan(cx.account, &cx.region, &plan.id);
    let mut keys = USAGE_PLAN_KEYS.all(gateway.store(), &prefix).await?;
    keys.retain(|used| input.key_id.as_ref().is_none_or(|key| used.key == *key));
    let (page, position) = position::cut(keys, |used| &used.key, input.position.as_deref(), input.limit)?;
    let mut items = BTreeMap::new();
    for used in page {
        let days = of_key(gateway, cx, &plan.id, &used.key, plan.quota, (from, to)).await?;
        items.insert(used.key, days);
    }
    Ok(g::Usage {
        usage_plan_id: Some(plan.id),
        start_date: Some(from.to_string()),
        end_date: Some(to.to_string()),
        position,
        items: Some(items),
    })
}

/// For each day what was used, and what was left of the quota at its end.
async fn of_key(
    gateway: &ApiGateway,
    cx: &Context,
    plan: &str,
    key: &str,
    quota: Option<Quota>,
    (from, to): (Date, Date),
) -> Result<Days, ApiError> {
    // Days of the period before the first one count too.
    let first = quota.map_or(from, |quota| period_start(from, quota));
    let days = gateway.tallies.between(gateway.store(), cx, (plan, key), (first, to)).await?;
    let (mut period, mut used) = (None, 0);
    let mut rows = Vec::new();
    for (day, of_day) in days {
        let start = quota.map(|quota| period_start(day, quota));
        if start != period {
            (period, used) = (start, 0);
        }
        used += of_day;
        if day >= from {
            rows.push(vec![of_day, quota.map_or(0, |quota| quota.limit - used)]);
        }
    }
    Ok(rows)
}

fn date(text: &str) -> Result<Date, ApiError> {
    text.parse()
        .map_err(|_| bad_request(format!("Invalid date specified: {text}. Dates have the form YYYY-MM-DD")))
}

/// `/remaining`: what is left of the quota of the key's present period.
pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateUsageRequest,
) -> Result<g::Usage, ApiError> {
    let plan = usage_plan::load(gateway, cx, &input.usage_plan_id).await?.record;
    usage_plan_key::load(gateway, cx, &plan.id, &input.key_id).await?;
    let quota = plan.quota.ok_or_else(|| bad_request("Usage Plan does not have a quota"))?;
    let patches = patch::read(&input.patch_operations)?;
    let mut remaining = None;
    for patch in &patches {
        if patch.path != "/remaining" {
            return Err(patch.refused());
        }
        let number = patch.replaced()?.parse::<i64>().ok().filter(|number| *number >= 0);
        remaining = Some(number.ok_or_else(|| bad_request("Invalid patch value for /remaining"))?);
    }
    if let Some(remaining) = remaining {
        let of = (plan.id.as_str(), input.key_id.as_str());
        gateway.tallies.set_remaining(gateway.store(), cx, of, quota, remaining).await?;
    }
    let today = day(cx.now);
    let days = of_key(gateway, cx, &plan.id, &input.key_id, Some(quota), (today, today)).await?;
    Ok(g::Usage {
        usage_plan_id: Some(plan.id),
        start_date: Some(today.to_string()),
        end_date: Some(today.to_string()),
        position: None,
        items: Some(BTreeMap::from([(input.key_id, days)])),
    })
}
