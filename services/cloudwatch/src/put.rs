//! PutMetricData.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>

use std::sync::Arc;

use pagoda_base::{AccountId, Region, Timestamp};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, KeyBuilder, Record, Space};

use crate::CloudWatch;
use crate::aggregate::Aggregate;
use crate::generated as g;
use crate::settle;
use crate::table::Series;
use crate::table::{self, Point, UNSETTLED, Unsettled};

const DATA_MAX: usize = 1_000;
const VALUES_MAX: usize = 150;
const MINUTE_SECONDS: i64 = 60;
const PAST_SECONDS_MAX: i64 = 14 * 24 * 3_600;
const FUTURE_SECONDS_MAX: i64 = 2 * 3_600;
/// The largest magnitude, 2^360.
const MAGNITUDE_MAX: f64 = 2.348_542_582_773_833_4e108;
/// Points that are written in one commit.
const POINTS_A_COMMIT: usize = 1_000;

/// What was observed of a metric in a minute.
pub(crate) struct Observed {
    pub(crate) series: Arc<Series>,
    /// The minute's start, in seconds since 1970.
    pub(crate) start: i64,
    pub(crate) unit: String,
    pub(crate) aggregate: Aggregate,
}

pub(crate) async fn put(
    metrics: &CloudWatch,
    cx: &Context,
    input: g::PutMetricDataInput,
) -> Result<Unit, ApiError> {
    if input.namespace.starts_with("AWS/") {
        let message = format!("The value {} for parameter Namespace is invalid.", input.namespace);
        return Err(g::InvalidParameterValueException::new(message).into());
    }
    let data = input.metric_data.unwrap_or_default();
    if data.is_empty() {
        return Err(missing("The parameter MetricData is required."));
    }
    if data.len() > DATA_MAX {
        return Err(invalid(format!(
            "The collection MetricData must not have a size greater than {DATA_MAX}."
        )));
    }
    let observed = (1..).zip(data).map(|(number, datum)| {
        let place = format!("MetricData.member.{number}");
        observed(&place, &input.namespace, datum, cx.now)
    });
    let observed = observed.collect::<Result<Vec<_>, _>>()?;
    metrics.write((cx.account, &cx.region), &observed).await?;
    Ok(Unit)
}

impl CloudWatch {
    /// Appends points; durable when it answers.
    pub(crate) async fn write(
        &self,
        owner: (AccountId, &Region),
        observed: &[Observed],
    ) -> Result<(), ApiError> {
        let now = self.clock.now().as_second();
        for chunk in observed.chunks(POINTS_A_COMMIT) {
            let mut commit = Commit::new();
            for (index, one) in (0..).zip(chunk) {
                let (noted, id) = self.known.note(self.store(), commit, owner, &one.series, now).await?;
                let point = Point { unit: one.unit.clone(), aggregate: one.aggregate.clone() };
                let prefix = table::points_at(&id, MINUTE_SECONDS, one.start);
                let tail = KeyBuilder::new(Space::Log).u64(index).into_bytes();
                let entry = Unsettled { series: id, resolution: MINUTE_SECONDS, start: one.start };
                let due = settle::due(&entry, now);
                commit = UNSETTLED.put(noted, &table::unsettled(due, &entry), &entry)?;
                commit = commit.append(prefix, tail, point.encode()?);
            }
            self.store().commit(commit).await?.done()?;
        }
        Ok(())
    }
}

fn observed(
    place: &str,
    namespace: &str,
    datum: g::MetricDatum,
    now: Timestamp,
) -> Result<Observed, ApiError> {
    let second = datum.timestamp.unwrap_or(now).as_second();
    if second < now.as_second() - PAST_SECONDS_MAX {
        let message = "must specify a time no more than two weeks in the past.";
        return Err(invalid(format!("The parameter {place}.Timestamp {message}")));
    }
    if second > now.as_second() + FUTURE_SECONDS_MAX {
        let message = "must specify a time within the next two hours.";
        return Err(invalid(format!("The parameter {place}.Timestamp {message}")));
    }
    match datum.storage_resolution {
        None | Some(60) => {}
        Some(1) => return Err(ApiError::not_implemented("PutMetricData", "StorageResolution (of 1 second)")),
        Some(other) => {
            let message = format!("The value {other} for parameter {place}.StorageResolution is invalid.");
            return Err(invalid(message));
        }
    }
    let aggregate = aggregate(place, &datum)?;
    Ok(Observed {
        series: Arc::new(Series::named(namespace, &datum.metric_name, datum.dimensions)),
        start: second - second.rem_euclid(MINUTE_SECONDS),
        unit: datum.unit.unwrap_or(g::StandardUnit::None).to_string(),
        aggregate,
    })
}

fn aggregate(place: &str, datum: &g::MetricDatum) -> Result<Aggregate, ApiError> {
    let checked = |name: &str, value: f64| {
        if value.is_finite() && value.abs() <= MAGNITUDE_MAX {
            return Ok(value);
        }
        Err(invalid(format!("The value {value} for parameter {place}.{name} is invalid.")))
    };
    match (datum.value, &datum.statistic_values, &datum.values) {
        (Some(value), None, None) => Ok(Aggregate::of(checked("Value", value)?, 1.0)),
        (None, Some(set), None) => {
            let of = |name: &str, value| checked(&format!("StatisticValues.{name}"), value);
            let (min, max) = (of("Minimum", set.minimum)?, of("Maximum", set.maximum)?);
            let (count, sum) = (of("SampleCount", set.sample_count)?, of("Sum", set.sum)?);
            if min > max {
                let message = format!(
                    "The parameter {place}.StatisticValues.Maximum must be greater than \
                     {place}.StatisticValues.Minimum."
                );
                return Err(invalid(message));
            }
            if count <= 0.0 {
                let name = format!("{place}.StatisticValues.SampleCount");
                return Err(invalid(format!("The parameter {name} must be greater than 0.")));
            }
            Ok(Aggregate::of_set(count, sum, min, max))
        }
        (None, None, Some(values)) => weighed(place, values, datum.counts.as_deref(), &checked),
        (None, None, None) => Err(missing(format!(
            "At least one of the parameters {place}.Value, {place}.Values and {place}.StatisticValues must be specified."
        ))),
        (value, set, _) => {
            let first = if value.is_some() { "Value" } else { "Values" };
            let second = if set.is_some() { "StatisticValues" } else { "Values" };
            let message = format!(
                "The parameters {place}.{first} and {place}.{second} are mutually exclusive and you have \
                 specified both."
            );
            Err(g::InvalidParameterCombinationException::new(message).into())
        }
    }
}

fn weighed(
    place: &str,
    values: &[f64],
    counts: Option<&[f64]>,
    checked: &dyn Fn(&str, f64) -> Result<f64, ApiError>,
) -> Result<Aggregate, ApiError> {
    if values.is_empty() || values.len() > VALUES_MAX {
        let message = format!("The collection {place}.Values must have a size between 1 and {VALUES_MAX}.");
        return Err(invalid(message));
    }
    if counts.is_some_and(|counts| counts.len() != values.len()) {
        let message = format!("The parameters {place}.Values and {place}.Counts must be of the same size.");
        return Err(invalid(message));
    }
    let mut all: Option<Aggregate> = None;
    for (index, value) in values.iter().enumerate() {
        let value = checked(&format!("Values.member.{}", index + 1), *value)?;
        let name = format!("Counts.member.{}", index + 1);
        let count = counts.map_or(Ok(1.0), |counts| checked(&name, counts[index]))?;
        if count <= 0.0 {
            return Err(invalid(format!("The value {count} for parameter {place}.{name} is invalid.")));
        }
        match &mut all {
            Some(all) => all.add(value, count),
            None => all = Some(Aggregate::of(value, count)),
        }
    }
    all.ok_or_else(ApiError::internal)
}

pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
    g::InvalidParameterValueException::new(message).into()
}

fn missing(message: impl Into<String>) -> ApiError {
    g::MissingRequiredParameterException::new(message).into()
}
