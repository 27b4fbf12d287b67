//! GetMetricData
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>

use std::collections::{BTreeMap, HashSet};

use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use serde::{Deserialize, Serialize};

use crate::CloudWatch;
use crate::aggregate::{Aggregate, merge_into};
use crate::generated as g;
use crate::page;
use crate::read::Window;
use crate::statistic::Statistic;
use crate::table::Series;

const OPERATION: &str = "GetMetricData";
const QUERIES_MAX: usize = 500;
const DATAPOINTS_MAX: usize = 100_800;

/// Where the next page begins.
#[derive(Serialize, Deserialize)]
struct Position {
    query: usize,
    datapoint: usize,
}

/// One query, checked.
struct Query {
    id: String,
    label: String,
    series: Series,
    window: Window,
    statistic: Statistic,
    unit: Option<String>,
}

pub(crate) async fn get(
    metrics: &CloudWatch,
    cx: &Context,
    input: g::GetMetricDataInput,
) -> Result<g::GetMetricDataOutput, ApiError> {
    let queries = checked(cx, &input)?;
    let ascending = input.scan_by == Some(g::ScanBy::TimestampAscending);
    let limit = input.max_datapoints.map_or(DATAPOINTS_MAX, |max| max as usize);
    let position = match &input.next_token {
        Some(token) => {
            page::read(token).ok_or_else(|| g::InvalidNextToken::new("The NextToken is invalid."))?
        }
        None => Position { query: 0, datapoint: 0 },
    };
    metrics.catch_up().await?;
    let (mut results, mut room, mut next) = (Vec::new(), limit, None);
    for (number, query) in queries.into_iter().enumerate().skip(position.query) {
        let mut values = metrics.values(cx, &query).await?;
        if !ascending {
            values.reverse();
        }
        let skipped = if number == position.query { position.datapoint.min(values.len()) } else { 0 };
        let rest = values.split_off(skipped);
        let shown = rest.len().min(room);
        room -= shown;
        let is_whole = shown == rest.len();
        results.push(result(query, &rest[..shown], is_whole)?);
        if !is_whole {
            next = Some(page::write(&Position { query: number, datapoint: skipped + shown }));
            break;
        }
    }
    Ok(g::GetMetricDataOutput {
        metric_data_results: Some(results),
        next_token: next,
        messages: Some(Vec::new()),
    })
}

impl CloudWatch {
    /// Period starts and values, in order. Where a metric has several units and none is asked for, they
    /// are one.
    async fn values(&self, cx: &Context, query: &Query) -> Result<Vec<(i64, f64)>, ApiError> {
        let mut all: BTreeMap<i64, Option<Aggregate>> = BTreeMap::new();
        for ((start, unit), aggregate) in self.periods(cx, &query.series, query.window).await? {
            if query.unit.as_ref().is_none_or(|wanted| *wanted == unit) {
                merge_into(all.entry(start).or_default(), &aggregate);
            }
        }
        let values = all.into_iter().filter_map(|(start, all)| Some((start, query.statistic.of(&all?)?)));
        Ok(values.collect())
    }
}

fn checked(cx: &Context, input: &g::GetMetricDataInput) -> Result<Vec<Query>, ApiError> {
    let invalid = |message: String| Err(ApiError::new("ValidationError", 400, message));
    if input.metric_data_queries.is_empty() || input.metric_data_queries.len() > QUERIES_MAX {
        return invalid(format!(
            "The collection MetricDataQueries must have a size between 1 and {QUERIES_MAX}."
        ));
    }
    if input.max_datapoints.is_some_and(|max| max < 1 || max as usize > DATAPOINTS_MAX) {
        return invalid(format!("The parameter MaxDatapoints must be between 1 and {DATAPOINTS_MAX}."));
    }
    let mut ids = HashSet::new();
    let mut queries = Vec::new();
    for query in &input.metric_data_queries {
        if !query.id.starts_with(|first: char| first.is_ascii_lowercase())
            || !query.id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            return invalid(format!(
                "The value '{}' for parameter Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
                query.id
            ));
        }
        if !ids.insert(&query.id) {
            return invalid(format!(
                "The values for parameter id in MetricDataQueries are not unique: {}",
                query.id
            ));
        }
        if query.return_data != Some(false) {
            queries.push(one(cx, input, query)?);
        }
    }
    match queries.is_empty() {
        true => invalid("At least one element of MetricDataQueries must have ReturnData set to true.".into()),
        false => Ok(queries),
    }
}

fn one(cx: &Context, input: &g::GetMetricDataInput, query: &g::MetricDataQuery) -> Result<Query, ApiError> {
    let invalid = |message: String| ApiError::new("ValidationError", 400, message);
    let Some(stat) = &query.metric_stat else {
        let message = format!("The MetricDataQuery {} must have either MetricStat or Expression.", query.id);
        return Err(invalid(message));
    };
    let (Some(namespace), Some(name)) = (&stat.metric.namespace, &stat.metric.metric_name) else {
        let message = format!("The Metric of {} must have a Namespace and a MetricName.", query.id);
        return Err(invalid(message));
    };
    if query.label.as_ref().is_some_and(|label| label.contains("${")) {
        return Err(ApiError::not_implemented(OPERATION, "Label (with dynamic values)"));
    }
    let (start, end) = (input.start_time.as_second(), input.end_time.as_second());
    Ok(Query {
        id: query.id.clone(),
        label: query.label.clone().unwrap_or_else(|| name.clone()),
        series: Series::named(namespace, name, stat.metric.dimensions.clone()),
        window: Window::new(OPERATION, start, end, stat.period, cx.now.as_second())?,
        statistic: Statistic::parse(OPERATION, "Stat", &stat.stat)?,
        unit: stat.unit.as_ref().map(ToString::to_string),
    })
}

fn result(query: Query, values: &[(i64, f64)], is_whole: bool) -> Result<g::MetricDataResult, ApiError> {
    let timestamps = values.iter().map(|(start, _)| Timestamp::from_second(*start));
    let timestamps = timestamps.collect::<Result<_, _>>().map_err(|_| ApiError::internal())?;
    let status = if is_whole { g::StatusCode::Complete } else { g::StatusCode::PartialData };
    Ok(g::MetricDataResult {
        id: Some(query.id),
        label: Some(query.label),
        timestamps: Some(timestamps),
        values: Some(values.iter().map(|(_, value)| *value).collect()),
        status_code: Some(status),
        messages: None,
    })
}
