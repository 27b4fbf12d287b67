//! ListMetrics
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Key, Space};

use crate::CloudWatch;
use crate::generated as g;
use crate::page;
use crate::put::invalid;
use crate::table::{self, SERIES, Series};

const METRICS_A_PAGE: usize = 500;
/// Metrics without a point for so long are not listed, in seconds.
const LISTED_SECONDS: i64 = 14 * 24 * 3_600;
const RECENT_SECONDS: i64 = 3 * 3_600;

pub(crate) async fn list(
    metrics: &CloudWatch,
    cx: &Context,
    input: g::ListMetricsInput,
) -> Result<g::ListMetricsOutput, ApiError> {
    metrics.flush().await?;
    let seconds = if input.recently_active.is_some() { RECENT_SECONDS } else { LISTED_SECONDS };
    // What a record tells of its last point is rounded down to the hour.
    let since = cx.now.as_second() - seconds - 3_600;
    let prefix = table::all_series(cx.account, &cx.region);
    let mut after = input.next_token.as_deref().map(read_token).transpose()?;
    let mut found: Vec<(Key, Series)> = Vec::new();
    loop {
        let page = SERIES.scan(metrics.store(), &prefix, after.as_ref(), 1_000).await?;
        for stored in page.items {
            if stored.record.seen_seconds >= since && matches(&input, &stored.record) {
                found.push((stored.key, stored.record));
            }
        }
        if page.next.is_none() || found.len() > METRICS_A_PAGE {
            break;
        }
        after = page.next;
    }
    let last = found.get(METRICS_A_PAGE - 1).filter(|_| found.len() > METRICS_A_PAGE);
    let next_token = last.map(|(key, _)| page::write(&key.bytes.to_vec()));
    found.truncate(METRICS_A_PAGE);
    let listed = found.into_iter().map(|(_, series)| shown(series)).collect();
    Ok(g::ListMetricsOutput { metrics: Some(listed), next_token, owning_accounts: None })
}

fn read_token(token: &str) -> Result<Key, ApiError> {
    let bytes: Option<Vec<u8>> = page::read(token);
    bytes
        .map(|bytes| Key::raw(Space::Meta, bytes))
        .ok_or_else(|| invalid("The parameter NextToken is invalid."))
}

fn matches(input: &g::ListMetricsInput, series: &Series) -> bool {
    let has = |filter: &g::DimensionFilter| {
        let of = |(name, value): &(String, String)| {
            *name == filter.name && filter.value.as_ref().is_none_or(|wanted| wanted == value)
        };
        series.dimensions.iter().any(of)
    };
    input.namespace.as_ref().is_none_or(|namespace| *namespace == series.namespace)
        && input.metric_name.as_ref().is_none_or(|name| *name == series.name)
        && input.dimensions.iter().flatten().all(has)
}

fn shown(series: Series) -> g::Metric {
    let dimension = |(name, value)| g::Dimension { name, value };
    g::Metric {
        namespace: Some(series.namespace),
        metric_name: Some(series.name),
        dimensions: Some(series.dimensions.into_iter().map(dimension).collect()),
    }
}
